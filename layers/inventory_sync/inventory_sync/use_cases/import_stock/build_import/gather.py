"""Read what one location's statement needs: the ERP's stock, the last quantities, its events."""

from collections.abc import Mapping
from dataclasses import dataclass

from inventory_sync.domain.events import OpenEvent
from inventory_sync.domain.guards import Hold, HoldKind
from inventory_sync.domain.locations import Location
from inventory_sync.domain.manifest import Basis, KeptLedger, Ledger, LocationEntry
from inventory_sync.domain.needed_rows import crossed_units
from inventory_sync.domain.reading import ReleaseReading
from inventory_sync.domain.stock import Units
from inventory_sync.domain.stock_reads import StockRead
from inventory_sync.domain.units import completed_units
from inventory_sync.domain.unstored import entry_names
from inventory_sync.ports.erp import ErpStock
from inventory_sync.ports.events import EventLog
from inventory_sync.ports.files import FileStore
from inventory_sync.ports.locations import RunLocations
from inventory_sync.ports.observe import Clock, Observer, RemainingSeconds
from inventory_sync.ports.reads import KeptReads
from inventory_sync.use_cases.import_stock.build_import.context import ImportContext
from inventory_sync.use_cases.import_stock.build_import.kept_stock import KeptStock
from inventory_sync.use_cases.import_stock.build_import.last_known import Last, LastKnown
from inventory_sync.use_cases.import_stock.build_import.read_stock import (
    Fetched,
    LeftOut,
    ReadSource,
    StockReader,
)
from inventory_sync.use_cases.import_stock.build_import.state_location import LocationInputs
from inventory_sync.use_cases.import_stock.build_import.stock_source import Known, StockSource

ARCHIVE_FULL = LeftOut("the archive is full: it comes first in the next run")


@dataclass(frozen=True, slots=True)
class Gathered:
    """A location's quantities as of the last finished import, and what the ERP says."""

    base: Ledger | None
    fetched: Fetched


