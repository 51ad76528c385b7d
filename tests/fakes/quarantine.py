"""The quarantine in memory."""

from dataclasses import replace

from inventory_sync.adapters.dynamodb.quarantine import storable_detail
from inventory_sync.domain.errors import InventorySyncError
from inventory_sync.domain.events import EventRef
from inventory_sync.domain.inbound import QuarantinedCompletion, QuarantineEntry, quarantine_id

QuarantineKey = tuple[str, EventRef | None, bytes]


class FakeQuarantine:
    """Set `fails_with` to have the next calls fail. `resolve` is what an operator does."""

    def __init__(self) -> None:
        self._completions: dict[str, QuarantinedCompletion] = {}
        self._entries: dict[QuarantineKey, QuarantineEntry] = {}
        self.fails_with: InventorySyncError | None = None

    def add(self, entry: QuarantineEntry) -> None:
        if self.fails_with is not None:
            raise self.fails_with
        if entry.completion is not None:
            entry_id = quarantine_id(entry)
            found = QuarantinedCompletion(
                entry_id=entry_id, completion=entry.completion, received_at=entry.received_at
            )
            self._completions.setdefault(entry_id, found)
        kept = replace(entry, detail=storable_detail(entry.detail))
        self._entries[entry.reason, entry.ref, entry.body] = kept

    def unresolved(self) -> list[QuarantinedCompletion]:
        if self.fails_with is not None:
            raise self.fails_with
        return [found for _, found in sorted(self._completions.items())]

    def resolve(self, entry_id: str) -> None:
        self._completions.pop(entry_id, None)

    def depth(self) -> int:
        if self.fails_with is not None:
            raise self.fails_with
        return len(self._entries)

    @property
    def entries(self) -> list[QuarantineEntry]:
        """In the order in which they first came."""
        return list(self._entries.values())
