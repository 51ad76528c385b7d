"""The clocks that handlers and simulators share."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

from inventory_sync.ports.observe import Clock

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class LocalClock:
    """Stands still until it is moved; sleeping moves it, so that nobody waits for real."""

    def __init__(self, start: datetime = START) -> None:
        self._now = start
        self._passed = 0.0
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """UTC, aware."""
        with self._lock:
            return self._now

    def monotonic(self) -> float:
        """Seconds since it was made."""
        with self._lock:
            return self._passed

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        with self._lock:
            self._now += timedelta(seconds=seconds)
            self._passed += seconds


class ShiftedClock:
    """Runs with another clock, so much before or after it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._shift = timedelta()

    def shift(self, seconds: float) -> None:
        """Move by so much (negative: back)."""
        self._shift += timedelta(seconds=seconds)

    def now(self) -> datetime:
        """UTC, aware."""
        return self._clock.now() + self._shift

    def monotonic(self) -> float:
        """As the other clock's."""
        return self._clock.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait as the other clock does."""
        self._clock.sleep(seconds)
