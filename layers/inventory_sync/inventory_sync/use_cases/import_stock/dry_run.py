"""Dry run: what an import would do now, by the import's own code, without any effect."""

import itertools
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from inventory_sync.domain.availabilities import PackedFile
from inventory_sync.domain.cut import Part
from inventory_sync.domain.errors import RejectedError
from inventory_sync.domain.holds import ALL_IMPORTS, LocationHold
from inventory_sync.domain.import_run import ImportRun
from inventory_sync.domain.manifest import Ledger, Manifest
from inventory_sync.domain.row_selection import sendable
from inventory_sync.domain.run_record import LocationRecord
from inventory_sync.ports.files import ScratchArchive
from inventory_sync.ports.observe import Clock, OnProgress, RemainingSeconds, unwatched
from inventory_sync.ports.runs import RunStore
from inventory_sync.use_cases.import_stock.build_import.build_import import BuildImport
from inventory_sync.use_cases.import_stock.dry_run_ports import DryFiles, DryLocations, DryRecords
from inventory_sync.use_cases.import_stock.plan_run import may_plan, plan_run, why_not_only


@dataclass(frozen=True, slots=True, kw_only=True)
class RowChange:
    """A row that would be sent, in units; `was` is None where NewStore has not been told any.

    `added_back` and `subtracted` are those of events that make the quantity exact.
    """

    location_id: str
    product_id: str
    was: int | None
    now: int
    added_back: int
    subtracted: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """`rows` are the first of those that change or that events concern; `unchanged` are others.

    `paused` says who has paused imports, and why: a real tick would do nothing.
    """

    run: ImportRun
    locations: tuple[LocationRecord, ...]
    rows: tuple[RowChange, ...]
    rows_unchanged: int
    held: Mapping[str, LocationHold]
    archive_bytes: int
    files: tuple[PackedFile, ...]
    paused: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRun:
    """`build` is the import's own; no more than `rows_max` rows are kept."""

    build: BuildImport
    runs: RunStore
    scratch: ScratchArchive
    clock: Clock
    rows_max: int

    def __call__(
        self,
        remaining_seconds: RemainingSeconds,
        *,
        full: bool = False,
        only: frozenset[str] = frozenset(),
        progress: OnProgress = unwatched,
    ) -> Rehearsal:
        """As `ImportStock` with the same arguments; RejectedError while a run is under way."""
        head = self.runs.head()
        if not may_plan(head) and head.run is not None:
            raise RejectedError(
                f"run {head.run.run_id} is {head.run.state}: an import would only go on with it;"
                " try again once it has ended, see `run last`"
            )
        places = self.build.location_store.locations()
        if why := why_not_only(only, places):
            raise RejectedError(why)
        reading = head.release.in_force(self.build.settings.reading)
        now = self.clock.now()
        run = plan_run(head, now=now, fencing_token=0, reading=reading, full=full, only=only)
        rehearsed = _Rehearsed(self.build, self._manifest(head.finished_run_id), self.rows_max)
        locations = DryLocations(self.build.location_store)
        build = replace(
            self.build,
            files=DryFiles(self.build.files, self.scratch, rehearsed.note),
            records=rehearsed.records,
            location_store=locations,
        )
        expected, done = sum(place.enabled for place in places.values()), itertools.count()
        built = build(run, head, lambda: progress(next(done), expected), remaining_seconds)
        archive_bytes, files = self.scratch.packed() if built.files else (0, ())
        paused = locations.operator_holds().get(ALL_IMPORTS)
        return Rehearsal(
            run=built,
            locations=tuple(rehearsed.records.written),
            rows=tuple(rehearsed.rows()),
            rows_unchanged=rehearsed.unchanged.total(),
            held=dict(sorted(locations.held.items())),
            archive_bytes=archive_bytes,
            files=files,
            paused=str(paused) if paused else "",
        )

    def _manifest(self, run_id: str | None) -> Manifest:
        return self.build.files.manifest(run_id) if run_id else Manifest(run_id="", cut_end=0)


@dataclass
class _Rehearsed:
    """What the build would keep; a location that is built again replaces itself."""

    build: BuildImport
    previous: Manifest
    rows_max: int
    records: DryRecords = field(default_factory=DryRecords)
    changes: dict[str, list[RowChange]] = field(default_factory=dict)
    unchanged: Counter[str] = field(default_factory=Counter)

    def note(self, ledger: Ledger) -> None:
        """Compare with what NewStore was last told."""
        location_id = ledger.location_id
        entry = self.previous.locations.get(location_id)
        last = self.build.files.ledger(location_id, entry.ledger_run_id) if entry else None
        added, subtracted = self._moved(location_id)
        self.changes[location_id], self.unchanged[location_id] = [], 0
        for product_id in sorted(ledger.sent):
            change = RowChange(
                location_id=location_id,
                product_id=product_id,
                was=sendable(last.quantities.get(product_id, 0)) if last else None,
                now=sendable(ledger.quantities.get(product_id, 0)),
                added_back=added[product_id],
                subtracted=subtracted[product_id],
            )
            if change.was == change.now and not (change.added_back or change.subtracted):
                self.unchanged[location_id] += 1
            elif len(self.changes[location_id]) < self.rows_max:
                self.changes[location_id].append(change)

    def rows(self) -> list[RowChange]:
        """By location and product, no more than are wanted."""
        found = [change for _, changes in sorted(self.changes.items()) for change in changes]
        return found[: self.rows_max]

    def _moved(self, location_id: str) -> tuple[Counter[str], Counter[str]]:
        """Units of its events by product: those added back, those subtracted."""
        added: Counter[str] = Counter()
        subtracted: Counter[str] = Counter()
        for record in self.records.written:
            for event in record.events if record.location_id == location_id else ():
                if event.part is Part.ADDED_BACK:
                    added.update(event.units)
                elif event.part is Part.SUBTRACTED:
                    subtracted.update(event.units)
        return added, subtracted
