"""The quarantine in memory."""

from dataclasses import replace

from inventory_sync.adapters.dynamodb.quarantine import storable_detail
from inventory_sync.domain.errors import InventorySyncError
from inventory_sync.domain.events import EventRef
from inventory_sync.domain.inbound import QuarantineEntry

QuarantineKey = tuple[str, EventRef | None, bytes]


class FakeQuarantine:
    """Set `fails_with` to have the next calls fail."""

    def __init__(self) -> None:
        self._entries: dict[QuarantineKey, QuarantineEntry] = {}
        self.fails_with: InventorySyncError | None = None

    def add(self, entry: QuarantineEntry) -> None:
        if self.fails_with is not None:
            raise self.fails_with
        kept = replace(entry, detail=storable_detail(entry.detail))
        self._entries[entry.reason, entry.ref, entry.body] = kept

    def depth(self) -> int:
        if self.fails_with is not None:
            raise self.fails_with
        return len(self._entries)

    @property
    def entries(self) -> list[QuarantineEntry]:
        """In the order in which they first came."""
        return list(self._entries.values())
