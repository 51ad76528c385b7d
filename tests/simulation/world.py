"""One true history, the deliveries and views that follow from it, and the adapter in the middle."""

import hashlib
import heapq
import json
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from random import Random
from typing import Any

from inventory_sync.adapters.newstore.event_body import parse_event
from inventory_sync.domain.cut import AppliedRule
from inventory_sync.domain.errors import InvariantError, InventorySyncError
from inventory_sync.domain.events import EventName, EventRef, FulfillmentEvent, OpenEvent
from inventory_sync.domain.guards import APPROVABLE
from inventory_sync.domain.holds import Approval, Resend, bound_of
from inventory_sync.domain.import_run import ImportRun
from inventory_sync.domain.inbound import quarantine_id
from inventory_sync.domain.locations import Location
from inventory_sync.domain.manifest import Basis, LocationEntry
from inventory_sync.domain.mispick import MispickRule
from inventory_sync.domain.reading import ReleaseReading
from inventory_sync.domain.snapshot_guards import GuardLimits
from inventory_sync.domain.stock_reads import Read, ReadPlan, StockRead
from inventory_sync.use_cases.forward.forward_events import ForwardEvents
from inventory_sync.use_cases.import_stock.build_import.build_import import BuildImport
from inventory_sync.use_cases.import_stock.build_import.file_packer import ARCHIVE_BYTES
from inventory_sync.use_cases.import_stock.build_import.settings import BuildSettings
from inventory_sync.use_cases.import_stock.fan_out import FanOut
from inventory_sync.use_cases.import_stock.import_stock import ImportStock, ImportStockSettings
from inventory_sync.use_cases.import_stock.read_locations import ReadLocations
from inventory_sync.use_cases.ingest.ingest_event import (
    IngestEvent,
    IngestOutcome,
    IngestResult,
)
from local.erp.model import ErpModel
from local.newstore.events import COUNTER_SALE, event_bytes
from local.newstore.locations import store
from local.newstore.model import NewStoreModel
from local.newstore.truth import NO_INVENTORY, RangeScope
from tests.availabilities import checked
from tests.builders import OPERATOR
from tests.fakes.event_log import FakeEventLog
from tests.fakes.import_state import (
    FakeFileStore,
    FakeLeases,
    FakeLocationStore,
    FakeRunStore,
)
from tests.fakes.kept_reads import FakeKeptReads, FakeReadExecutions
from tests.fakes.mode import never_a_shadow
from tests.fakes.observer import FakeObserver
from tests.fakes.quarantine import FakeQuarantine
from tests.fakes.run_records import FakeRunRecords
from tests.fakes.unit_owners import FakeUnitOwners
from tests.simulation.faults import AT_FORWARD, Faults
from tests.simulation.ports import (
    SimulatedCrashError,
    SimulatedErp,
    SimulatedNewStore,
    SlowToKeep,
    Watched,
)

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
TENANT = "acme"
SETTLE_WINDOW = timedelta(minutes=15)
CLOCK_SKEW = timedelta(seconds=5)
POS_LAG = timedelta(minutes=10)
LEASE = timedelta(seconds=300)
LEAP_FROM = 10**15
QUARANTINE_BLOCKS = timedelta(hours=2)
FORWARD_SECONDS_MAX = 60
SWEEP_AGE = timedelta(seconds=60)
SWEEP_PAUSES_SECONDS_MAX = 20
"""For which an invocation may stand still and still has the time for one event."""
ERP_SLOW_SECONDS = (6, 16)
IMPORT_SECONDS_MAX = 900
STREAM_ATTEMPTS_MAX = 5
IMMEDIATE_SHARE = 0.15
"""Of the seeds, where NewStore takes a shipped unit off at once."""
STREAM_RECORD_LIFE = timedelta(hours=24)

Key = tuple[str, str]


@dataclass(order=True)
class Delivery:
    """A body on its way to the webhook."""

    due: datetime
    number: int
    body: bytes


@dataclass
class Decrement:
    """Units gone by another channel, until the first finished import whose snapshot shows them."""

    key: Key
    units: int
    shown_at: datetime
    """On the ERP's clock."""


@dataclass
class Completed:
    """A completed event as it truly happened."""

    event: FulfillmentEvent
    other_channel: bool
    stored_at: datetime | None = None


@dataclass
class Malformed:
    """A completed body that the webhook could not read, and what it should have been.

    `blocks` says that its timestamp can be read, `whole` that all else can that counts. Nobody
    mends a `forgotten` one. `passed` says that its location was not imported when it was released.
    """

    event: dict[str, Any]
    completed: Completed
    blocks: bool
    whole: bool
    forgotten: bool
    received_at: datetime | None = None
    passed: bool = False


class SkewedClock:
    """What one invocation takes for the time; sleeping lets the world go on."""

    def __init__(self, world: "World", skew: timedelta) -> None:
        self._world, self._skew = world, skew

    def now(self) -> datetime:
        return self._world.now + self._skew

    def monotonic(self) -> float:
        return (self._world.now - START).total_seconds()

    def sleep(self, seconds: float) -> None:
        self._world.pass_time(seconds)


