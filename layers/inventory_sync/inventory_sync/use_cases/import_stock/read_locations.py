"""Read some locations' stock and keep it for the next import, where reads fan out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from inventory_sync.domain.erp import ChangeFeed
from inventory_sync.domain.errors import RetriableError
from inventory_sync.domain.manifest import Manifest
from inventory_sync.domain.stock_reads import FEED_FOR, Read, ReadPlan, StockRead, UnreadStock
from inventory_sync.domain.unstored import UnstoredUnits
from inventory_sync.ports.erp import ErpStock
from inventory_sync.ports.events import EventLog, UnstoredCompletions
from inventory_sync.ports.files import FileStore
from inventory_sync.ports.locations import RunLocations
from inventory_sync.ports.observe import Clock, Observer, RemainingSeconds
from inventory_sync.ports.reads import KeptReads
from inventory_sync.ports.runs import RunStore
from inventory_sync.use_cases.import_stock.build_import.stock_source import Known, StockSource

LONGEST_READ = timedelta(seconds=300)
"""No location is begun when the invocation has less time left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadLocations:
    """One batch of a plan, as often as it takes: what has been read of it is not read again."""

    erp: ErpStock
    event_log: EventLog
    unstored: UnstoredCompletions
    files: FileStore
    runs: RunStore
    location_store: RunLocations
    kept: KeptReads
    clock: Clock
    observer: Observer

    def __call__(
        self,
        plan: ReadPlan,
        locations: Sequence[str],
        remaining_seconds: RemainingSeconds,
        *,
        again: bool = False,
    ) -> int:
        """How many were read; RetriableError where some were not, to be called `again`."""
        fed = self.erp.capabilities().change_feed is not ChangeFeed.NONE
        source = StockSource(
            erp=self.erp,
            event_log=self.event_log,
            clock=self.clock,
            observer=self.observer,
            fed=fed,
            unstored=UnstoredUnits(tuple(self.unstored.unresolved())) if fed else UnstoredUnits(),
        )
        wanted = [i for i in self._allowed(locations) if not (again and self._has(plan, i))]
        unread: dict[str, str] = {}
        last: Manifest | None = None
        for location_id in wanted:
            if remaining_seconds() < LONGEST_READ.total_seconds():
                unread[location_id] = "no time left in this invocation"
                continue
            last = self._last_import(last) if fed and not plan.whole else None
            read = self._read(source, location_id, last)
            self.kept.keep(location_id, read)
            if isinstance(read, UnreadStock):
                unread[location_id] = read.reason
        for location_id, reason in unread.items():
            self.observer.log("location not read", location_id=location_id, reason=reason)
        if unread:
            raise RetriableError(f"{len(unread)} of {len(locations)} locations are not read")
        return len(wanted)

    def _allowed(self, locations: Sequence[str]) -> list[str]:
        """Those that the map and no operator keeps from being read."""
        places, held = self.location_store.locations(), self.location_store.operator_holds()
        return [i for i in locations if i in places and places[i].enabled and i not in held]

    def _has(self, plan: ReadPlan, location_id: str) -> bool:
        """Whether it was read for this plan already."""
        read = self.kept.read(location_id)
        return isinstance(read, StockRead) and read.started_at >= plan.planned_at

    def _last_import(self, before: Manifest | None) -> Manifest | None:
        """The last finished one; loaded again where another has finished since."""
        run_id = self.runs.head().finished_run_id
        if run_id is None or (before is not None and before.run_id == run_id):
            return before
        return self.files.manifest(run_id)

    def _read(self, source: StockSource, location_id: str, last: Manifest | None) -> Read:
        """From the change feed only while the rows that it adds to are the last finished import's.

        A run that finishes meanwhile closes events, whose rows are then in no open event and in the
        older import not yet what the ERP has; and nobody knows the rows of an event that cannot be
        read.
        """
        known = self._known(location_id, last) if last is not None else None
        read = source.read(location_id, known)
        if known is None or last is None:
            return read
        unreadable = {event.ref.location_id for event in self.event_log.unreadable_events()}
        current = self.runs.head().finished_run_id == last.run_id
        if current and location_id not in unreadable:
            return read
        return source.read(location_id, None)

    def _known(self, location_id: str, last: Manifest) -> Known | None:
        """The location's rows as of the last finished import, where a feed may go on from them."""
        entry, place = last.locations.get(location_id), self.location_store.locations()[location_id]
        feed = entry.feed if entry else None
        if entry is None or feed is None or entry.refresh_from is not None:
            return None
        renamed = feed.erp_location != place.erp_location
        moved = entry.node.fulfillment_node_id != place.fulfillment_node_id
        if renamed or moved or feed.since is None or self.clock.now() - feed.since >= FEED_FOR:
            return None
        base = self.files.ledger(location_id, entry.ledger_run_id)
        return Known(base.quantities, feed.cursor, feed.since) if base else None
