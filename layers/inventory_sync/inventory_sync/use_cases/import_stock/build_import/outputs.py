"""Write what a run sends and what it remembers, location by location."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import islice

from inventory_sync.domain.availabilities import ID_CHARACTERS_MAX, row_bytes_max, unsendable_rows
from inventory_sync.domain.cut import LocationCut, LogicalRange
from inventory_sync.domain.events import OpenEvent
from inventory_sync.domain.import_run import ImportRun
from inventory_sync.domain.locations import Location, Node
from inventory_sync.domain.manifest import Basis, Ledger, LocationEntry, Manifest
from inventory_sync.domain.row_selection import Selection, sendable
from inventory_sync.domain.stock import Units
from inventory_sync.domain.units import UnitId, closable, completed_units
from inventory_sync.ports.files import FileStore, RunRecords
from inventory_sync.ports.observe import Clock, Observer
from inventory_sync.use_cases.import_stock.build_import.context import ImportContext
from inventory_sync.use_cases.import_stock.build_import.file_packer import FilePacker
from inventory_sync.use_cases.import_stock.build_import.read_stock import LeftOut, StockReader
from inventory_sync.use_cases.import_stock.build_import.record_run import RunRecorder
from inventory_sync.use_cases.import_stock.build_import.run_tally import Tally
from inventory_sync.use_cases.import_stock.build_import.state_location import (
    LeftRows,
    LocationStatement,
)

UNSENDABLE_NOTED_MAX = 20
"""Rows of one location that are not sent, in the log."""


@dataclass(slots=True, kw_only=True)
class RunOutputs:
    """Archive, record and ledgers of one run, while locations are added."""

    context: ImportContext
    files: FileStore
    packer: FilePacker
    recorder: RunRecorder
    observer: Observer
    tally: Tally = field(default_factory=Tally)
    spare: Ledger | None = None
    nodes_stated: set[str] = field(default_factory=set)
    left_rows: list[tuple[Location, LeftRows]] = field(default_factory=list)

    def full_for(self, place: Location) -> bool:
        """Whether nothing that is read of it now could go out: its first rows need more room."""
        told = self.context.entry(place) is not None
        return self.packer.full or (self.packer.refresh_full and not told)

    def add(self, statement: LocationStatement) -> None:
        """Pack its rows and keep its quantities; rows without room keep what they were."""
        unsendable = self._unsendable(statement)
        if unsendable:
            statement = replace(statement, selection=statement.selection.without(unsendable))
        cut, selection = statement.cut, statement.selection
        spare = _spare_row(statement) if self.packer.wants_spare else {}
        left = self.packer.add(statement.place, selection, statement.released, spare)
        self.recorder.add(
            statement.figures,
            cut,
            selection,
            statement.released,
            rows_sent=selection.rows - len(left),
        )
        ledger = _ledger(self.context.run.run_id, statement, left | unsendable)
        if spare:
            self.spare = replace(ledger, sent=ledger.sent | spare.keys())
        ledger = self._keep(ledger, statement.base)
        entry = LocationEntry(
            basis=statement.figures.basis,
            as_of=statement.as_of,
            ledger_run_id=ledger.run_id,
            rows=len(cut.quantities),
            units=cut.totals.units,
            node=Node(statement.place.fulfillment_node_id, statement.place.store_id),
            feed=None if left else statement.feed,
            refreshed_at=self._refreshed_at(statement, left),
            refresh_from=self._refresh_from(statement, left),
            read=statement.read,
            repeats=statement.repeats,
        )
        self.tally.add(cut, selection.clamped, len(left), entry)
        self.tally.closed += statement.mispicks.closed
        self.tally.mispicks += statement.mispicks.seen
        if statement.mispicks.failed:
            self.observer.log(
                "rows with a mispick",
                run_id=self.context.run.run_id,
                location_id=cut.location_id,
                rows=len(statement.mispicks.failed),
                units=sum(statement.mispicks.failed.values()),
            )
        if statement.figures.basis is Basis.SNAPSHOT:
            self.nodes_stated.add(statement.place.fulfillment_node_id)
        if statement.left is not None:
            self.left_rows.append((statement.place, statement.left))

    def carry(self, place: Location) -> None:
        """Nothing is sent of a location whose ledger is lost: the next run has to know that."""
        if entry := self.context.previous.locations.get(place.location_id):
            self.tally.entries[place.location_id] = entry
        self.observer.log(
            "ledger lost, location not stated",
            run_id=self.context.run.run_id,
            location_id=place.location_id,
        )

    def clear_left_rows(self) -> None:
        """Send what a location has left under a node that it had before as 0.

        Where another location has that node now, it has sent those rows itself.
        """
        for place, left in self.left_rows:
            node, listed = left.node, self.context.listed.get(left.node.fulfillment_node_id)
            mastered = listed is not None and listed.inventory_master
            if node.fulfillment_node_id in self.nodes_stated or mastered:
                continue
            named = replace(
                place, fulfillment_node_id=node.fulfillment_node_id, store_id=node.store_id
            )
            none = dict.fromkeys(sorted(left.products), 0)
            point = LogicalRange(self.context.previous.cut_end, self.context.previous.cut_end)
            without_room = self.packer.add(named, Selection({}, none, {}, 0), point)
            self.observer.log(
                "rows under a former node sent as 0",
                run_id=self.context.run.run_id,
                location_id=place.location_id,
                fulfillment_node_id=node.fulfillment_node_id,
                rows=len(none) - len(without_room),
                rows_without_room=len(without_room),
            )

    def _unsendable(self, statement: LocationStatement) -> frozenset[str]:
        """Products of rows that might fail the whole job; noted, and not sent."""
        location_id, selection = statement.place.location_id, statement.selection
        unsendable: dict[str, str] = {}
        for rows in (selection.touched, selection.changed, selection.refreshed):
            unsendable |= unsendable_rows(rows)
        self.tally.leave_out(location_id, unsendable)
        for product, fault in islice(unsendable.items(), UNSENDABLE_NOTED_MAX):
            self.observer.log(
                "row not sent",
                run_id=self.context.run.run_id,
                location_id=location_id,
                product_id=product[:ID_CHARACTERS_MAX],
                reason=fault,
            )
        return frozenset(unsendable)

    def _refresh_from(self, statement: LocationStatement, left: frozenset[str]) -> str | None:
        """From the first row that had no room."""
        if left:
            return min(left)
        if statement.figures.basis is Basis.SNAPSHOT:
            return None
        entry = self.context.previous.locations.get(statement.place.location_id)
        return entry.refresh_from if entry else None

    def _refreshed_at(self, statement: LocationStatement, left: frozenset[str]) -> datetime | None:
        """What the last import has, unless all rows go out now or are chosen by another reading."""
        if statement.whole and not left:
            return self.context.run.planned_at
        entry = self.context.previous.locations.get(statement.place.location_id)
        return None if entry is None or self.context.switched else entry.refreshed_at

    def _keep(self, ledger: Ledger, base: Ledger | None) -> Ledger:
        """Save it, unless the last one says the same.

        A full refresh saves every ledger, so that none in use is older than the files' retention,
        and S3 may expire them by age.
        """
        if base is not None and not self.context.run.full and _says_the_same(base, ledger):
            return base
        self.files.save_ledger(ledger)
        return ledger

    def _keep_spare(self) -> None:
        """A row that was sent only for the range was sent all the same: what ships crosses it."""
        if self.spare is not None:
            self.files.save_ledger(self.spare)
            entry = self.tally.entries[self.spare.location_id]
            entry = replace(entry, ledger_run_id=self.spare.run_id)
            self.tally.entries[self.spare.location_id] = entry

    def close_elsewhere(self) -> None:
        """Events of locations that are in the map but not imported wait for no import."""
        context = self.context
        imported = {place.location_id for place in context.places()}
        before = context.run.planned_at - context.settings.settle
        rule = context.erp.rule
        for location_id in sorted(frozenset(context.locations) - imported):
            events = context.open_events.get(location_id, [])
            units = completed_units(events)
            waiting = [u.unit for u in units if not rule.unit_applied(u, before, before)]
            self.tally.closed += closable(events, waiting, cut_end=sys.maxsize)
            mispicks = (e for e in events if e.event.mispicked and e.forwarded_at is not None)
            self.tally.closed += [e.event.ref for e in mispicks]

    def _oldest(self, left_out: Mapping[str, LeftOut]) -> float:
        """Of the locations that are to be kept up to date: 1 where one is at its maximum age."""
        context = self.context
        by_choice = {location_id for location_id, left in left_out.items() if left.deliberate}
        ages = [
            context.run.planned_at - entry.as_of
            for location_id, entry in self.tally.entries.items()
            if location_id not in by_choice
        ]
        return max(ages, default=timedelta(0)) / context.settings.guards.stock_age_max

    def finish(self, cut_end: int, reader: StockReader) -> ImportRun:
        """The run with its files written, or ended where there is nothing to send."""
        run_id = self.context.run.run_id
        if self.packer.spare_sent:
            self._keep_spare()
        if self.packer.unreleased:
            cut_end = self.context.previous.cut_end
        packer, before = self.packer, self.context.previous.row_bytes
        manifest = Manifest(
            run_id=run_id,
            cut_end=cut_end,
            locations=self.tally.entries,
            refresh_since=self.context.refresh_since,
            row_bytes=round(packer.bytes / packer.rows, 1) if packer.rows else before,
        )
        self.files.save_manifest(manifest)
        self.files.save_finalization(run_id, self.tally.finalization())
        reader.clear_old_holds()
        oldest = self._oldest(reader.left_out)
        self.tally.count(self.observer, reader.left_out, reader.rows_held, oldest)
        built = self.tally.built(self.context.run, cut_end, self.packer, reader.left_out)
        return replace(
            built,
            source_uri=self.files.archive_uri(run_id) if self.packer.files else "",
            reading=self.context.reading,
            approvals=dict(sorted(reader.used_approvals.items())),
        )


@contextmanager
def writing(
    context: ImportContext,
    files: FileStore,
    records: RunRecords,
    clock: Clock,
    observer: Observer,
    cut_end: int,
) -> Iterator[RunOutputs]:
    """Outputs that are kept once the block ends without an error."""
    settings, run_id = context.settings, context.run.run_id
    packer = FilePacker(
        files.archive(run_id),
        released_up_to=context.previous.cut_end,
        file_bytes=settings.file_bytes,
        archive_bytes=settings.archive_bytes,
    )
    packer.reserve(_touched_bytes(context, cut_end))
    with records.writer(run_id) as writer, packer:
        yield RunOutputs(
            context=context,
            files=files,
            packer=packer,
            recorder=RunRecorder(writer, clock, context.erp.rule.apply_lag),
            observer=observer,
        )


def _spare_row(statement: LocationStatement) -> dict[str, int]:
    """A row that says what NewStore has already; none where all are sent anyway.

    Rather one of which no unit is on its way: under `immediate` a row overwrites what ships.
    """
    quantities = statement.cut.quantities
    sent = statement.selection.products | statement.mispicks.failed.keys()
    if quantities.keys() <= sent:
        return {}
    busy = {p.unit.product_id for p in statement.cut.parts}
    for avoided in (sent | busy, sent):
        for product, units in quantities.items():
            row = {product: sendable(units)}
            if product not in avoided and not unsendable_rows(row):
                return row
    return {}


def _touched_bytes(context: ImportContext, cut_end: int) -> int:
    """Room for the rows of all events that the range releases, whichever location comes last."""

    def size(open_event: OpenEvent) -> int:
        event = open_event.event
        place = context.locations.get(event.location_id)
        if place is None or open_event.counted_by or event.logical_timestamp > cut_end:
            return 0
        products = {item.product_id for item in event.items} if event.completed else set()
        return sum(row_bytes_max(place.fulfillment_node_id, len(product)) for product in products)

    return sum(size(e) for events in context.open_events.values() for e in events)


def _ledger(run_id: str, statement: LocationStatement, left: frozenset[str]) -> Ledger:
    """What NewStore will have: a row without room keeps its last quantity, or none at all."""
    cut, base = statement.cut, statement.base
    quantities: Mapping[str, Units] = cut.quantities
    if left:
        before = base.quantities if base else {}
        gone = statement.in_doubt - cut.quantities.keys()
        kept = {p: before.get(p, 0) for p in left if p in before or p in gone}
        stated = {p: units for p, units in cut.quantities.items() if p not in left}
        quantities = dict(sorted({**stated, **kept}.items()))
    sent = statement.selection.products - left if left else statement.selection.products
    lacking = _lacking(cut, base, left)
    return Ledger(
        location_id=cut.location_id,
        run_id=run_id,
        quantities=quantities,
        sent=sent,
        lacking=lacking,
        unowned={u: p for u, p in cut.unowned.items() if u in lacking and p not in sent},
        mispicks_over=statement.mispicks.over,
    )


def _lacking(cut: LocationCut, base: Ledger | None, left: frozenset[str]) -> frozenset[UnitId]:
    """The units that the ledger's quantities are without, row by row."""
    if not left:
        return cut.lacking
    of_left = {p.unit.unit for p in cut.parts if p.unit.product_id in left}
    before = base.lacking if base else frozenset()
    return (cut.lacking - of_left) | (before & of_left)


def _says_the_same(base: Ledger, ledger: Ledger) -> bool:
    same = base.last == ledger.last and base.mispicks_over == ledger.mispicks_over
    return same and not ledger.sent