@dataclass(frozen=True, slots=True)
class LocationSource:
    """Over the ports; what a guard holds back is kept in `reader`."""

    context: ImportContext
    event_log: EventLog
    last: LastKnown
    reader: StockReader

    @classmethod
    def of(
        cls,
        context: ImportContext,
        *,
        erp: ErpStock,
        event_log: EventLog,
        files: FileStore,
        location_store: RunLocations,
        clock: Clock,
        observer: Observer,
        remaining_seconds: RemainingSeconds,
        kept: KeptReads | None = None,
    ) -> "LocationSource":
        """For one run; with `kept` it takes what was read before, unless it is for a few only."""
        last = LastKnown(
            files=files,
            previous=context.previous,
            unfinished=context.unfinished,
            refused_again=context.refused_again,
            resends=context.resends,
            recent_jobs=context.recent_jobs,
        )
        fed = context.erp.has_feed
        source: ReadSource = StockSource(
            erp=erp,
            event_log=event_log,
            clock=clock,
            observer=observer,
            fed=fed,
            unstored=context.unstored,
        )
        if kept is not None and not context.run.only:
            source = KeptStock(context, kept, kept.versions())
        reader = StockReader(
            context=context,
            source=source,
            location_store=location_store,
            observer=observer,
            remaining_seconds=remaining_seconds,
        )
        return cls(context, event_log, last, reader)

    def hold_unread(self) -> None:
        """Hold what the map does not know, and what NewStore is the inventory master of.

        Nothing can be sent for the first; nothing has to be for the second.
        """
        for location_id in sorted(self.context.unmapped | self.context.mastered):
            self.reader.hold_unread(location_id)

    def hold_unknown(self, cut_end: int) -> None:
        """Hold where units left that no quantity can be without: nobody can read which."""
        unknown = self.context.unstored.unknown_at(cut_end, self.context.reading)
        for place in self.context.places():
            if found := unknown.get(place.location_id):
                figures = f"quarantine {entry_names(found)}: see `quarantine show`"
                self.reader.hold(
                    place.location_id, (Hold(HoldKind.COMPLETION_UNREADABLE, figures),)
                )

    def gather(self, place: Location, *, archive_full: bool) -> Gathered:
        """What has to be waited for; may run in a thread of its own."""
        base, known = self.last.base(place.location_id), None
        if archive_full:
            return Gathered(base, ARCHIVE_FULL)
        entry = self.context.entry(place)
        feed = entry.feed if entry else None
        whole = self.context.run.full or entry is None or entry.refresh_from is not None
        if base and feed and feed.erp_location == place.erp_location and not whole:
            known = Known(base.quantities, feed.cursor, feed.since)
        return Gathered(base, self.reader.fetch(place, known))

    def inputs(
        self, place: Location, gathered: Gathered, *, archive_full: bool, refresh: bool
    ) -> LocationInputs:
        """Read the events, after the ERP's stock, and judge it."""
        location_id, base = place.location_id, gathered.base
        fetched = ARCHIVE_FULL if archive_full else gathered.fetched
        keeps_unlisted = not self.context.erp.absent_means_zero
        entry = self.context.previous.locations.get(location_id)
        events = self.event_log.open_events_of(location_id)
        unstored = self.context.unstored.events(location_id, self.context.erp.rule)
        kept = self.last.kept(location_id, base)
        compared = _judged(entry, base or kept.ledger)
        judged = self.reader.judge(place, entry, fetched, compared, events, kept)
        read = judged if isinstance(judged, StockRead) else None
        if kept.lost and read is not None:
            self._name_lost(location_id)
        anew = self.context.entry(place) is None
        return LocationInputs(
            place=place,
            base=base,
            kept=kept,
            anew=anew,
            left_at=entry.node if entry is not None and anew else None,
            read=read,
            last=self._last(place, base),
            unlisted=self.last.ever(location_id, base, kept) if keeps_unlisted else None,
            events=events,
            unstored=unstored,
            doubtful=self._doubtful(place, base, kept, [*events, *unstored], read),
            refresh_from=self.context.refresh_from(place, room=refresh),
        )

    def _doubtful(
        self,
        place: Location,
        base: Ledger | None,
        kept: KeptLedger,
        events: list[OpenEvent],
        read: StockRead | None,
    ) -> frozenset[str]:
        """Products of which NewStore may have something else than the last import says."""
        doubtful = self.last.doubtful(self.context.run, place.location_id, base, kept)
        doubtful |= self._crossed(place, base, events)
        if read is not None and self.context.entry(place) is None:
            doubtful |= self.last.left_by_others(place)
        return doubtful

    def _crossed(
        self, place: Location, base: Ledger | None, events: list[OpenEvent]
    ) -> frozenset[str]:
        """Products of units that a recent job crossed, where NewStore takes units off at once."""
        if base is None or self.context.reading is not ReleaseReading.IMMEDIATE:
            return frozenset()
        new = [u for u in completed_units(events) if u.unit not in base.lacking]
        recent = self.last.recently_sent(place.location_id) if new else ()
        crossed = crossed_units(new, base.lacking, recent)
        if crossed:
            self.reader.observer.log(
                "units crossed a job",
                run_id=self.context.run.run_id,
                location_id=place.location_id,
                units=len(crossed),
            )
        return frozenset(unit.product_id for unit in crossed)

    def _name_lost(self, location_id: str) -> None:
        run_id, text = self.context.run.run_id, "ledger lost, all rows sent"
        self.reader.observer.log(text, run_id=run_id, location_id=location_id)

    def _last(self, place: Location, base: Ledger | None) -> Last | None:
        """None where another location of the map has the node of the last quantities by now."""
        last = self.last.quantities(place.location_id, base)
        if last is None or last.node.fulfillment_node_id == place.fulfillment_node_id:
            return last
        taken = self.context.others_at(last.node.fulfillment_node_id, place.location_id)
        return None if taken else last


def _judged(entry: LocationEntry | None, kept: Ledger | None) -> Mapping[str, Units] | None:
    """The last quantities to compare with: not of rows that wait for room in an archive.

    Their figures have been judged, and the ledger does not have them yet.
    """
    if kept is None or entry is None:
        return None
    waits_from = entry.refresh_from if entry.basis is Basis.SNAPSHOT else None
    if waits_from is None:
        return kept.quantities
    return {product: units for product, units in kept.quantities.items() if product < waits_from}
