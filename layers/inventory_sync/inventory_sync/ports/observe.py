"""Time, and where counts and log lines go."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Our own time."""

    def now(self) -> datetime:
        """UTC, aware. It may step back: how long something takes is told by `monotonic`."""

    def monotonic(self) -> float:
        """Seconds since some moment of this process; never steps back."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class Observer(Protocol):
    """Where counts and notable happenings go; names are in docs/metrics.md."""

    def count(self, name: str, value: float = 1) -> None:
        """Add to a metric."""

    def log(self, message: str, **figures: object) -> None:
        """One structured log line."""


RemainingSeconds = Callable[[], float]
"""How long this invocation may still run."""
OnProgress = Callable[[int, int], None]
"""Told how many locations of how many are done; there may turn out to be more."""


def unwatched(done: int, total: int) -> None:
    """Nobody wants to know."""