class World:
    """Everything of one seed. `after_each_step` is called whenever anything may have changed."""

    def __init__(
        self,
        seed: int,
        *,
        only: frozenset[str] | None = None,
        adapt: Callable[["World"], None] | None = None,
    ) -> None:
        self.seed = seed
        self.rng = rng = Random(seed)
        self.feed_rng = Random(f"{seed} feed")
        self.later_rng = Random(f"{seed} later")
        self.order_rng = Random(f"{seed} order")
        self.units_rng = Random(f"{seed} units")
        self.reading_rng = Random(f"{seed} reading")
        self.mispick_rng = Random(f"{seed} mispicks")
        newest_rng, self.slow_rng = Random(f"{seed} newest"), Random(f"{seed} slow")
        self.bodies_rng = Random(f"{seed} bodies")
        self.reads_rng = Random(f"{seed} reads")
        self.faults = Faults(
            rng,
            self.feed_rng,
            self.later_rng,
            newest_rng,
            self.slow_rng,
            self.bodies_rng,
            self.reads_rng,
            only=only,
        )
        self.now = START
        self.trace: list[str] = []
        self.after_each_step: Callable[[], None] = lambda: None
        self.before_reading: Callable[[], None] = lambda: None
        """What goes on elsewhere just before a location's stock is read, besides the faults."""
        self.depth = 0
        self.deadlines: list[datetime] = []
        self.numbers = count(1)
        rng.random()  # unused: the stories in regressions/ count on this draw
        self.range_scope: RangeScope = rng.choice(("tenant", "file_locations"))
        self.locations = [f"L{n}" for n in range(rng.randint(1, 3))]
        self.products = [f"P{n}" for n in range(rng.randint(1, 5))]
        self.erp_offset = timedelta(minutes=rng.choice((0, 0, -4, 4)))
        self.pos_feed = self.erp_offset == timedelta(0) and rng.random() < 0.4
        if self.erp_offset > timedelta(0):
            self.pos_feed = Random(f"{seed} pos").random() < 0.4
        self._build_sides(rng)
        self._build_adapter(rng)
        self.reading = self.reading_rng.choice((ReleaseReading.RANGE, ReleaseReading.FIND_OUT))
        self.reading_at_range = self.reading
        self.newstore_model.book.lists_shipped = self.reading_rng.random() < 0.5
        if self.reading_rng.random() < IMMEDIATE_SHARE:
            self.newstore_model.release = "immediate"
            choices = (ReleaseReading.IMMEDIATE, ReleaseReading.FIND_OUT)
            self.reading = self.reading_rng.choice(choices)
        self.newstore_model.cumulative_events = self.units_rng.random() < 0.75
        self.large_requests = self.units_rng.random() < 0.4
        self.physical: Counter[Key] = Counter()
        self.completed: dict[EventRef, Completed] = {}
        self.unsettled: dict[EventRef, Completed] = {}
        """Those that may still turn out late, or have and are not counted yet."""
        self.acknowledged: dict[EventRef, bytes | None] = {}
        """The body that was stored; None where one that says the same may have been before."""
        self.acknowledged_elsewhere: list[bytes] = []
        self.malformed: dict[bytes, Malformed] = {}
        """Shipments that came as no event, until they are mended; some never are."""
        self.decrements: list[Decrement] = []
        self.in_flight: list[Delivery] = []
        self.stream: deque[tuple[EventRef, int, datetime]] = deque()
        self.open_requests: dict[str, tuple[str, list[tuple[str, str]]]] = {}
        self.erp_down_until = START
        self.erp_slow_until = START
        self.finalized_runs: set[str] = set()
        self.untold: dict[Key, datetime] = {}
        """Changes that the ERP's feed did not tell, and when, until everything is read."""
        self.skipped_rows = self.newstore_model.jobs.refused_rows
        """Rows that NewStore left out of a job, until the next finished import."""
        self.altered_rows: dict[Key, datetime] = {}
        """Rows that somebody changed at NewStore, until an import that was asked for them."""
        self.lost: Counter[Key] = Counter()
        """Units that are gone, and the ERP does not know it yet."""
        self.short: set[Key] = set()
        """Rows of which a unit was ever lost."""
        self.leapt: EventRef | None = None
        """The one event whose logical timestamp is far too high."""
        self.paused_seconds = 0.0
        """For which invocations have stood still in between, whatever else was slow."""
        self.errors: list[str] = []
        self.idle_sweeps: list[str] = []
        """Sweeps that found events waiting, met no other fault than a slow ERP, and marked none."""
        if adapt is not None:
            adapt(self)
        self._stock_up()

    # Building

    def _build_sides(self, rng: Random) -> None:
        lag = rng.choice((0, 0, 120, 1200))
        self.erp_model = ErpModel(
            lambda: self.now + self.erp_offset,
            dedupe=rng.choice(("native", "lookup")),
            apply_lag_seconds=lag,
            consistent_snapshot=rng.random() < 0.5,
            page_rows=rng.choice((1, 2, 1000)),
            change_feed=self.feed_rng.choice(("none", "timestamp", "sequence")),
            absent_means_zero=not self.faults.strike("erp_lists_zeros"),
            reference_length_max=16 if self.faults.strike("erp_reference_short") else 128,
        )
        self.files = FakeFileStore()
        self.records = FakeRunRecords()
        self.newstore_model = NewStoreModel(
            TENANT,
            lambda: self.now,
            fetch=checked(self.files.fetch),
            range_scope=self.range_scope,
            range_start_released=self.feed_rng.random() < 0.5,
            job_seconds=rng.choice((0, 20, 200)),
            locations=map(store, self.locations),
        )
        jobs = self.newstore_model.jobs
        jobs.chunk_rows = 2
        if self.faults.strike("several_files_with_delays"):
            jobs.seconds_between_files = rng.choice((1, 60, 400))
        if self.faults.strike("files_in_any_order"):
            order = Random(self.seed)
            jobs.file_order = lambda names: order.sample(sorted(names), len(names))

    def _build_adapter(self, rng: Random) -> None:
        self.event_log_store: Any = FakeEventLog()
        self.unit_owners = FakeUnitOwners()
        self.quarantine = FakeQuarantine()
        self.leases = FakeLeases()
        self.runs = FakeRunStore(self.leases)
        places = [
            Location(
                location_id=place, fulfillment_node_id=place, store_id=place, erp_location=place
            )
            for place in self.locations
        ]
        self.location_store = FakeLocationStore(*places)
        self.observer = FakeObserver()
        lags = {COUNTER_SALE: POS_LAG} if self.pos_feed else {}
        self.rule = AppliedRule(other_channel_lags=lags)
        self.settle = SETTLE_WINDOW + CLOCK_SKEW
        self.file_bytes = rng.choice((1, 200, 16_000_000))
        self.archive_bytes = ARCHIVE_BYTES
        if self.faults.strike("archive_full"):
            self.archive_bytes = self.later_rng.choice((1, 300))
        self.forward_claim = timedelta(seconds=180)
        self.fan_out = self.faults.strike("reads_fan_out")
        self.kept = FakeKeptReads(lambda: self.now)
        self.executions = FakeReadExecutions()
        self.late_batches: list[tuple[ReadPlan, tuple[str, ...]]] = []
        """Of executions that have gone on, or were stopped, without them."""
        self.late_reads: list[tuple[str, Read]] = []
        """Of a reader that was slow to keep them."""

    def make_ingest(self) -> IngestEvent:
        """One invocation's webhook."""
        return IngestEvent(
            parse=lambda body: parse_event(body, TENANT),
            event_log=Watched(self, self.event_log_store, "event_log"),
            quarantine=Watched(self, self.quarantine, "quarantine"),
            clock=self._clock(),
            observer=self.observer,
        )

    def make_forward(self) -> ForwardEvents:
        """One invocation's forwarder."""
        return ForwardEvents(
            event_log=Watched(self, self.event_log_store, "event_log"),
            owners=Watched(self, self.unit_owners, "unit_owners"),
            quarantine=Watched(self, self.quarantine, "quarantine"),
            erp=Watched(self, SimulatedErp(self, self.erp_takes_its_time), "erp"),
            clock=self._clock(),
            observer=self.observer,
            rule=self.rule,
            claim=self.forward_claim,
            sweep_age=SWEEP_AGE,
            mode_check=never_a_shadow,
        )

    def make_import(self) -> ImportStock:
        """One invocation's import."""
        clock = self._clock()
        event_log = Watched(self, self.event_log_store, "event_log")
        newstore = Watched(self, SimulatedNewStore(self), "newstore")
        files = Watched(self, self.files, "files")
        records = Watched(self, self.records, "records")
        locations = Watched(self, self.location_store, "locations")
        kept: Any = Watched(self, self.kept, "kept") if self.fan_out else None
        fan_out = None
        if kept is not None:
            fan_out = FanOut(
                kept=kept,
                executions=Watched(self, self.executions, "executions"),
                files=files,
                location_store=locations,
                observer=self.observer,
                batch_locations=1,
            )
        return ImportStock(
            build=BuildImport(
                event_log=event_log,
                erp=Watched(self, SimulatedErp(self, self.erp_takes_its_time), "erp"),
                newstore=newstore,
                files=files,
                records=records,
                location_store=locations,
                unstored=Watched(self, self.quarantine, "quarantine"),
                clock=clock,
                observer=self.observer,
                kept=kept,
                settings=BuildSettings(
                    first_logical_timestamp=0,
                    settle=self.settle,
                    other_channel_lags=self.rule.other_channel_lags,
                    reading=self.reading,
                    quarantine_blocks=QUARANTINE_BLOCKS,
                    guards=GuardLimits(),
                    file_bytes=self.file_bytes,
                    archive_bytes=self.archive_bytes,
                    mispick=MispickRule(hold=timedelta(hours=6), units_max=1000),
                ),
            ),
            event_log=event_log,
            newstore=newstore,
            mode_check=never_a_shadow,
            stock=newstore,
            files=files,
            records=records,
            runs=Watched(self, self.runs, "runs"),
            leases=Watched(self, self.leases, "leases"),
            location_store=locations,
            clock=clock,
            observer=self.observer,
            settings=ImportStockSettings(lease=LEASE),
            fan_out=fan_out,
        )

    def make_reader(self) -> ReadLocations:
        """One invocation that reads a batch, where reads fan out."""
        return ReadLocations(
            erp=Watched(self, SimulatedErp(self), "erp"),
            event_log=Watched(self, self.event_log_store, "event_log"),
            unstored=Watched(self, self.quarantine, "quarantine"),
            files=Watched(self, self.files, "files"),
            runs=Watched(self, self.runs, "runs"),
            location_store=Watched(self, self.location_store, "locations"),
            kept=Watched(self, SlowToKeep(self), "kept"),
            clock=self._clock(),
            observer=self.observer,
        )

    def _clock(self) -> SkewedClock:
        skew = timedelta(0)
        if self.faults.strike("clock_skew"):
            skew = CLOCK_SKEW * self.rng.uniform(-0.5, 0.5)
        return SkewedClock(self, skew)

    def _stock_up(self) -> None:
        for location in self.locations:
            self.erp_model.add_location(location)
            for product in self.products:
                units = self.rng.randint(0, 40)
                self.physical[location, product] = units
                if units:
                    self.erp_model.set_stock((location, product), units)

    # Time and interruptions

    def pass_time(self, seconds: float) -> None:
        """Let time go by, and the world with it."""
        until = self.now + timedelta(seconds=seconds)
        while self.in_flight and self.in_flight[0].due <= until and self.depth < 2:
            delivery = heapq.heappop(self.in_flight)
            self.now = max(self.now, delivery.due)
            self.check()
            self.deliver(delivery)
        self.now = max(self.now, until)
        self.check()

    def check(self) -> None:
        """Look at every invariant."""
        self.forget_hours()
        self.newstore_model.advance()
        self.after_each_step()

    def interrupt(self, label: str, phase: str) -> None:
        """Called before, within and after every call the adapter makes."""
        self._time_out(label)
        if phase == "before" and label in {"erp.snapshot", "erp.changes"} and self.depth == 1:
            self.before_reading()
        if phase != "within" and self.faults.strike(f"crash_{phase}_call"):
            self.say("crash", phase, label)
            raise SimulatedCrashError
        if phase != "before":
            self.check()
        if self.depth == 1 and not self.faults.quiet:
            self._meanwhile()
            self._time_out(label)

    def _time_out(self, label: str) -> None:
        """Lambda ends an invocation that has had its time, wherever it is."""
        if self.deadlines and self.now > self.deadlines[-1]:
            self.say("timed out", label)
            raise SimulatedCrashError

    def _meanwhile(self) -> None:
        strike = self.faults.strike
        if strike("lease_expired_mid_run"):
            self.pass_time(self.rng.uniform(301, 500))
        elif self.rng.random() < 0.05:
            pause = self.rng.uniform(0, 15)
            self.paused_seconds += pause
            self.pass_time(pause)
            self.live()
        if self.fan_out and strike("batch_meanwhile"):
            self.read_tick()
        if strike("two_runs_at_once"):
            self.say("second run")
            self.import_tick()
        if strike("two_forwarders_at_once"):
            self.say("second forwarder")
            self.sweep_tick()

    def store_fault(self, label: str) -> bool:
        """Whether DynamoDB or S3 refuses this call for now."""
        system = label.split(".")[0]
        if system in {"kept", "executions"}:
            return self.faults.strike("executions_out_of_reach")
        ours = system in {"event_log", "runs", "leases", "files", "locations"}
        return ours and label != "files.archive_uri" and self.faults.strike("store_throttled")

    def write_refused(self, label: str) -> bool:
        """Whether the condition of a write fails as if another run had been there."""
        return label == "runs.save" and self.faults.strike("conditional_write_failed")

    def erp_is_down(self) -> bool:
        """Whether the ERP answers 503; it may go down now."""
        strike = self.faults.strike
        if strike("erp_down"):
            self.erp_down_until = self.now + timedelta(seconds=self.rng.uniform(30, 900))
        if strike("erp_down_longer_than_stream"):
            self.erp_down_until = self.now + timedelta(hours=25)
        return not self.faults.quiet and self.now < self.erp_down_until

    def erp_takes_its_time(self) -> None:
        """A call takes the ERP seconds, for as long as it is slow; it may become slow now."""
        if self.faults.quiet:
            return
        if self.faults.strike("erp_slow"):
            self.erp_slow_until = self.now + timedelta(seconds=self.slow_rng.uniform(600, 7200))
            self.say("the ERP is slow")
        if self.now < self.erp_slow_until:
            self.pass_time(self.slow_rng.uniform(*ERP_SLOW_SECONDS))

    def say(self, *words: object) -> None:
        """One line of the story."""
        seconds = (self.now - START).total_seconds()
        self.trace.append(" ".join([f"{seconds:9.1f}", *map(str, words)]))

    def digest(self) -> str:
        """The whole story in one hash: the same seed always gives the same."""
        return hashlib.sha256("\n".join(self.trace).encode()).hexdigest()

    # The true history

    def live(self) -> None:
        """Something happens in the shops."""
        kind = self.rng.choices(
            ("order", "ship", "fail", "receive", "counter_sale", "correction", "handover"),
            (8, 8, 1, 1, 1, 1, 2),
        )[0]
        getattr(self, f"_{kind}")()
        self.check()

    def trade_on(self) -> None:
        """Orders and shipments that the ERP learns of through the adapter alone."""
        self._order()
        requests = self.newstore_model.book.requests
        ours = [r for r in self.open_requests if requests[r].service_level != COUNTER_SALE]
        if ours:
            self._ship(self.rng.choice(ours))
        self.check()

    def any_key(self) -> Key:
        """One of the rows there are."""
        return self._key()

    def _key(self) -> Key:
        return self.rng.choice(self.locations), self.rng.choice(self.products)

    def _order(self, service_level: str = "STANDARD") -> str | None:
        location = self.rng.choice(self.locations)
        wanted = [self.rng.choice(self.products) for _ in range(self.rng.randint(1, 3))]
        if self.large_requests:
            wanted += self.units_rng.choices(self.products, k=self.units_rng.randint(0, 2))
        if any(
            self.newstore_model.atp((location, product)) < units
            for product, units in Counter(wanted).items()
        ):
            return None
        request_id = f"ff-{next(self.numbers)}"
        items = [(f"{request_id}-{n}", product) for n, product in enumerate(wanted)]
        self._leave_hole()
        event = self.newstore_model.assign(
            request_id, f"order-{request_id}", location, items, service_level
        )
        self.open_requests[request_id] = (location, items)
        self.say("assigned", request_id, location, wanted)
        self._send(event)
        return request_id

    def _leave_hole(self) -> None:
        """Now and then the counter passes numbers that no event of ours has."""
        if self.rng.random() < 0.02 and not self.faults.quiet:
            self.newstore_model.publisher.skip(self.rng.randint(1, 5))

    def _ship(self, request_id: str | None = None, logical_timestamp: int | None = None) -> None:
        if not self.open_requests:
            return
        request_id = request_id or self.rng.choice(list(self.open_requests))
        location, items = self.open_requests[request_id]
        level = self.newstore_model.book.requests[request_id].service_level
        shipped = self.rng.sample(items, self.rng.randint(1, len(items)))
        present = Counter(self.physical)
        leaving = []
        for item_id, product in shipped:
            if present[location, product] > 0:
                present[location, product] -= 1
                leaving.append((item_id, product))
        if not leaving:
            short = any((location, product) in self.short for _, product in shipped)
            self._fail(request_id, NO_INVENTORY if short and not self.faults.quiet else "")
            return
        self.open_requests[request_id] = (location, [i for i in items if i not in leaving])
        if not self.open_requests[request_id][1]:
            del self.open_requests[request_id]
        item_ids = [item_id for item_id, _ in leaving]
        leaps = self.leapt is None and self.faults.strike("logical_timestamp_leaps")
        event = self._complete(request_id, item_ids, logical_timestamp, leaps=leaps)
        self.physical = present
        pos = self.pos_feed and level == COUNTER_SALE
        parsed = parse_event(event_bytes(event), TENANT)
        assert isinstance(parsed, FulfillmentEvent)
        self.completed[parsed.ref] = self.unsettled[parsed.ref] = Completed(parsed, pos)
        if leaps:
            self.leapt = parsed.ref
        if pos:
            for _, product in leaving:
                lag = self.rng.uniform(0, POS_LAG.total_seconds() - 5)
                self.erp_model.sell_at_counter((location, product), 1, lag)
        self.say("completed", parsed.ref.event_key, location, [p for _, p in leaving])
        self._send(event)
        if logical_timestamp is None and not leaps:
            self._ship_at_another_location(location, parsed.logical_timestamp)

    def _ship_at_another_location(self, location: str, logical_timestamp: int) -> None:
        """One update of an order may be about two locations: both events carry its number."""
        others = [r for r, (place, _) in self.open_requests.items() if place != location]
        if others and self.faults.strike("equal_logical_timestamp", self.order_rng):
            self._ship(self.order_rng.choice(others), logical_timestamp)

    def _complete(
        self, request_id: str, item_ids: list[str], logical_timestamp: int | None, *, leaps: bool
    ) -> dict[str, Any]:
        """The counter goes on from where it was before a leap."""
        complete, publisher = self.newstore_model.complete, self.newstore_model.publisher
        before = publisher.last_drawn
        if leaps:
            logical_timestamp = LEAP_FROM + next(self.numbers)
        event = complete(request_id, item_ids, logical_timestamp=logical_timestamp)
        if leaps:
            publisher.last_drawn = before
        return event

    def _handover(self) -> None:
        request_id = self._order(COUNTER_SALE)
        if request_id is not None:
            self._ship(request_id)

    def _fail(self, request_id: str | None = None, reason: str = "") -> None:
        if not self.open_requests:
            return
        request_id = request_id or self.rng.choice(list(self.open_requests))
        del self.open_requests[request_id]
        self.say("failed", request_id, reason)
        self._send(self.newstore_model.fail(request_id, rejection_reason=reason))

    def lose_unit(self) -> None:
        """A unit is not on its shelf any more, and no books say so."""
        there = sorted(key for key, units in self.physical.items() if units > 0)
        if there:
            key = self.mispick_rng.choice(there)
            self.physical[key] -= 1
            self.lost[key] += 1
            self.short.add(key)
            self.say("lost", key)

    def count_stock(self) -> None:
        """The ERP learns what is gone."""
        for key, units in sorted(self.lost.items()):
            self.erp_model.sell_at_counter(key, units)
            shown_at = self.now + self.erp_offset + timedelta(seconds=1)
            self.decrements.append(Decrement(key, units, shown_at))
            self.say("counted", key, -units)
        self.lost.clear()

    def held_by_mispick(self) -> set[Key]:
        """Rows whose mispick a finished import has seen, and no run so far has found to be over."""
        if not self.short:
            return set()
        mispicks = [e for e in self.event_log_store.open_events() if e.event.mispicked]
        ended = {
            pair
            for run_id in self._last_runs() & self.files.finalizations.keys()
            for pair in self.files.finalizations[run_id].closed
        }
        held, left = set[Key](), set[Key]()
        for e in mispicks:
            place, event_key = e.event.location_id, e.event.ref.event_key
            over = self._mispicks_over(place)
            for product in e.event.mispicked:
                is_over = (place, event_key) in ended or (event_key, product) in over
                seen = e.counted_by is not None and not is_over
                (held if seen else left).add((place, product))
        return held - left

    def _mispicks_over(self, location: str) -> set[tuple[str, str]]:
        """By event key and product; those of the run that is under way may be so at NewStore."""
        found = set[tuple[str, str]]()
        for run_id in self._last_runs() & self.files.manifests.keys():
            entry = self.files.manifests[run_id].locations.get(location)
            ledger = self.files.ledger(location, entry.ledger_run_id) if entry else None
            found |= ledger.mispicks_over if ledger else frozenset()
        return found

    def _last_runs(self) -> set[str]:
        """The last run, that which finished last, and one that did not."""
        head = self.runs.head()
        last = head.run.run_id if head.run else None
        return {r for r in (last, head.finished_run_id, head.unfinished_run_id) if r is not None}

    def _receive(self) -> None:
        key, units = self._key(), self.rng.randint(1, 30)
        self.physical[key] += units
        self.erp_model.receive(key, units)
        self.say("received", key, units)

    def _counter_sale(self) -> None:
        """A sale NewStore knows nothing of; its POS posts it to the ERP."""
        key = self._key()
        if self.physical[key] > 0:
            self._gone_elsewhere(key, 1, self.rng.choice((0.0, 60.0, 900.0)))

    def _correction(self) -> None:
        key = self._key()
        if self.physical[key] > 0 and self.rng.random() < 0.7:
            self._gone_elsewhere(key, self.rng.randint(1, self.physical[key]), 0.0)
        else:
            self._receive()

    def _gone_elsewhere(self, key: Key, units: int, lag_seconds: float) -> None:
        self.physical[key] -= units
        self.erp_model.sell_at_counter(key, units, lag_seconds)
        shown_at = self.now + self.erp_offset + timedelta(seconds=lag_seconds + 1)
        self.decrements.append(Decrement(key, units, shown_at))
        self.say("gone elsewhere", key, units)

    def not_shown(self, location: str, as_of: datetime) -> None:
        """A snapshot without rows, of an ERP whose rows it leaves out keep their quantity."""
        for decrement in self.decrements:
            if decrement.key[0] == location:
                decrement.shown_at = max(decrement.shown_at, as_of + timedelta(seconds=1))

    # Deliveries

    def _send(self, event: dict[str, Any]) -> None:
        strike, uniform = self.faults.strike, self.rng.uniform
        body = event_bytes(event)
        delay = uniform(0, 20)
        shipped = event["name"] == EventName.ITEMS_COMPLETED
        leapt = event["payload"]["logical_timestamp"] >= LEAP_FROM
        if shipped and not leapt and strike("completed_body_malformed"):
            self._post(self._spoil(event), delay)
            return
        if strike("reordered"):
            delay = uniform(0, 300)
        if strike("delayed_within_settle"):
            delay = uniform(300, SETTLE_WINDOW.total_seconds() - 1)
        if strike("late_beyond_settle"):
            delay = uniform(SETTLE_WINDOW.total_seconds(), 7200)
        self._post(body, delay)
        if strike("duplicate"):
            self._post(body, delay + self.rng.choice((0.5, uniform(0, 3600))))
        if strike("told_otherwise"):
            other = json.loads(body)
            other["payload"]["associate_id"] = "someone-else"
            self._post(event_bytes(other), delay + self.rng.choice((0.5, uniform(0, 3600))))

    def _spoil(self, event: dict[str, Any]) -> bytes:
        """The body as it comes: of no use, more or less of it readable."""
        kind = self.bodies_rng.choice(("time", "time", "products", "product", "location", "cut"))
        forgotten = self.bodies_rng.random() < 0.4
        parsed = parse_event(event_bytes(event), TENANT)
        assert isinstance(parsed, FulfillmentEvent)
        spoiled = json.loads(event_bytes(event))
        items = spoiled["payload"]["items"]
        if kind == "time":
            spoiled["published_at"] = "yesterday"
        elif kind == "location":
            del spoiled["payload"]["fulfillment_location_id"]
        for item in items[: len(items) if kind == "products" else kind == "product"]:
            del item["product_id"]
        body = event_bytes(spoiled)[: -1 if kind == "cut" else None]
        found = Malformed(
            event, self.completed[parsed.ref], kind != "cut", kind == "time", forgotten
        )
        self.malformed[body] = found
        if found.blocks:
            del self.unsettled[parsed.ref]
        self.say("malformed", kind, parsed.ref.event_key, "forgotten" if forgotten else "")
        return body

    def mend(self, *, all_but_whole: bool = False) -> None:
        """An operator edits what stands in quarantine and sends it in; some are forgotten.

        Those that can be read whole may be forgotten for ever: their units are taken off.
        """
        for body, found in list(self.malformed.items()):
            forgotten = found.forgotten and (found.whole or not all_but_whole)
            if found.received_at is None or forgotten:
                continue
            mended = event_bytes(found.event)
            try:
                outcome = self._invoke(10, partial(self._ingest, mended))
            except InventorySyncError as error:
                self.say("not mended", error)
                continue
            if outcome is None:
                continue
            self.say("mended", found.completed.event.ref.event_key)
            self._taken(mended, outcome)
            for one in self.quarantine.entries:
                if one.body == body:
                    self.quarantine.resolve(quarantine_id(one))
            del self.malformed[body]

    def _ingest(self, body: bytes) -> IngestOutcome:
        return self.make_ingest()(body)

    def forget_hours(self) -> None:
        """What nobody can read is released, and oversold, once its hours are over."""
        for found in self.malformed.values():
            at, ref = found.received_at, found.completed.event.ref
            if at and not found.whole and self.now >= at + QUARANTINE_BLOCKS:
                self.unsettled[ref] = found.completed

    def _post(self, body: bytes, delay_seconds: float) -> None:
        due = self.now + timedelta(seconds=delay_seconds)
        heapq.heappush(self.in_flight, Delivery(due, next(self.numbers), body))

    def deliver(self, delivery: Delivery) -> None:
        """One call of the webhook; what is not answered with a 2xx comes again."""
        outcome = None
        try:
            outcome = self._invoke(10, lambda: self.make_ingest()(delivery.body))
        except InventorySyncError as error:
            self.say("webhook 500", error)
        if outcome is None:
            self._post(delivery.body, self.rng.uniform(5, 60))
            return
        if delivery.body in self.malformed:
            # An invocation that timed out may have kept it before: its hours count from then.
            ids = [quarantine_id(e) for e in self.quarantine.entries if e.body == delivery.body]
            kept = (c.received_at for c in self.quarantine.unresolved() if c.entry_id in ids)
            self.malformed[delivery.body].received_at = min(kept, default=self.now)
            self.say("webhook", outcome.result.value)
            self.acknowledged_elsewhere.append(delivery.body)
            return
        self._taken(delivery.body, outcome)

    def _taken(self, body: bytes, outcome: IngestOutcome) -> None:
        """What the webhook has answered 200 to."""
        parsed = parse_event(body, TENANT)
        assert isinstance(parsed, FulfillmentEvent)
        self.say("webhook", outcome.result.value, parsed.ref.event_key)
        if outcome.result is IngestResult.STORED:
            self.acknowledged[parsed.ref] = body
        elif outcome.result is IngestResult.ALREADY_STORED:
            self.acknowledged.setdefault(parsed.ref, None)
        else:
            self.acknowledged_elsewhere.append(body)
        if parsed.ref in self.completed and self.completed[parsed.ref].stored_at is None:
            self.completed[parsed.ref].stored_at = self.now
        if outcome.result is IngestResult.STORED and not self.faults.strike("stream_record_lost"):
            self.stream.append((parsed.ref, 0, self.now))

    # The adapter's invocations

    def _invoke(self, seconds_max: float, call: Callable[[], Any]) -> Any:
        """None where the invocation crashed or timed out."""
        self.depth += 1
        self.deadlines.append(self.now + timedelta(seconds=seconds_max))
        try:
            return call()
        except SimulatedCrashError:
            self.say("invocation gone")
            return None
        finally:
            self.deadlines.pop()
            self.depth -= 1
            self.check()

    def forward_tick(self, events_max: int = 10) -> None:
        """One batch of the stream."""
        batch = [self.stream.popleft() for _ in range(min(len(self.stream), events_max))]
        live = [
            (ref, attempts, since)
            for ref, attempts, since in batch
            if self.now - since < STREAM_RECORD_LIFE and self.event_log_store.state_of(ref)
        ]
        events = []
        for ref, _, _ in live:
            state = self._state(ref)
            events.append(OpenEvent(event=state.event, received_at=state.received_at))
        result = None
        try:
            result = self._invoke(FORWARD_SECONDS_MAX, lambda: self.make_forward()(events))
        except InventorySyncError as error:
            self._unexpected(error)
        again = {ref for ref, _, _ in live} if result is None else set(result.later)
        for ref, attempts, since in live:
            if ref in again and attempts < STREAM_ATTEMPTS_MAX:
                self.stream.append((ref, attempts + 1, since))

    def sweep_tick(self) -> None:
        """What the schedule does for events the stream left behind."""
        waiting, struck = self._waiting_for_sweep(), self._struck_at_forward()
        before, paused = self._not_forwarded(), self.paused_seconds
        was_up = self.now >= self.erp_down_until
        end = self.now + timedelta(seconds=FORWARD_SECONDS_MAX)
        try:
            self._invoke(
                FORWARD_SECONDS_MAX,
                lambda: self.make_forward().sweep(lambda: (end - self.now).total_seconds()),
            )
        except InventorySyncError as error:
            self._unexpected(error)
        undisturbed = was_up and self.depth == 0 and struck == self._struck_at_forward()
        undisturbed &= self.paused_seconds - paused <= SWEEP_PAUSES_SECONDS_MAX
        if waiting and undisturbed and before <= self._not_forwarded():
            self.idle_sweeps.append(f"none of {len(waiting)} waiting events at {self.now}")

    def _waiting_for_sweep(self) -> set[EventRef]:
        """Events of which any sweep has to bring one forward; others may be claimed for now."""
        old, claimed = self.now - SWEEP_AGE - CLOCK_SKEW, self.event_log_store.is_claimed
        return {
            ref
            for ref, received_at, _ in self._not_forwarded()
            if received_at <= old and not claimed(ref, self.now - CLOCK_SKEW)
        }

    def _not_forwarded(self) -> set[tuple[EventRef, datetime, datetime | None]]:
        """Events that the ERP lacks something of; when they came in and were booked."""
        return {
            (e.event.ref, e.received_at, e.applied_at)
            for e in self.event_log_store.open_events()
            if e.forwarded_at is None and e.rejected_reason is None
        }

    def _struck_at_forward(self) -> list[int]:
        """How often each fault has struck that may keep a sweep from its work; slowness may not."""
        return [self.faults.injected[name] for name in AT_FORWARD]

    def import_tick(self, full: bool = False) -> None:
        """What the schedule does for the import; no read is left over where all is quiet."""
        self._import_tick(full)
        if self.faults.quiet and self.depth == 0:
            self.finish_reads()

    def _import_tick(self, full: bool) -> None:
        seconds = float(IMPORT_SECONDS_MAX)
        if self.faults.strike("no_time_for_location"):
            seconds = self.rng.uniform(100, 160)
        end = self.now + timedelta(seconds=seconds)
        try:
            tick = self._invoke(
                IMPORT_SECONDS_MAX,
                lambda: self.make_import()(lambda: (end - self.now).total_seconds(), full=full),
            )
        except InventorySyncError as error:
            self._unexpected(error)
            return
        if tick is not None:
            run = tick.run
            state = (run.state, run.cut_end, run.rows, run.left_out) if run else ""
            self.say("import", tick.outcome, state, tick.detail)
        self._note_finished()

    def _unexpected(self, error: InventorySyncError) -> None:
        """Retriable errors are part of life; a broken invariant never is."""
        self.say("error", type(error).__name__, error)
        if isinstance(error, InvariantError) or not self._forgivable(error):
            self.errors.append(f"{type(error).__name__}: {error}")

    @staticmethod
    def _forgivable(error: InventorySyncError) -> bool:
        from inventory_sync.domain.errors import LeaseLostError, OutcomeUnknownError, RetriableError

        return isinstance(error, RetriableError | OutcomeUnknownError | LeaseLostError)

    def _note_finished(self) -> None:
        """Other channels' decrements count from the first finished import that shows them."""
        run_id = self.runs.head().finished_run_id
        if run_id is None or run_id in self.finalized_runs:
            return
        self.finalized_runs.add(run_id)
        entries = self.files.manifest(run_id).locations

        def waits(key: Key) -> bool:
            """Whether the row, be it in doubt, had no room in the run's archive."""
            entry = entries.get(key[0])
            start = entry.refresh_from if entry else None
            return start is not None and key[1] >= start

        if self.runs.head().unfinished_run_id is None:
            self.skipped_rows.intersection_update([k for k in self.skipped_rows if waits(k)])

        def told(key: Key) -> bool:
            """Whether the run sent the row if it had changed: a full archive leaves some out."""
            entry = entries.get(key[0])
            if entry is None or entry.basis is not Basis.SNAPSHOT:
                return False
            return entry.refresh_from is None or key[1] < entry.refresh_from

        run = self.runs.head().run
        if run is not None and run.run_id == run_id and self.runs.head().unfinished_run_id is None:
            asked = self.altered_rows.items()
            self.altered_rows = {
                key: at for key, at in asked if at > run.planned_at or not told(key)
            }
        if run is not None and run.run_id == run_id:
            self.untold = {
                key: at
                for key, at in self.untold.items()
                if not (told(key) and self._read_whole(run, entries[key[0]], at))
            }
        self.decrements = [
            d
            for d in self.decrements
            if d.key in self.untold or not told(d.key) or entries[d.key[0]].as_of < d.shown_at
        ]

    def _read_whole(self, run: ImportRun, entry: LocationEntry, since: datetime) -> bool:
        """Whether all rows of the location were read since, whatever the feed says."""
        if not self.fan_out:
            return run.full
        read = self.kept.history.get(entry.read)
        whole = isinstance(read, StockRead) and read.fed_since in {None, read.started_at}
        return whole and isinstance(read, StockRead) and read.started_at >= since

    # Reads that fan out

    def read_tick(self) -> None:
        """The state machine goes on with one batch of those that wait."""
        strike, executions = self.faults.strike, self.executions
        if any(executions.waiting.values()) and strike("execution_stopped"):
            for plan, batches in executions.waiting.items():
                self.late_batches += [(plan, batch) for batch in batches[:1]]
                batches.clear()
        if self.late_reads and self.reads_rng.random() < 0.2:
            self.kept.keep(*self.late_reads.pop(0))
        started = [plan for plan, batches in executions.waiting.items() if batches]
        if self.late_batches and (not started or strike("batch_late")):
            self._read_batch(*self.late_batches.pop(0))
        elif started and not strike("execution_hangs"):
            plan = self.reads_rng.choice(started)
            batch = executions.waiting[plan].pop(0)
            if strike("batch_late"):
                self.late_batches.append((plan, batch))
            elif not strike("batch_lost"):
                self._read_batch(plan, batch)
            if not executions.waiting[plan]:
                self.import_tick()

    def _read_batch(self, plan: ReadPlan, batch: tuple[str, ...]) -> None:
        end = self.now + timedelta(seconds=IMPORT_SECONDS_MAX)
        again = self.faults.strike("batch_read_again")
        try:
            self._invoke(
                IMPORT_SECONDS_MAX,
                lambda: self.make_reader()(
                    plan, batch, lambda: (end - self.now).total_seconds(), again=again
                ),
            )
        except InventorySyncError as error:
            self._unexpected(error)
        self.say("read", plan.plan_id, batch)

    def finish_reads(self) -> None:
        """All that was asked for is read, and imported."""
        while self.late_batches or any(self.executions.waiting.values()):
            self.read_tick()

    def alter_row(self) -> None:
        """Somebody sets a quantity at NewStore; an operator has the next import send the row."""
        location, product = key = (
            self.later_rng.choice(self.locations),
            self.later_rng.choice(self.products),
        )
        if key not in self.newstore_model.imported or key in self.altered_rows:
            return
        self.newstore_model.imported[key] += self.later_rng.randint(-5, 5)
        self.altered_rows[key] = self.now
        products = sorted(k[1] for k in self.altered_rows if k[0] == location)
        asked = Resend(location_id=location, products=tuple(products), at=self.now)
        self.location_store.request_resend(asked, OPERATOR)
        self.say("altered at NewStore", location, product)
        self.check()

    def replay_expired(self) -> None:
        """An event whose retention is over comes once more: a window of the stream is replayed."""
        log, long_ago = self.event_log_store, self.now - timedelta(hours=1)
        closed = [
            ref
            for ref in self.acknowledged
            if not log.is_open(ref) and log.state_of(ref).event.published_at < long_ago
        ]
        if closed:
            ref = self.later_rng.choice(closed)
            body = log.body_of(ref)
            del self.acknowledged[ref]
            log.forget(ref)
            self.say("replayed", ref.event_key)
            self._post(body, 0)

    def change_lag(self) -> None:
        """The ERP declares a longer apply lag; a shorter one would go back on its word."""
        lag = self.erp_model.capabilities.apply_lag_seconds + self.rng.choice((120, 600))
        self.erp_model.capabilities = replace(self.erp_model.capabilities, apply_lag_seconds=lag)
        self.say("apply lag", lag)

    def switch_location(self, enabled: bool | None = None) -> None:
        """An operator takes a location out of the map's imports, or back in."""
        place = self.location_store.locations()[self.rng.choice(self.locations)]
        wanted = not place.enabled if enabled is None else enabled
        self.location_store.put_locations([replace(place, enabled=wanted)], OPERATOR)
        self.say("enabled" if wanted else "disabled", place.location_id)

    def mistype_node(self) -> None:
        """An operator calls a location something else in the map, or puts that right."""
        place = self.location_store.locations()[self.later_rng.choice(self.locations)]
        right, wrong = place.location_id, f"{place.location_id}-mistyped"
        node = wrong if place.fulfillment_node_id == right else right
        self.location_store.put_locations([replace(place, fulfillment_node_id=node)], OPERATOR)
        self.say("mapped", place.location_id, node)

    def operate(self) -> None:
        """An operator looks at what is held."""
        for location_id, held in sorted(self.location_store.holds().items()):
            approvals = [
                Approval(
                    location_id=location_id,
                    kind=hold.kind,
                    product_id=hold.product_id,
                    figures=hold.figures,
                    bound_units=bound_of(hold),
                    who="op",
                    why="sim",
                    at=self.now,
                )
                for hold in held.holds
                if hold.kind in APPROVABLE
            ]
            if approvals:
                self.faults.note("held_by_guard")
                self.location_store.approve(approvals, OPERATOR)
                self.say("approved", location_id, [a.named for a in approvals])

    def _state(self, ref: EventRef) -> OpenEvent:
        state: OpenEvent = self.event_log_store.state_of(ref)
        return state
