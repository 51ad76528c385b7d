"""The ERP's allocations: the last writer by logical timestamp wins, item by item."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from local.erp.records import Allocation, AllocationState, StockKey


@dataclass(frozen=True)
class KeptItem:
    """The newest word on one item of a request. A released one stays, as a tombstone."""

    key: StockKey
    logical_timestamp: int
    state: AllocationState

    def beats(self, other: KeptItem) -> bool:
        """Newer wins; at the same logical timestamp released wins, so order does not matter."""
        return self._rank() > other._rank()

    def _rank(self) -> tuple[int, bool]:
        return self.logical_timestamp, self.state == "released"


class AllocationBook:
    """Items by (fulfillment request id, item id)."""

    def __init__(self) -> None:
        self.items: dict[tuple[str, str], KeptItem] = {}
        self.allocated: Counter[StockKey] = Counter()
        """Units allocated now."""

    def write(self, allocation: Allocation) -> bool:
        """Keep each item's newest state; False when every item was superseded.

        Repeating what is kept counts as written.
        """
        written = False
        for item in allocation.items:
            new = KeptItem(
                (allocation.location, item.product), allocation.logical_timestamp, allocation.state
            )
            written |= self._write_item((allocation.fulfillment_request_id, item.item_id), new)
        return written

    def _write_item(self, item: tuple[str, str], new: KeptItem) -> bool:
        kept = self.items.get(item)
        if kept is not None and not new.beats(kept):
            return new == kept
        if kept is not None and kept.state == "allocated":
            self.allocated[kept.key] -= 1
        if new.state == "allocated":
            self.allocated[new.key] += 1
        self.items[item] = new
        return True
