"""A limit on how fast calls follow one another."""

from threading import Lock

from inventory_sync.ports.observe import Clock


class RateLimiter:
    """At most `calls_per_second`, evenly spaced, over all threads that share it."""

    def __init__(self, clock: Clock, calls_per_second: float) -> None:
        self._clock = clock
        self._interval = 1 / calls_per_second
        self._lock = Lock()
        self._next = float("-inf")

    def wait(self) -> None:
        """Return when it is this caller's turn."""
        with self._lock:
            now = self._clock.monotonic()
            turn = max(now, self._next)
            self._next = turn + self._interval
        if turn > now:
            self._clock.sleep(turn - now)
