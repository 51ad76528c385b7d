"""What the ERP has told, kept for a minute, from one invocation to the next too."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from inventory_sync.ports.observe import Clock

KEPT_FOR = timedelta(minutes=1)

T = TypeVar("T")


class Kept(Generic[T]):
    """A value that is read anew after a minute, and where it is from a clock that was set back.

    By the clock, not by `monotonic`: Lambda stops the process between invocations.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: tuple[datetime, T] | None = None

    def get(self, read: Callable[[], T]) -> T:
        """Errors are those of `read`; after one what was kept stays as old as it is."""
        now = self._clock.now()
        if self._kept is None or not timedelta() <= now - self._kept[0] <= KEPT_FOR:
            self._kept = (now, read())
        return self._kept[1]
