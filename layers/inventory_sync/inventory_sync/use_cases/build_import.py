"""Build: read the ERP location by location, cut, guard, select and pack what a run sends."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property

from inventory_sync.domain.cut import (
    AppliedRule,
    LocationCut,
    LogicalRange,
    choose_cut_end,
    cut_snapshot,
    equal_timestamps,
    roll_forward,
)
from inventory_sync.domain.errors import (
    FatalError,
    InvariantError,
    RejectedError,
    RetriableError,
)
from inventory_sync.domain.events import EventRef, OpenEvent, logical_timestamp
from inventory_sync.domain.guards import GuardLimits
from inventory_sync.domain.import_run import ImportRun, RunState
from inventory_sync.domain.locations import InventoryMaster, Location
from inventory_sync.domain.manifest import (
    Basis,
    FeedPosition,
    Ledger,
    LocationEntry,
    Manifest,
    Settlement,
)
from inventory_sync.domain.row_selection import select_rows
from inventory_sync.domain.run_record import BaseFigures
from inventory_sync.domain.stock import StockSnapshot, units_of
from inventory_sync.domain.unlisted import fill_in
from inventory_sync.ports import (
    ChangeFeed,
    Clock,
    Erp,
    EventLog,
    FileStore,
    ImportHead,
    LocationStore,
    NewStore,
    Observer,
    RemainingSeconds,
    RunRecords,
)
from inventory_sync.use_cases.file_packer import FILE_BYTES, FilePacker
from inventory_sync.use_cases.read_ahead import read_ahead
from inventory_sync.use_cases.read_stock import Fetched, LeftOut, ReadLimits, StockReader
from inventory_sync.use_cases.record_run import RunRecorder
from inventory_sync.use_cases.stock_source import Known, Reading, StockSource

_NEVER = timedelta(days=36_500)
ARCHIVE_BYTES = 400_000_000
"""Past this no further location is read; with what is under way it stays below NewStore's 500 MB
for all files of a job (docs/newstore.md, Import)."""
_ARCHIVE_FULL = LeftOut("the archive is full: it comes first in the next run")
LEFT_OUT_NAMED_MAX = 200
REASON_CHARACTERS_MAX = 500
"""A run's record has to fit a table item; the metric has the number of all left out."""
RELEASING_LOCATIONS_MAX = 900
"""Under location scope each releasing location has a file; a zip holds 1,000."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildSettings:
    """`settle` is the settle window plus what clocks may differ by.

    `spare_seconds` is kept back of the invocation for uploading and starting the job. Up to
    `reads_at_once` locations are read from the ERP while another one is cut and packed.
    """

    tenant_scope: bool
    first_logical_timestamp: int
    settle: timedelta
    other_channel_lags: Mapping[str, timedelta]
    guards: GuardLimits
    spare_seconds: float = 120.0
    reads_at_once: int = 1
    file_bytes: int = FILE_BYTES
    archive_bytes: int = ARCHIVE_BYTES
    approval_age_max: timedelta = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildImport:
    """Builds the files of a run; changes nothing but files and the list of held locations."""

    event_log: EventLog
    erp: Erp
    newstore: NewStore
    files: FileStore
    records: RunRecords
    location_store: LocationStore
    clock: Clock
    observer: Observer
    settings: BuildSettings

    def __call__(
        self,
        run: ImportRun,
        head: ImportHead,
        keep_lease: Callable[[], None],
        remaining_seconds: RemainingSeconds,
    ) -> ImportRun:
        """The run with its files uploaded, or ended where there is nothing to send."""
        attempt = _Attempt(self, run, head, keep_lease, remaining_seconds)
        blocked: frozenset[str] = frozenset()
        while True:
            built = attempt.build(blocked)
            if isinstance(built, ImportRun):
                return built
            blocked |= built


class _Attempt:
    """What is read once for a run, however often its cut end has to be chosen again."""

    def __init__(
        self,
        deps: BuildImport,
        run: ImportRun,
        head: ImportHead,
        keep_lease: Callable[[], None],
        remaining_seconds: RemainingSeconds,
    ) -> None:
        self.deps = deps
        self.run = run
        self.head = head
        self.keep_lease = keep_lease
        self.settings = deps.settings
        self.map = deps.location_store.locations()
        self.resends = deps.location_store.resends()
        first = Manifest(run_id="", cut_end=self.settings.first_logical_timestamp)
        finished = head.finished_run_id
        self.previous = deps.files.manifest(finished) if finished else first
        nothing = Manifest(run_id="", cut_end=0)
        unfinished = head.unfinished_run_id
        self.unfinished = deps.files.manifest(unfinished) if unfinished else nothing
        self.open_by_location: dict[str, list[OpenEvent]] = defaultdict(list)
        for open_event in deps.event_log.open_events():
            self.open_by_location[open_event.event.location_id].append(open_event)
        self.fed = self.archive_full = False
        self.absent_means_zero = True
        self.rule, erp_failure = self._rule()
        self.reader = StockReader(
            source=StockSource(erp=deps.erp, event_log=deps.event_log, fed=self.fed),
            location_store=deps.location_store,
            observer=deps.observer,
            limits=ReadLimits(
                guards=self.settings.guards,
                spare_seconds=self.settings.spare_seconds,
                approval_age_max=self.settings.approval_age_max,
            ),
            run=run,
            known_nodes=deps.newstore.known_nodes(),
            apply_lag=self.rule.apply_lag,
            erp_failure=erp_failure,
            remaining_seconds=remaining_seconds,
        )

    def _rule(self) -> tuple[AppliedRule, str]:
        """When an event shows in a snapshot; without the ERP's word on it no snapshot is used."""
        lags = self.settings.other_channel_lags
        try:
            capabilities = self.deps.erp.capabilities()
        except InvariantError:
            raise
        except (RetriableError, RejectedError, FatalError) as error:
            return AppliedRule(_NEVER, lags), str(error)
        self.fed = capabilities.change_feed is not ChangeFeed.NONE
        self.absent_means_zero = capabilities.absent_means_zero
        return AppliedRule(capabilities.apply_lag, lags), ""

    def build(self, blocked: frozenset[str]) -> ImportRun | frozenset[str]:
        """The run, or more locations without any quantity that the cut end must stay below."""
        self.archive_full = False
        places = self._places()
        blocked |= self._blocked_by_map()
        cut_ends = self._cut_ends(places, blocked)
        archive = self.deps.files.archive(self.run.run_id)
        with (
            self.deps.records.writer(self.run.run_id) as writer,
            FilePacker(
                archive,
                tenant_scope=self.settings.tenant_scope,
                file_bytes=self.settings.file_bytes,
            ) as packer,
            closing(read_ahead(self._gather, places, self.settings.reads_at_once)) as gathering,
        ):
            tally = _Tally(RunRecorder(writer, self.deps.clock, self.rule.apply_lag))
            more: set[str] = set()
            for place, gathered in gathering:
                if more and place.location_id in self.previous.locations:
                    break
                self.keep_lease()
                needs = self._add(place, gathered(), cut_ends[place.location_id], packer, tally)
                if needs and self.settings.tenant_scope and place.location_id not in blocked:
                    more.add(place.location_id)
            if more:
                return frozenset(more)
            packer.finish()
        self._close_elsewhere(places, tally)
        return self._built(cut_ends, packer, tally)

    def _places(self) -> list[Location]:
        """Imported locations: those never imported first, then the longest waiting.

        One that was imported and is not any more stays, unless NewStore is its master by now: what
        a range releases there has to be taken off its last quantities all the same. An import
        that did not finish may have brought quantities there too.
        """
        at_newstore = self.previous.locations.keys() | self.unfinished.locations.keys()

        def order(place: Location) -> tuple[bool, str, str]:
            entry = self.previous.locations.get(place.location_id)
            return (entry is not None, entry.as_of.isoformat() if entry else "", place.location_id)

        return sorted(
            (
                place
                for place in self.map.values()
                if place.imported
                or (
                    place.location_id in at_newstore
                    and place.inventory_master is InventoryMaster.ERP
                )
            ),
            key=order,
        )

    def _blocked_by_map(self) -> frozenset[str]:
        """Locations with events that the map does not know: nothing can be sent for them.

        Those that NewStore is the master of are held too, but nothing has to be sent for them.
        """
        unmapped = frozenset(self.open_by_location) - frozenset(self.map)
        mastered = {i for i, place in self.map.items() if place.enabled and not place.imported}
        for location_id in sorted(unmapped | mastered):
            self.reader.hold_unread(location_id, self.map.get(location_id))
        return unmapped if self.settings.tenant_scope else frozenset()

    def _cut_ends(self, places: list[Location], blocked: frozenset[str]) -> dict[str, int]:
        """The cut end of each location: one for all under tenant scope."""
        settled_before = self.run.planned_at - self.settings.settle
        ids = [place.location_id for place in places]
        if self.settings.tenant_scope:
            concerned = {*ids, *blocked}
            events = [e for i in sorted(concerned) for e in self.open_by_location.get(i, [])]
            self.deps.observer.count("EqualLogicalTimestamps", equal_timestamps(events))
            end = choose_cut_end(
                events,
                settled_before=settled_before,
                floor=max(self.previous.cut_end, self.unfinished.cut_end),
                blocked=blocked,
            )
            return dict.fromkeys(ids, end)
        ends, releasing = {}, 0
        for location_id in ids:
            start = self._start(location_id)
            attempted = self.unfinished.locations.get(location_id)
            floor = max(start, attempted.cut_end if attempted else 0)
            if releasing < RELEASING_LOCATIONS_MAX:
                floor = choose_cut_end(
                    self.open_by_location.get(location_id, []),
                    settled_before=settled_before,
                    floor=floor,
                )
            releasing += floor > start
            ends[location_id] = floor
        return ends

    def _start(self, location_id: str) -> int:
        """Up to where the location's events are already released."""
        if self.settings.tenant_scope:
            return self.previous.cut_end
        entry = self.previous.locations.get(location_id)
        return entry.cut_end if entry else self.settings.first_logical_timestamp

    def _watermark(self, location_id: str) -> int | None:
        """None before the first finished import, when no event can be late."""
        if self.settings.tenant_scope:
            return self.head.watermark
        entry = self.previous.locations.get(location_id)
        return entry.cut_end if entry else None

    def _range(self, cut: LocationCut) -> LogicalRange:
        """From what is released already, or from a late event where one is being corrected.

        The range that passed over a late event may not have released it: where NewStore lets a
        range act on the locations of its file, the event's location need not have been in one. One
        less than the event's own, in case the start is not included. For the same reason a location
        that was in no import yet starts where the first range did.
        """
        starts = [self._start(cut.location_id)]
        if cut.location_id not in self.previous.locations:
            starts.append(self.settings.first_logical_timestamp)
        starts += (max(0, logical_timestamp(ref) - 1) for ref in cut.late)
        return LogicalRange(min(starts), cut.cut_end)

    def _gather(self, place: Location) -> "_Gathered":
        """What has to be waited for: the last quantities and the ERP's; may run in a thread."""
        entry = self.previous.locations.get(place.location_id)
        if entry is None:
            return _Gathered(None, self.reader.fetch(place, None))
        base = self.deps.files.ledger(place.location_id, entry.ledger_run_id)
        known = None
        if self.archive_full:
            return _Gathered(base, _ARCHIVE_FULL)
        feed = entry.feed
        if base and feed and feed.erp_location == place.erp_location and not self.run.full:
            known = Known(base.quantities, feed.cursor)
        return _Gathered(base, self.reader.fetch(place, known))

    def _add(
        self,
        place: Location,
        gathered: "_Gathered",
        cut_end: int,
        packer: FilePacker,
        tally: "_Tally",
    ) -> bool:
        """Add one location; True where it has events to release but no quantity at all."""
        location_id = place.location_id
        entry = self.previous.locations.get(location_id)
        base = gathered.base
        dirty = self._dirty(location_id) | self._asked(location_id, base)
        if entry is None:
            dirty |= self._once_sent(location_id)
        fetched = _ARCHIVE_FULL if self.archive_full else gathered.fetched
        kept = base.quantities if base and not self.absent_means_zero else {}
        reading = self.reader.judge(place, entry, fetched, kept)
        # Read after the snapshot, so that every acknowledgement before it is known.
        events = self.deps.event_log.open_events_of(location_id)
        watermark = self._watermark(location_id)
        feed = None
        if isinstance(reading, Reading):
            snapshot = self._filled(reading.snapshot, entry, base, events, cut_end)
            feed = FeedPosition(place.erp_location, reading.cursor) if reading.cursor else None
            basis, as_of = Basis.SNAPSHOT, snapshot.as_of - self.rule.apply_lag
            figures = BaseFigures(basis, snapshot.on_hand_units, snapshot.as_of)
            cut = cut_snapshot(
                snapshot, events, cut_end=cut_end, watermark=watermark, rule=self.rule
            )
        elif (last := self._last_quantities(location_id, entry, base)) is not None:
            basis, as_of = Basis.ROLLED_FORWARD, last[0]
            figures = BaseFigures(basis, last[1].quantities, as_of, last[1].run_id)
            cut = roll_forward(
                location_id, last[1].quantities, events, cut_end=cut_end, watermark=watermark
            )
        else:
            return any(
                e.event.completed
                and e.released_by is None
                and self._start(location_id) < e.event.logical_timestamp <= cut_end
                for e in events
            )
        selection = select_rows(
            cut,
            last_sent=base.quantities if base else None,
            dirty=dirty,
            full=self.run.full,
            from_snapshot=basis is Basis.SNAPSHOT,
        )
        released = self._range(cut)
        packer.add(place, selection, released, self._start(location_id))
        self.archive_full = packer.bytes > self.settings.archive_bytes
        tally.recorder.add(figures, events, cut, selection, released)
        sent = frozenset({*selection.touched, *selection.others})
        ledger_run_id = self._keep_ledger(cut, sent, base)
        entry = LocationEntry(
            cut_end=cut_end,
            basis=basis,
            as_of=as_of,
            ledger_run_id=ledger_run_id,
            rows=len(cut.quantities),
            units=units_of(cut.quantities),
            feed=feed,
        )
        tally.add(cut, selection.clamped, entry)
        return False

    def _filled(
        self,
        snapshot: StockSnapshot,
        entry: LocationEntry | None,
        base: Ledger | None,
        events: list[OpenEvent],
        cut_end: int,
    ) -> StockSnapshot:
        """With what it leaves out, where the ERP says that this need not be none."""
        if self.absent_means_zero:
            return snapshot
        last = self._last_quantities(snapshot.location_id, entry, base)
        ledger = last[1] if last else self.deps.files.latest_ledger(snapshot.location_id)
        attempted = ledger is not None and ledger.run_id == self.unfinished.run_id
        return fill_in(
            snapshot,
            ledger.quantities if ledger else {},
            events,
            cut_end=cut_end,
            rule=self.rule,
            counted=self._attempt_counted if attempted else (),
        )

    @cached_property
    def _attempt_counted(self) -> frozenset[tuple[str, str]]:
        """The events that the run which did not finish had counted."""
        return frozenset(self.deps.files.settlement(self.unfinished.run_id).counted)

    def _last_quantities(
        self, location_id: str, entry: LocationEntry | None, base: Ledger | None
    ) -> tuple[datetime, Ledger] | None:
        """What a location without a snapshot is rolled forward from, and its as-of.

        An attempted import that read a newer snapshot comes first, as it may have reached
        NewStore. The units it had counted are subtracted once more, so the error is low until the
        next snapshot.
        """
        attempted = self.unfinished.locations.get(location_id)
        if attempted is not None and (entry is None or attempted.as_of > entry.as_of):
            ledger = self.deps.files.ledger(location_id, attempted.ledger_run_id)
            if ledger is not None:
                return attempted.as_of, ledger
        return (entry.as_of, base) if entry is not None and base is not None else None

    def _dirty(self, location_id: str) -> frozenset[str]:
        entry = self.unfinished.locations.get(location_id)
        if entry is None:
            return frozenset()
        ledger = self.deps.files.ledger(location_id, self.unfinished.run_id)
        return frozenset(ledger.sent) if ledger else frozenset()

    def _asked(self, location_id: str, base: Ledger | None) -> frozenset[str]:
        """Rows that an operator wants sent again; all the location has where none is named."""
        asked = self.resends.get(location_id)
        if asked is None or asked.at > self.run.planned_at:
            return frozenset()
        return frozenset(asked.products or (base.quantities if base else ()))

    def _once_sent(self, location_id: str) -> frozenset[str]:
        """Products that an import before a fresh start may have left at NewStore."""
        ledger = self.deps.files.latest_ledger(location_id)
        return frozenset(ledger.quantities) if ledger else frozenset()

    def _keep_ledger(self, cut: LocationCut, sent: frozenset[str], base: Ledger | None) -> str:
        """An unchanged location keeps the ledger it has until the next full refresh.

        So no ledger in use is older than the files' retention, and S3 may expire them by age.
        """
        if (
            base is not None
            and not self.run.full
            and not sent
            and base.quantities == cut.quantities
        ):
            return base.run_id
        run_id = self.run.run_id
        self.deps.files.save_ledger(
            Ledger(location_id=cut.location_id, run_id=run_id, quantities=cut.quantities, sent=sent)
        )
        return run_id

    def _close_elsewhere(self, places: list[Location], tally: "_Tally") -> None:
        """Events of locations that are in the map but not imported wait for no import."""
        imported = {place.location_id for place in places}
        before = self.run.planned_at - self.settings.settle
        for location_id in sorted(frozenset(self.map) - imported):
            for open_event in self.open_by_location.get(location_id, []):
                applied = self.rule.applied(open_event, before)
                if applied and open_event.forwarded_at is not None and open_event.event.completed:
                    tally.closed.append(open_event.event.ref)

    def _built(self, cut_ends: Mapping[str, int], packer: FilePacker, tally: "_Tally") -> ImportRun:
        run_id = self.run.run_id
        cut_end = max([self.previous.cut_end, *cut_ends.values()])
        manifest = Manifest(run_id=run_id, cut_end=cut_end, locations=tally.entries)
        self.deps.files.save_manifest(manifest)
        self.deps.files.save_settlement(
            run_id,
            Settlement(
                counted=_pairs(tally.counted), closed=_pairs(tally.closed), late=_pairs(tally.late)
            ),
        )
        self.reader.clear_old_holds()
        left_out = self.reader.left_out
        held = sum(left.held for left in left_out.values())
        self.deps.observer.count("LocationsHeld", held)
        unwanted = sum(not left.by_choice for left in left_out.values())
        self.deps.observer.count("LocationsLeftOut", unwanted)
        self.deps.observer.count("LateEvents", len(tally.late))
        self.deps.observer.count("RowsClamped", tally.clamped)
        state = RunState.UPLOADED
        if not packer.files:
            state = RunState.HELD if held and not tally.snapshots else RunState.FINISHED
        return replace(
            self.run,
            state=state,
            cut_end=cut_end,
            source_uri=self.deps.files.archive_uri(run_id) if packer.files else "",
            rows=packer.rows,
            files=packer.files,
            late_events=len(tally.late),
            clamped=tally.clamped,
            released_events=len(tally.counted),
            snapshots=tally.snapshots,
            left_out={
                place: left.reason[:REASON_CHARACTERS_MAX]
                for place, left in sorted(left_out.items())[:LEFT_OUT_NAMED_MAX]
            },
            approvals=dict(sorted(self.reader.used_approvals.items())),
        )


def _pairs(refs: list[EventRef]) -> tuple[tuple[str, str], ...]:
    return tuple((ref.location_id, ref.event_key) for ref in refs)


@dataclass(frozen=True, slots=True)
class _Gathered:
    """A location's quantities as of the last finished import, and what the ERP says."""

    base: Ledger | None
    fetched: Fetched


class _Tally:
    """What adds up over the locations of a run."""

    def __init__(self, recorder: RunRecorder) -> None:
        self.recorder = recorder
        self.entries: dict[str, LocationEntry] = {}
        self.counted: list[EventRef] = []
        self.closed: list[EventRef] = []
        self.late: list[EventRef] = []
        self.clamped = 0
        self.snapshots = 0

    def add(self, cut: LocationCut, clamped: int, entry: LocationEntry) -> None:
        """One location that is in the run."""
        self.entries[cut.location_id] = entry
        self.counted += cut.counted
        self.closed += cut.closed
        self.late += cut.late
        self.clamped += clamped
        self.snapshots += entry.basis is Basis.SNAPSHOT
