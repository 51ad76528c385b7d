"""A clock that moves only when told."""

from datetime import datetime, timedelta


class FakeClock:
    """`sleep` moves it as `advance` does."""

    def __init__(self, start: datetime) -> None:
        self._now = start
        self._monotonic = 0.0

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def sleep(self, seconds: float) -> None:
        self.advance(seconds)

    def advance(self, by: float | timedelta) -> None:
        """By seconds or by a timedelta."""
        step = by if isinstance(by, timedelta) else timedelta(seconds=by)
        self._now += step
        self._monotonic += step.total_seconds()

    def step(self, by: timedelta) -> None:
        """Somebody sets it: `now` moves, forward or back, and no time passes."""
        self._now += by
