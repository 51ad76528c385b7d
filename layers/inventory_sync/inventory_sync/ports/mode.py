"""Whether the adapter may change anything, and when it was a shadow last."""

from datetime import datetime
from typing import Protocol

from inventory_sync.domain.shadow_time import ShadowTime


class ShadowTimes(Protocol):
    """What each function of a shadow notes. Methods raise RetriableError."""

    def until(self) -> datetime | None:
        """The latest that any function noted, read consistently; None where none was a shadow."""

    def own(self) -> ShadowTime | None:
        """What this function noted last."""

    def note(self, time: ShadowTime) -> None:
        """In place of what this function noted before."""


class ModeCheck(Protocol):
    """Asked before anything is booked, marked or imported."""

    def __call__(self) -> datetime | None:
        """Up to when a shadow left to another system what shipped; None where there was none.

        FatalError where settings would leave units unbooked, or have them booked twice.
        """
