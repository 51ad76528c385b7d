"""Build: what a run sends, from the ERP's stock and the open events, as a pipeline of values.

    load_context -> choose_cut -> for each location: gather -> state_location -> outputs.add

A location that turns out to have no quantity at all, though the cut end lies past its events, has
the cut end chosen again, below them.
"""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

from inventory_sync.domain.import_head import ImportHead
from inventory_sync.domain.import_run import ImportRun
from inventory_sync.domain.locations import Location
from inventory_sync.ports.erp import ErpStock
from inventory_sync.ports.events import EventLog, UnstoredCompletions
from inventory_sync.ports.files import FileStore, RunRecords
from inventory_sync.ports.locations import RunLocations
from inventory_sync.ports.newstore import NewStore
from inventory_sync.ports.observe import Clock, Observer, RemainingSeconds
from inventory_sync.ports.reads import KeptReads
from inventory_sync.use_cases.import_stock.build_import.choose_cut import choose_cut, has_outlier
from inventory_sync.use_cases.import_stock.build_import.context import ImportContext, load_context
from inventory_sync.use_cases.import_stock.build_import.gather import Gathered, LocationSource
from inventory_sync.use_cases.import_stock.build_import.outputs import RunOutputs, writing
from inventory_sync.use_cases.import_stock.build_import.read_ahead import read_ahead
from inventory_sync.use_cases.import_stock.build_import.settings import BuildSettings
from inventory_sync.use_cases.import_stock.build_import.state_location import (
    NoBaseline,
    state_location,
)

KeepLease = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Built:
    """The run with its files uploaded, or ended where there is nothing to send."""

    run: ImportRun


@dataclass(frozen=True, slots=True)
class NeedsLowerCut:
    """Locations without any quantity: the cut end has to stay below their events."""

    locations: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildImport:
    """Builds the files of a run; changes nothing but files and the list of held locations.

    With `kept` it takes the ERP's stock as it was read before, where it was.
    """

    event_log: EventLog
    erp: ErpStock
    newstore: NewStore
    files: FileStore
    records: RunRecords
    location_store: RunLocations
    unstored: UnstoredCompletions
    clock: Clock
    observer: Observer
    settings: BuildSettings
    kept: KeptReads | None = None

    def __call__(
        self,
        run: ImportRun,
        head: ImportHead,
        keep_lease: KeepLease,
        remaining_seconds: RemainingSeconds,
    ) -> ImportRun:
        """The run with its files uploaded, or ended where there is nothing to send."""
        half_time = (remaining_seconds() + self.settings.spare_seconds) / 2
        context = load_context(
            run,
            head,
            settings=self.settings,
            event_log=self.event_log,
            erp=self.erp,
            newstore=self.newstore,
            files=self.files,
            location_store=self.location_store,
            unstored=self.unstored,
        )
        source = LocationSource.of(
            context,
            erp=self.erp,
            event_log=self.event_log,
            files=self.files,
            location_store=self.location_store,
            clock=self.clock,
            observer=self.observer,
            remaining_seconds=remaining_seconds,
            kept=self.kept,
        )
        source.hold_unread()
        attempt = _Attempt(self, context, source, keep_lease, remaining_seconds, half_time)
        blocked = context.unmapped
        self.observer.count("CompletionsUnstored", len(context.unstored.found))
        self.observer.count("OutlierTimestamps", has_outlier(context, blocked))
        while True:
            match attempt.build(blocked):
                case Built(built):
                    return built
                case NeedsLowerCut(locations):
                    blocked |= locations


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One run's build, tried again with a lower cut end where that is needed."""

    deps: BuildImport
    context: ImportContext
    source: LocationSource
    keep_lease: KeepLease
    remaining_seconds: RemainingSeconds
    half_time: float

    def build(self, blocked: frozenset[str]) -> Built | NeedsLowerCut:
        """All locations, stated as of one cut end."""
        deps, context = self.deps, self.context
        cut_end = choose_cut(context, blocked)
        self.source.hold_unknown(cut_end)
        ports = (deps.files, deps.records, deps.clock, deps.observer)
        with writing(context, *ports, cut_end) as outputs:
            missing = self._add_all(outputs, cut_end, blocked)
            if missing:
                return NeedsLowerCut(missing)
            outputs.clear_left_rows()
            outputs.packer.finish()
        outputs.close_elsewhere()
        return Built(outputs.finish(cut_end, self.source.reader))

    def _add_all(
        self, outputs: RunOutputs, cut_end: int, blocked: frozenset[str]
    ) -> frozenset[str]:
        """Returns the locations that turned out to have no quantity, where they need one."""
        context, missing = self.context, set[str]()

        def gather(place: Location) -> Gathered:
            return self.source.gather(place, archive_full=outputs.full_for(place))

        places = context.places()
        at_once = context.settings.reads_at_once
        with closing(read_ahead(gather, places, at_once)) as gathering:
            for place, gathered in gathering:
                if missing and place.location_id in context.previous.locations:
                    break
                if self._must_exclude_from_cut(place, blocked):
                    return context.without_baseline
                self.keep_lease()
                inputs = self.source.inputs(
                    place,
                    gathered(),
                    archive_full=outputs.full_for(place),
                    refresh=not outputs.packer.refresh_full,
                )
                statement = state_location(context, inputs, cut_end)
                if not isinstance(statement, NoBaseline):
                    outputs.add(statement)
                    continue
                if statement.lost:
                    outputs.carry(place)
                if statement.passed and place.location_id not in blocked:
                    missing.add(place.location_id)
        if missing and not self._early():
            return context.without_baseline | missing
        return frozenset(missing)

    def _must_exclude_from_cut(self, place: Location, blocked: frozenset[str]) -> bool:
        """Whether the cut end has to stay below the place's events, as it may not be read in time.

        Were that found out at the end only, no time would be left to build anything else, and the
        next run would fare no better: a chain too large for one invocation would never begin.
        """
        needs_first_quantity = self.context.without_baseline - blocked
        return not self._early() and place.location_id in needs_first_quantity

    def _early(self) -> bool:
        """Whether less than half of the time for reading is over."""
        return self.remaining_seconds() >= self.half_time
