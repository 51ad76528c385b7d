"""The import's use cases over the fakes, the simulators of both sides, and faults named in turn."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from random import Random
from types import MappingProxyType
from typing import Any, cast

from inventory_sync.adapters.newstore.event_body import parse_event
from inventory_sync.adapters.s3.scratch_archive import ZipOnDisk
from inventory_sync.domain.atp import AtpKey, StockInsights
from inventory_sync.domain.cut import AppliedRule
from inventory_sync.domain.erp import Changes, ErpCapabilities
from inventory_sync.domain.errors import (
    InventorySyncError,
    RejectedError,
    RetriableError,
    TooManyJobsError,
)
from inventory_sync.domain.events import EventRef, FulfillmentEvent, OpenEvent
from inventory_sync.domain.guards import HoldKind
from inventory_sync.domain.holds import ALL_IMPORTS, OperatorHold, Resend
from inventory_sync.domain.import_head import Lease
from inventory_sync.domain.import_run import ImportRun, JobChunk, JobError, RunState
from inventory_sync.domain.snapshot_guards import GuardLimits
from inventory_sync.domain.stock import StockSnapshot
from inventory_sync.ports.mode import ModeCheck
from inventory_sync.ports.observe import OnProgress, unwatched
from inventory_sync.use_cases.forward.forward_events import ForwardEvents
from inventory_sync.use_cases.import_stock.build_import.build_import import BuildImport
from inventory_sync.use_cases.import_stock.build_import.settings import BuildSettings
from inventory_sync.use_cases.import_stock.dry_run import DryRun, Rehearsal
from inventory_sync.use_cases.import_stock.fan_out import FanOut
from inventory_sync.use_cases.import_stock.import_stock import (
    ImportStock,
    ImportStockSettings,
    Tick,
)
from inventory_sync.use_cases.import_stock.read_locations import ReadLocations
from inventory_sync.use_cases.import_stock.set_watermark import SetWatermark
from local.erp.model import ErpModel
from local.newstore.availabilities import open_zip, read_file
from local.newstore.events import event_bytes
from local.newstore.locations import store
from local.newstore.model import NewStoreModel
from local.newstore.truth import RangeScope
from tests.availabilities import check_archive, checked
from tests.builders import DC, MINUTE, NOW, OPERATOR, SKU, approval, location
from tests.fakes.clock import FakeClock
from tests.fakes.event_log import FakeEventLog
from tests.fakes.import_state import FakeFileStore, FakeLeases, FakeLocationStore, FakeRunStore
from tests.fakes.kept_reads import FakeKeptReads, FakeReadExecutions
from tests.fakes.mode import never_a_shadow
from tests.fakes.observer import FakeObserver
from tests.fakes.quarantine import FakeQuarantine
from tests.fakes.run_history import FakeRunHistory
from tests.fakes.run_records import FakeRunRecords
from tests.fakes.unit_owners import FakeUnitOwners
from tests.simulation.ports import SimulatedErp, SimulatedNewStore

TENANT = "acme"
SETTLE = 15 * MINUTE


class PlannedFaults:
    """Each named fault strikes as often as it was planned."""

    def __init__(self) -> None:
        self.planned: Counter[str] = Counter()

    def plan(self, name: str, times: int = 1) -> None:
        self.planned[name] += times

    def retry_after_seconds(self) -> None:
        """NewStore does not say."""

    def strike(self, name: str) -> bool:
        if self.planned[name] == 0:
            return False
        self.planned[name] -= 1
        return True


class TestedErp(SimulatedErp):
    """The simulator, where a location may show something else, and all may be out of reach."""

    __test__ = False

    def __init__(self, world: "ImportWorld") -> None:
        super().__init__(cast(Any, world))
        self.shown: dict[str, StockSnapshot | Exception] = {}
        self.capabilities_fail_with: InventorySyncError | None = None
        self.snapshots_read: list[str] = []
        self.changes_fail_at: set[str] = set()
        self.unreadable: set[str] = set()
        """Products whose figure cannot be read."""
        self.on_read: Callable[[str], None] = lambda location_id: None

    def capabilities(self) -> ErpCapabilities:
        if self.capabilities_fail_with is not None:
            raise self.capabilities_fail_with
        return super().capabilities()

    def snapshot(self, location_id: str) -> StockSnapshot:
        self.snapshots_read.append(location_id)
        self.on_read(location_id)
        shown = self.shown.get(location_id)
        if isinstance(shown, Exception):
            raise shown
        return self._as_readable(shown or super().snapshot(location_id))

    def read(self, location_id: str, product_ids: frozenset[str]) -> StockSnapshot:
        return self._as_readable(super().read(location_id, product_ids))

    def _as_readable(self, found: StockSnapshot) -> StockSnapshot:
        faults = dict.fromkeys(self.unreadable & found.on_hand_units.keys(), "is not a number")
        return replace(found.without(faults.keys()), unreadable=faults) if faults else found

    def changes(self, location_id: str, cursor: str | None) -> Changes:
        if location_id in self.changes_fail_at:
            raise RetriableError("503")
        return super().changes(location_id, cursor)


class TestedNewStore(SimulatedNewStore):
    """The simulator, where faults of jobs are planned in its model; `refuses` names methods."""

    __test__ = False

    def __init__(self, world: "ImportWorld") -> None:
        super().__init__(cast(Any, world))
        self.faults = world.faults
        self.refuses: set[str] = set()
        self.retry_after_seconds: float | None = None
        """With this NewStore answers 429 to the next job."""

    def create_job(self, *, name: str, source_uri: str) -> str:
        self._refuse("create_job")
        if (seconds := self.retry_after_seconds) is not None:
            self.retry_after_seconds = None
            raise TooManyJobsError("20 open jobs", seconds)
        return super().create_job(name=name, source_uri=source_uri)

    def start_job(self, job_id: str, source_uri: str) -> None:
        self._refuse("start_job")
        self._reach()
        self._start(job_id, source_uri)

    def fail_job(self, job_id: str, reason: str) -> None:
        self._refuse("fail_job")
        super().fail_job(job_id, reason)

    def job_errors(self, job_id: str) -> list[JobError]:
        self._refuse("job_errors")
        return super().job_errors(job_id)

    def insights(self, key: AtpKey) -> StockInsights:
        self._refuse("insights")
        return super().insights(key)

    def job_chunks(self, job_id: str) -> list[JobChunk]:
        self._refuse("job_chunks")
        return super().job_chunks(job_id)

    def _refuse(self, method: str) -> None:
        if method in self.refuses:
            raise RejectedError(f"{method}: 400")


@dataclass(frozen=True)
class SentFile:
    """One file of an archive; rows are quantities by (location, product)."""

    released: tuple[int, int]
    nodes: set[str]
    rows: dict[tuple[str, str], int]


class ImportWorld:
    """Locations are known to everybody unless a test says otherwise; stock is the same at both."""

    def __init__(
        self,
        *places: str,
        known: tuple[str, ...] | None = None,
        apply_lag_seconds: float = 0,
        counter_lag: timedelta | None = None,
        first_logical_timestamp: int = 0,
        file_bytes: int = 16_000_000,
        change_feed: Any = "none",
        reads_at_once: int = 1,
        archive_bytes: int = 400_000_000,
        range_scope: RangeScope = "tenant",
        absent_means_zero: bool = True,
        fan_out: bool = False,
    ) -> None:
        self.places = places or (DC,)
        self.clock = FakeClock(NOW)
        self.rng = Random(0)
        self.faults = PlannedFaults()
        self.erp_model = ErpModel(
            self.clock.now, apply_lag_seconds=apply_lag_seconds, change_feed=change_feed
        )
        self.erp_model.capabilities = replace(
            self.erp_model.capabilities, absent_means_zero=absent_means_zero
        )
        self.files = FakeFileStore()
        self.records = FakeRunRecords()
        self.newstore_model = NewStoreModel(
            TENANT,
            self.clock.now,
            fetch=checked(self.files.fetch),
            range_scope=range_scope,
            locations=map(store, self.places if known is None else known),
        )
        self.event_log = FakeEventLog()
        self.owners = FakeUnitOwners()
        self.quarantine = FakeQuarantine()
        self.leases = FakeLeases()
        self.runs = FakeRunStore(self.leases)
        self.location_store = FakeLocationStore(*map(location, self.places))
        self.observer = FakeObserver()
        self.erp = TestedErp(self)
        self.newstore = TestedNewStore(self)
        lags = {} if counter_lag is None else {"IN_STORE_HANDOVER": counter_lag}
        self.rule = AppliedRule(other_channel_lags=lags)
        self.build_settings = BuildSettings(
            first_logical_timestamp=first_logical_timestamp,
            settle=SETTLE,
            other_channel_lags=lags,
            guards=GuardLimits(),
            file_bytes=file_bytes,
            reads_at_once=reads_at_once,
            archive_bytes=archive_bytes,
        )
        self.import_settings = ImportStockSettings()
        self.fans_out = fan_out
        self.mode_check: ModeCheck = never_a_shadow
        self.kept = FakeKeptReads(self.clock.now)
        self.executions = FakeReadExecutions()
        self.seconds_left = 900.0
        self.requests = 0
        for place in self.places:
            self.erp_model.add_location(place)

    def with_archive(self, archive_bytes: int) -> BuildSettings:
        """The settings with another limit."""
        return replace(self.build_settings, archive_bytes=archive_bytes)

    # What SimulatedErp and SimulatedNewStore ask of their world

    def erp_is_down(self) -> bool:
        return False

    def interrupt(self, label: str, phase: str) -> None:
        """Nothing interrupts."""

    def pass_time(self, seconds: float) -> None:
        self.clock.advance(seconds)

    # The adapter

    def build(self) -> BuildImport:
        return BuildImport(
            event_log=self.event_log,
            erp=self.erp,
            newstore=self.newstore,
            files=self.files,
            records=self.records,
            location_store=self.location_store,
            unstored=self.quarantine,
            clock=self.clock,
            observer=self.observer,
            settings=self.build_settings,
            kept=self.kept if self.fans_out else None,
        )

    def reader(self) -> ReadLocations:
        return ReadLocations(
            erp=self.erp,
            event_log=self.event_log,
            unstored=self.quarantine,
            files=self.files,
            runs=self.runs,
            location_store=self.location_store,
            kept=self.kept,
            clock=self.clock,
            observer=self.observer,
        )

    def fan_out(self) -> FanOut:
        return FanOut(
            kept=self.kept,
            executions=self.executions,
            files=self.files,
            location_store=self.location_store,
            observer=self.observer,
            batch_locations=1,
        )

    def importer(self) -> ImportStock:
        return ImportStock(
            build=self.build(),
            event_log=self.event_log,
            newstore=self.newstore,
            stock=self.newstore,
            files=self.files,
            records=self.records,
            runs=self.runs,
            leases=self.leases,
            location_store=self.location_store,
            clock=self.clock,
            observer=self.observer,
            settings=self.import_settings,
            mode_check=self.mode_check,
            fan_out=self.fan_out() if self.fans_out else None,
        )

    def dry_run(
        self,
        folder: Path,
        *only: str,
        full: bool = False,
        rows_max: int = 50,
        progress: OnProgress = unwatched,
    ) -> Rehearsal:
        """What a tick would do now."""
        dry_run = DryRun(
            build=self.build(),
            runs=self.runs,
            scratch=ZipOnDisk(folder / "dry.zip"),
            clock=self.clock,
            rows_max=rows_max,
        )
        rehearsal = dry_run(
            lambda: self.seconds_left, full=full, only=frozenset(only), progress=progress
        )
        if rehearsal.files:
            check_archive((folder / "dry.zip").read_bytes())
        return rehearsal

    def watermark(self) -> SetWatermark:
        return SetWatermark(
            runs=self.runs,
            leases=self.leases,
            event_log=self.event_log,
            history=FakeRunHistory(self.runs),
            clock=self.clock,
        )

    def tick(self, *only: str, full: bool = False) -> Tick:
        """One tick, six minutes after the last one: jobs keep their distance."""
        self.clock.advance(6 * MINUTE)
        return self.importer()(lambda: self.seconds_left, full=full, only=frozenset(only))

    def import_now(self, *only: str, full: bool = False) -> ImportRun:
        """One whole run."""
        run = self.tick(*only, full=full).run
        assert run is not None
        assert run.ended, run
        return run

    def forward_only(self, *events: FulfillmentEvent) -> None:
        """Bring these into the ERP's books."""
        self.forward(frozenset(event.ref for event in events))

    def forward(self, refs: frozenset[EventRef] | None = None) -> None:
        """Bring every open event into the ERP's books, or those named."""
        forward = ForwardEvents(
            event_log=self.event_log,
            owners=self.owners,
            quarantine=self.quarantine,
            erp=self.erp,
            clock=self.clock,
            observer=self.observer,
            rule=self.rule,
            claim=3 * MINUTE,
            sweep_age=timedelta(0),
            mode_check=self.mode_check,
        )
        chosen = [e for e in self.event_log.open_events() if refs is None or e.event.ref in refs]
        forward(chosen)

    # What happens in the shops

    def stock(self, units: int, product: str = SKU, at: str = DC) -> None:
        self.erp_model.set_stock((at, product), units)

    def ship(
        self,
        logical_timestamp: int,
        *products: str,
        at: str = DC,
        delivered: bool = True,
        level: str = "STANDARD",
    ) -> FulfillmentEvent:
        """Ordered and shipped now: stored at once and not forwarded."""
        self.requests += 1
        request_id = f"ff{self.requests}"
        named = enumerate(products or (SKU,), start=1)
        items = [(f"{request_id}-{number}", product) for number, product in named]
        model = self.newstore_model
        model.assign(request_id, f"order-{request_id}", at, items, level)
        raw = model.complete(request_id, logical_timestamp=logical_timestamp)
        event = parse_event(event_bytes(raw), TENANT)
        assert isinstance(event, FulfillmentEvent)
        if delivered:
            self.deliver(event)
        return event

    def mispick(self, *products: str, at: str = DC) -> FulfillmentEvent:
        """Ordered, and not found on the shelf: stored at once and not forwarded."""
        self.requests += 1
        request_id = f"ff{self.requests}"
        items = [(f"{request_id}-{n}", p) for n, p in enumerate(products or (SKU,), start=1)]
        self.newstore_model.assign(request_id, f"order-{request_id}", at, items)
        raw = self.newstore_model.fail(request_id, rejection_reason="no_inventory")
        event = parse_event(event_bytes(raw), TENANT)
        assert isinstance(event, FulfillmentEvent)
        self.deliver(event)
        return event

    def deliver(self, event: FulfillmentEvent) -> None:
        self.event_log.append(event, b"{}", self.clock.now())

    def settle(self) -> None:
        """The settle window goes by."""
        self.clock.advance(SETTLE)

    def approve(self, *kinds: str, at: str = DC, product_id: str = "") -> None:
        """For one import, whatever the figures are."""
        given = [
            approval(HoldKind(kind), location_id=at, product_id=product_id, at=self.clock.now())
            for kind in kinds
        ]
        self.location_store.approve(given, OPERATOR)

    def hold(self, at: str = ALL_IMPORTS) -> None:
        """An operator holds a location, or pauses imports."""
        hold = OperatorHold(location_id=at, who="olga", why="stock-take", at=self.clock.now())
        self.location_store.hold(hold, OPERATOR)

    def resume(self, at: str = ALL_IMPORTS) -> None:
        self.location_store.resume(at, OPERATOR)

    def put_location(self, location_id: str, **fields: Any) -> None:
        self.location_store.put_locations([location(location_id, **fields)], OPERATOR)

    def ask_resend(self, *products: str, at: str) -> None:
        """An operator has these rows sent again, or all of the location's."""
        resend = Resend(location_id=at, products=products, at=self.clock.now())
        self.location_store.request_resend(resend, OPERATOR)

    def erp_lag(self, lag: timedelta) -> None:
        """The ERP declares another apply lag."""
        declared = self.erp_model.capabilities
        self.erp_model.capabilities = replace(declared, apply_lag_seconds=lag.total_seconds())

    def forget_head(self) -> None:
        """What the runbook's fresh start does."""
        self.runs = FakeRunStore(self.leases)

    # What there is to see

    def on_hand(self, product: str = SKU, at: str = DC) -> int:
        return self.newstore_model.on_hand((at, product))

    def atp(self, product: str = SKU, at: str = DC) -> int:
        return self.newstore_model.atp((at, product))

    def unreleased(self, product: str = SKU, at: str = DC) -> int:
        return self.newstore_model.completed_unreleased((at, product))

    def sent(self, run: ImportRun) -> list[SentFile]:
        """The files of a run, in NewStore's order."""
        found = []
        for name, content in open_zip(self.files.fetch(run.source_uri)):
            file = read_file(name, content)
            rows = {row.key: row.quantity for row in file.rows}
            span = (file.range_start, file.range_end)
            found.append(SentFile(span, set(file.nodes), rows))
        return found

    def rows(self, run: ImportRun) -> dict[tuple[str, str], int]:
        """All rows of a run."""
        return {key: units for file in self.sent(run) for key, units in file.rows.items()}

    def hold_kinds(self, at: str = DC) -> list[str]:
        hold = self.location_store.holds().get(at)
        return [found.kind.value for found in hold.holds] if hold else []

    def jobs(self) -> list[str]:
        """States of all jobs NewStore was ever given."""
        return [job.state for job in self.newstore_model.jobs.by_id.values()]

    def state_of(self, event: FulfillmentEvent) -> OpenEvent:
        state = self.event_log.state_of(event.ref)
        assert state is not None
        return state

    def is_open(self, event: FulfillmentEvent) -> bool:
        ref: EventRef = event.ref
        return self.event_log.is_open(ref)

    def take_lease(self) -> Lease | None:
        now = self.clock.now()
        return self.leases.acquire(now=now, until=now + 3 * MINUTE)


TEN: Mapping[str, int] = MappingProxyType({SKU: 10})


def started(*places: str, units: Mapping[str, int] = TEN, **settings: Any) -> ImportWorld:
    """A world whose first import has finished: everywhere these units by product."""
    world = ImportWorld(*places, **settings)
    for place in world.places:
        for product, count in units.items():
            world.stock(count, product, at=place)
    assert world.import_now().state is RunState.FINALIZED
    return world
