"""Read one location's stock, and of it no more than the ERP's change feed makes necessary."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from inventory_sync.domain.erp import Changes
from inventory_sync.domain.errors import (
    InvariantError,
    LeaseLostError,
    RejectedError,
    RetriableError,
    SnapshotIncompleteError,
)
from inventory_sync.domain.stock import StockSnapshot, Units
from inventory_sync.domain.stock_reads import Read, StockRead, UnreadStock
from inventory_sync.domain.unstored import UnstoredUnits
from inventory_sync.ports.erp import ErpStock
from inventory_sync.ports.events import EventLog
from inventory_sync.ports.observe import Clock, Observer
from inventory_sync.use_cases.faults import in_words

READ_PRODUCTS_MAX = 5_000
"""Where more products than this have changed, all rows are read: that takes fewer calls."""


@dataclass(frozen=True, slots=True)
class Known:
    """A location's rows as of the last finished import, and where the feed stood before it.

    `fed_since` is when all of them were last read.
    """

    on_hand_units: Mapping[str, Units]
    cursor: str
    fed_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StockSource:
    """May be shared by threads; `fed` says whether the ERP has a change feed."""

    erp: ErpStock
    event_log: EventLog
    clock: Clock
    observer: Observer
    fed: bool
    unstored: UnstoredUnits = field(default_factory=UnstoredUnits)

    def read(self, location_id: str, known: Known | None) -> Read:
        """All rows: from the ERP what may have changed, the others as they are known."""
        try:
            return self._read(location_id, known)
        except SnapshotIncompleteError as error:
            return UnreadStock(str(error), incomplete=True)
        except (LeaseLostError, InvariantError):
            raise
        except Exception as error:  # noqa: BLE001 - whatever one location's stock does to our code
            return UnreadStock(in_words(error))

    def _read(self, location_id: str, known: Known | None) -> StockRead:
        """A feed is a hint: without it all rows are read, as where it cannot be read itself."""
        started_at = self.clock.now()
        changes: Changes | None = None
        try:
            if self.fed:
                changes = self.erp.changes(location_id, known.cursor if known else None)
            if changes and changes.complete and known is not None:
                read = self._changed(location_id, known, changes, started_at)
                if read is not None:
                    return read
        except (RetriableError, RejectedError) as error:
            self.observer.log("change feed not used", location_id=location_id, reason=str(error))
        found = self.erp.snapshot(location_id)
        if changes is None:
            return StockRead(found, None, started_at)
        return StockRead(found, changes.cursor, started_at, started_at)

    def _changed(
        self, location_id: str, known: Known, changes: Changes, started_at: datetime
    ) -> StockRead | None:
        """What is known, with what has changed; None where that is too much to ask for by name.

        A feed may miss a change (docs/design.md, Change feed), so the products of open events,
        and of those in quarantine, are read whether it names them or not: the sum never rests on
        the feed. Any other row that is known is what the ERP had on hand: everything that was
        added back or subtracted has since been settled.
        """
        # Read after the feed: whatever counts as applied by then is among these.
        products = changes.product_ids | self._in_open_events(location_id)
        if len(products) > READ_PRODUCTS_MAX:
            return None
        rows = {p: units for p, units in known.on_hand_units.items() if p not in products}
        as_of, unreadable = changes.as_of, dict[str, str]()
        if products:
            found = self.erp.read(location_id, products)
            rows |= found.on_hand_units
            unreadable |= found.unreadable
            as_of = min(as_of, found.as_of)
        snapshot = StockSnapshot(location_id, as_of, rows, unreadable)
        return StockRead(snapshot, changes.cursor, started_at, known.fed_since)

    def _in_open_events(self, location_id: str) -> frozenset[str]:
        events = (e.event for e in self.event_log.open_events_of(location_id))
        open_here = {i.product_id for e in events if e.completed for i in e.items}
        return self.unstored.products(location_id) | open_here
