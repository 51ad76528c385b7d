"""What a shadow has seen, kept by day."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from inventory_sync.domain.shadow import Look


class LookWriter(Protocol):
    """The looks of one tick being written."""

    def add(self, look: Look) -> None:
        """Append a look at one location."""


class Looks(Protocol):
    """Where looks are kept. Methods raise RetriableError."""

    def writer(self, at: datetime) -> AbstractContextManager[LookWriter]:
        """The looks of a tick that began then, kept once the block ends without an error."""

    def between(self, since: datetime, until: datetime) -> Iterator[Look]:
        """Those of ticks that began from `since` on and before `until`, in order."""
