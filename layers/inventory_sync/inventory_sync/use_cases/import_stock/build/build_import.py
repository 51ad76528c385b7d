"""Build: read the ERP location by location, cut, guard, select and pack what a run sends."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property

from inventory_sync.domain.cut import AppliedRule, cut_snapshot, roll_forward
from inventory_sync.domain.errors import (
    FatalError,
    RejectedError,
    RetriableError,
)
from inventory_sync.domain.events import OpenEvent
from inventory_sync.domain.guards import GuardLimits
from inventory_sync.domain.import_run import ImportRun
from inventory_sync.domain.locations import InventoryMaster, Location
from inventory_sync.domain.manifest import (
    Basis,
    FeedPosition,
    Ledger,
    LocationEntry,
    Manifest,
)
from inventory_sync.domain.row_selection import select_rows
from inventory_sync.domain.run_record import BaseFigures
from inventory_sync.domain.stock import StockSnapshot
from inventory_sync.domain.unlisted import carry_forward_unlisted
from inventory_sync.domain.erp import ChangeFeed
from inventory_sync.domain.import_head import ImportHead
from inventory_sync.ports.erp import Erp
from inventory_sync.ports.events import EventLog
from inventory_sync.ports.files import FileStore, RunRecords
from inventory_sync.ports.locations import RunLocations
from inventory_sync.ports.newstore import NewStore
from inventory_sync.ports.observe import Clock, Observer, RemainingSeconds
from inventory_sync.use_cases.import_stock.build.cut_ends import CutEnds
from inventory_sync.use_cases.import_stock.build.file_packer import FILE_BYTES, FilePacker
from inventory_sync.use_cases.import_stock.build.last_known import LastKnown
from inventory_sync.use_cases.import_stock.build.read_ahead import read_ahead
from inventory_sync.use_cases.import_stock.build.read_stock import Fetched, LeftOut, ReadLimits, StockReader
from inventory_sync.use_cases.import_stock.build.record_run import RunRecorder
from inventory_sync.use_cases.import_stock.build.run_tally import Tally
from inventory_sync.use_cases.import_stock.build.stock_source import Known, Reading, StockSource

_NEVER = timedelta(days=36_500)
ARCHIVE_BYTES = 400_000_000
"""Past this no further location is read; with what is under way it stays below NewStore's 500 MB
for all files of a job (docs/newstore.md, Import)."""
_ARCHIVE_FULL = LeftOut("the archive is full: it comes first in the next run")


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
    location_store: RunLocations
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
        self.remaining_seconds = remaining_seconds
        self.settings = deps.settings
        self.half_time = (remaining_seconds() + deps.settings.spare_seconds) / 2
        self.map = deps.location_store.locations()
        resends = deps.location_store.resends()
        first = Manifest(run_id="", cut_end=self.settings.first_logical_timestamp)
        finished = self._manifest(head.finished_run_id, first)
        self.previous = finished.moved_back(head.watermark, head.watermarks_set)
        nothing = Manifest(run_id="", cut_end=0)
        self.unfinished = self._manifest(head.unfinished_run_id, nothing)
        self.last = LastKnown(
            files=deps.files,
            previous=self.previous,
            unfinished=self.unfinished,
            resends=resends,
        )
        self.cut_ends = CutEnds(
            tenant_scope=self.settings.tenant_scope,
            first_logical_timestamp=self.settings.first_logical_timestamp,
            previous=self.previous,
            unfinished=self.unfinished,
            tenant_watermark=head.watermark,
            settled_before=run.planned_at - self.settings.settle,
            observer=deps.observer,
        )
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

    def _manifest(self, run_id: str | None, otherwise: Manifest) -> Manifest:
        return self.deps.files.manifest(run_id) if run_id else otherwise

    def _rule(self) -> tuple[AppliedRule, str]:
        """When an event shows in a snapshot; without the ERP's word on it no snapshot is used."""
        lags = self.settings.other_channel_lags
        try:
            capabilities = self.deps.erp.capabilities()
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
        ids = [place.location_id for place in places]
        cut_ends = self.cut_ends.choose(ids, self.open_by_location, blocked)
        archive = self.deps.files.archive(self.run.run_id)
        tally = Tally()
        with (
            self.deps.records.writer(self.run.run_id) as writer,
            FilePacker(
                archive,
                tenant_scope=self.settings.tenant_scope,
                file_bytes=self.settings.file_bytes,
            ) as packer,
            closing(read_ahead(self._gather, places, self.settings.reads_at_once)) as gathering,
        ):
            into = _Into(packer, RunRecorder(writer, self.deps.clock, self.rule.apply_lag), tally)
            more: set[str] = set()
            for place, gathered in gathering:
                if more and place.location_id in self.previous.locations:
                    break
                if self._must_exclude_from_cut(place, blocked):
                    return self.locations_without_baseline
                self.keep_lease()
                needs = self._add(place, gathered(), cut_ends[place.location_id], into)
                if needs and self.settings.tenant_scope and place.location_id not in blocked:
                    more.add(place.location_id)
            if more:
                return frozenset(more) if self._early() else self.locations_without_baseline | more
            packer.finish()
        self._close_elsewhere(places, tally)
        return self._built(cut_ends, packer, tally)

    def _early(self) -> bool:
        """Whether less than half of the time for reading is over."""
        return self.remaining_seconds() >= self.half_time

    @cached_property
    def locations_without_baseline(self) -> frozenset[str]:
        """Locations with events of which NewStore has no quantity yet."""
        told = self.previous.locations.keys() | self.unfinished.locations.keys()
        return frozenset(self.open_by_location) - told

    def _must_exclude_from_cut(self, place: Location, blocked: frozenset[str]) -> bool:
        """Whether the cut end has to stay below the place's events, as it may not be read in time.

        Were that found out at the end only, no time would be left to build anything else, and the
        next run would fare no better: a chain too large for one invocation would never begin.
        """
        if not self.settings.tenant_scope or self._early():
            return False
        return place.location_id in self.locations_without_baseline and place.location_id not in blocked

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

    def _gather(self, place: Location) -> "_Gathered":
        """What has to be waited for: the last quantities and the ERP's; may run in a thread."""
        base, known = self.last.base(place.location_id), None
        if self.archive_full:
            return _Gathered(base, _ARCHIVE_FULL)
        entry = self.previous.locations.get(place.location_id)
        feed = entry.feed if entry else None
        if base and feed and feed.erp_location == place.erp_location and not self.run.full:
            known = Known(base.quantities, feed.cursor)
        return _Gathered(base, self.reader.fetch(place, known))

    def _add(self, place: Location, gathered: "_Gathered", cut_end: int, into: "_Into") -> bool:
        """Add one location; True where it has events to release but no quantity at all."""
        location_id = place.location_id
        entry = self.previous.locations.get(location_id)
        base = gathered.base
        doubtful = self.last.doubtful(self.run, location_id, base)
        fetched = _ARCHIVE_FULL if self.archive_full else gathered.fetched
        kept = base.quantities if base and not self.absent_means_zero else {}
        reading = self.reader.judge(place, entry, fetched, kept)
        # Read after the snapshot, so that every acknowledgement before it is known.
        events = self.deps.event_log.open_events_of(location_id)
        watermark = self.cut_ends.watermark(location_id)
        feed = None
        if isinstance(reading, Reading):
            snapshot = self._filled(reading.snapshot, base, events, cut_end)
            feed = FeedPosition(place.erp_location, reading.cursor) if reading.cursor else None
            basis, as_of = Basis.SNAPSHOT, snapshot.as_of - self.rule.apply_lag
            figures = BaseFigures(basis, snapshot.on_hand_units, snapshot.as_of)
            cut = cut_snapshot(
                snapshot, events, cut_end=cut_end, watermark=watermark, rule=self.rule
            )
        elif (last := self.last.quantities(location_id, base)) is not None:
            basis, as_of = Basis.ROLLED_FORWARD, last[0]
            figures = BaseFigures(basis, last[1].quantities, as_of, last[1].run_id)
            cut = roll_forward(
                location_id, last[1].quantities, events, cut_end=cut_end, watermark=watermark
            )
        else:
            return any(
                e.event.completed
                and e.counted_by is None
                and self.cut_ends.start(location_id) < e.event.logical_timestamp <= cut_end
                for e in events
            )
        selection = select_rows(
            cut,
            last_sent=base.quantities if base else None,
            dirty=doubtful,
            full=self.run.full,
            from_snapshot=basis is Basis.SNAPSHOT,
        )
        released = self.cut_ends.range(cut)
        into.packer.add(place, selection, released, self.cut_ends.start(location_id))
        self.archive_full = into.packer.bytes > self.settings.archive_bytes
        into.recorder.add(figures, events, cut, selection, released)
        entry = LocationEntry(
            cut_end=cut_end,
            basis=basis,
            as_of=as_of,
            ledger_run_id=self.last.keep(self.run, cut, selection.products, base),
            rows=len(cut.quantities),
            units=cut.totals.units,
            feed=feed,
        )
        into.tally.add(cut, selection.clamped, entry)
        return False

    def _filled(
        self,
        snapshot: StockSnapshot,
        base: Ledger | None,
        events: list[OpenEvent],
        cut_end: int,
    ) -> StockSnapshot:
        """With what it leaves out, where the ERP says that this need not be none."""
        if self.absent_means_zero:
            return snapshot
        last = self.last.ever(snapshot.location_id, base)
        return carry_forward_unlisted(
            snapshot,
            last.quantities if last else {},
            events,
            cut_end=cut_end,
            rule=self.rule,
            counted=self.last.counted_by_attempt(last),
        )

    def _close_elsewhere(self, places: list[Location], tally: Tally) -> None:
        """Events of locations that are in the map but not imported wait for no import."""
        imported = {place.location_id for place in places}
        before = self.run.planned_at - self.settings.settle
        for location_id in sorted(frozenset(self.map) - imported):
            for open_event in self.open_by_location.get(location_id, []):
                applied = self.rule.applied(open_event, before)
                if applied and open_event.forwarded_at is not None and open_event.event.completed:
                    tally.closed.append(open_event.event.ref)

    def _built(self, cut_ends: Mapping[str, int], packer: FilePacker, tally: Tally) -> ImportRun:
        run_id = self.run.run_id
        cut_end = max([self.previous.cut_end, *cut_ends.values()])
        manifest = Manifest(run_id=run_id, cut_end=cut_end, locations=tally.entries)
        self.deps.files.save_manifest(manifest)
        self.deps.files.save_finalization(run_id, tally.finalization())
        self.reader.clear_old_holds()
        tally.count(self.deps.observer, self.reader.left_out)
        built = tally.built(self.run, cut_end, packer, self.reader.left_out)
        return replace(
            built,
            source_uri=self.deps.files.archive_uri(run_id) if packer.files else "",
            approvals=dict(sorted(self.reader.used_approvals.items())),
        )


@dataclass(frozen=True, slots=True)
class _Gathered:
    """A location's quantities as of the last finished import, and what the ERP says."""

    base: Ledger | None
    fetched: Fetched


@dataclass(frozen=True, slots=True)
class _Into:
    """Where the locations of a run are added to."""

    packer: FilePacker
    recorder: RunRecorder
    tally: Tally
