"""One request of two units, shipped one by one; everything of it that may change, in one state."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, cast

from inventory_sync.adapters.newstore.event_body import parse_event
from inventory_sync.domain.atp import AtpKey, StockInsights
from inventory_sync.domain.cut import AppliedRule
from inventory_sync.domain.errors import OutcomeUnknownError, RejectedError
from inventory_sync.domain.events import EventRef, FulfillmentEvent, OpenEvent
from inventory_sync.domain.reading import ReleaseReading
from inventory_sync.domain.snapshot_guards import GuardLimits
from inventory_sync.domain.stock import TryLater, Unknown
from inventory_sync.use_cases.forward.forward_events import ForwardEvents
from inventory_sync.use_cases.import_stock.build_import.build_import import BuildImport
from inventory_sync.use_cases.import_stock.build_import.settings import BuildSettings
from inventory_sync.use_cases.import_stock.import_stock import ImportStock, ImportStockSettings
from inventory_sync.use_cases.ingest.ingest_event import IngestEvent, IngestResult
from local.erp.model import ErpModel
from local.erp.records import Dedupe
from local.newstore.events import event_bytes
from local.newstore.locations import store
from local.newstore.model import NewStoreModel
from local.newstore.truth import RangeScope, Release
from tests.builders import DC, NOW, SKU, location
from tests.exhaust.invocations import Answer, Call, Ports, answered
from tests.fakes.clock import FakeClock
from tests.fakes.event_log import FakeEventLog
from tests.fakes.import_state import FakeFileStore, FakeLeases, FakeLocationStore, FakeRunStore
from tests.fakes.mode import never_a_shadow
from tests.fakes.observer import FakeObserver
from tests.fakes.quarantine import FakeQuarantine
from tests.fakes.run_records import FakeRunRecords
from tests.fakes.unit_owners import FakeUnitOwners
from tests.simulation.ports import SimulatedErp, SimulatedNewStore
from tests.simulation.world import SETTLE_WINDOW, Completed

TENANT = "acme"
KEY = (DC, SKU)
STOCK = 5
REQUEST = "ff1"
UNITS = ("a", "b")
WAIT = SETTLE_WINDOW + timedelta(minutes=1)
"""One step of time: what is on its way is late after it, leases and claims have run out, and
NewStore takes the next job."""
IMPORT_SECONDS = 900.0


@dataclass(frozen=True)
class Rules:
    """What differs from one world to the next, and stays."""

    dedupe: Dedupe = "native"
    range_scope: RangeScope = "tenant"
    range_start_released: bool = True
    release: Release = "range"
    """What becomes of a shipped unit at NewStore."""
    reading: ReleaseReading = ReleaseReading.RANGE
    """What the adapter takes for it."""
    settle: timedelta = SETTLE_WINDOW
    cumulative: bool = True
    """Whether an event lists all that its request has shipped by now."""


class NoFaults:
    """What the simulation's ports ask: nothing happens by chance here."""

    quiet = True

    def strike(self, name: str) -> bool:
        return False


class SmallErp(SimulatedErp):
    """Its answers may be lost, before or after the call has had its effect."""

    def lose(self, call: Call, *, before: bool) -> Any:
        entries = call.args[0] if call.args else ()
        if not before:
            getattr(self, call.method)(*call.args)
        if call.method == "look_up":
            return Unknown("no answer")
        lost = Unknown if call.method == "post_movements" else TryLater
        return [lost("no answer") for _ in entries]


class SmallNewStore(SimulatedNewStore):
    """A job that was started waits until NewStore works it off."""

    def start_job(self, job_id: str, source_uri: str) -> None:
        job = self._model.jobs.by_id.get(job_id)
        if job is None or job.state != "received":
            raise RejectedError("not to be started")
        job.state = "waiting"

    def work_off(self) -> None:
        """Whatever it has been told to start."""
        for job in self._model.jobs.by_id.values():
            if job.state == "waiting":
                job.state = "received"
                self._model.calls.start_import(job.import_id, job.source_uri)
                self._model.advance()


class SmallFiles(FakeFileStore):
    """An archive is put as a whole."""

    def put_archive(self, run_id: str, content: bytes) -> None:
        self.archives[self.archive_uri(run_id)] = content


class SmallRecords(FakeRunRecords):
    """A record is put as a whole; nothing here reads it."""

    def put(self, run_id: str, lines: list[Any]) -> None:
        """Nothing."""


class SmallWorld:
    """Has all that tests/simulation/invariants.py looks at."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.now = NOW
        self.faults = NoFaults()
        self.files = SmallFiles()
        self.records = SmallRecords()
        self.event_log_store: Any = FakeEventLog()
        self.unit_owners = FakeUnitOwners()
        self.quarantine = FakeQuarantine()
        self.leases = FakeLeases()
        self.runs = FakeRunStore(self.leases)
        self.location_store = FakeLocationStore(location(DC))
        self.erp_model = ErpModel(self.clock, dedupe=rules.dedupe)
        self.erp_model.add_location(DC)
        self.erp_model.set_stock(KEY, STOCK)
        self.newstore_model = NewStoreModel(
            TENANT,
            self.clock,
            fetch=self.files.fetch,
            range_scope=rules.range_scope,
            range_start_released=rules.range_start_released,
            release=rules.release,
            locations=[store(DC)],
        )
        self.newstore_model.cumulative_events = rules.cumulative
        self.newstore_model.set_imported(KEY, STOCK)
        self.newstore_model.assign(REQUEST, "order", DC, [(unit, SKU) for unit in UNITS])
        self.erp = SmallErp(cast(Any, self))
        self.newstore = SmallNewStore(cast(Any, self))
        self.locations, self.products = [DC], [SKU]
        self.physical: Counter[tuple[str, str]] = Counter({KEY: STOCK})
        self.completed: dict[EventRef, Completed] = {}
        self.unsettled: dict[EventRef, Completed] = {}
        self.bodies: dict[EventRef, bytes] = {}
        self.acknowledged: dict[EventRef, bytes | None] = {}
        self.acknowledged_elsewhere: list[bytes] = []
        self.errors: list[str] = []
        self.stream: list[str] = []
        """Records of what was stored, by name."""
        self.watermark: int | None = None
        """What the invariants remember from one look to the next."""
        self.cut_end = 0
        # What happens in the simulation, and not here
        self.decrements: list[Any] = []
        self.skipped_rows: set[Any] = set()
        self.lost: dict[Any, int] = {}
        self.altered_rows: dict[Any, Any] = {}
        self.leapt = None
        self.malformed: dict[bytes, Any] = {}
        self.reading = rules.reading

    def clock(self) -> datetime:
        return self.now

    # What the simulation's ports ask of their world

    def erp_is_down(self) -> bool:
        return False

    @property
    def idle_sweeps(self) -> list[str]:
        return []

    def held_by_mispick(self) -> set[tuple[str, str]]:
        """None: here every unit is found."""
        return set()

    def interrupt(self, label: str, phase: str) -> None:
        """Invocations stop between calls, not within."""

    # Steps of the world

    @property
    def shipped(self) -> int:
        """How many of the units."""
        return len(self.completed)

    def ship(self) -> None:
        """The next unit leaves; its event is cumulative."""
        raw = self.newstore_model.complete(
            REQUEST, [UNITS[self.shipped]], logical_timestamp=10 * (self.shipped + 1)
        )
        self.physical[KEY] -= 1
        body = event_bytes(raw)
        event = parse_event(body, TENANT)
        assert isinstance(event, FulfillmentEvent)
        self.completed[event.ref] = self.unsettled[event.ref] = Completed(event, False)
        self.bodies[event.ref] = body

    def deliver(self, ref: EventRef) -> bool:
        """Once, or once more; whether it was stored now."""
        ingest = IngestEvent(
            parse=lambda body: parse_event(body, TENANT),
            event_log=self.event_log_store,
            quarantine=self.quarantine,
            clock=FakeClock(self.now),
            observer=FakeObserver(),
        )
        outcome = ingest(self.bodies[ref])
        self.acknowledged[ref] = self.bodies[ref]
        if self.completed[ref].stored_at is None:
            self.completed[ref].stored_at = self.now
        return outcome.result is IngestResult.STORED

    def expire(self, ref: EventRef) -> None:
        """The retention of its record is over."""
        self.event_log_store.forget(ref)
        del self.acknowledged[ref]

    def wait(self, by: timedelta = WAIT) -> None:
        self.now += by

    def perform(self, call: Call) -> Answer:
        """Make the call that an invocation stopped at."""
        if call.port == "clock":
            return Answer(0.0 if call.method == "monotonic" else self.now)
        try:
            return answered(
                getattr(self._target(call.port), call.method)(*call.args, **call.kwargs)
            )
        except Exception as error:  # noqa: BLE001 - the use case is to meet it
            return Answer(error=error)

    def lose_answer(self, call: Call, *, before: bool) -> Answer:
        """The same where no answer comes back: before or after the call has had its effect."""
        if call.port == "erp":
            return Answer(self.erp.lose(call, before=before))
        if not before:
            self.perform(call)
        return Answer(error=OutcomeUnknownError("no answer"))

    def _target(self, port: str) -> Any:
        return {
            "event_log": self.event_log_store,
            "owners": self.unit_owners,
            "quarantine": self.quarantine,
            "erp": self.erp,
            "newstore": self.newstore,
            "files": self.files,
            "records": self.records,
            "runs": self.runs,
            "leases": self.leases,
            "locations": self.location_store,
        }[port]


class NothingShown:
    """ports.RowReader: what NewStore shows of rows is looked at in the simulation, and not here."""

    def atp(self, keys: Iterable[AtpKey]) -> Mapping[AtpKey, int]:
        raise RejectedError("not shown")

    def insights(self, key: AtpKey) -> StockInsights:
        raise RejectedError("not shown")


@dataclass(frozen=True)
class Adapter:
    """The real use cases over ports that may stop; `owners` may put a bug in front of a port."""

    rules: Rules
    events: dict[str, OpenEvent] = field(default_factory=dict)
    """The stream's records by the name of an invocation."""
    owners: Callable[[Any], Any] = lambda port: port

    def begin(self, ports: Ports, name: str) -> None:
        """Run the use case of that name to its end, or up to the next call."""
        if name == "import":
            self._import(ports)(lambda: IMPORT_SECONDS)
        elif name == "sweep":
            self._forward(ports).sweep(lambda: IMPORT_SECONDS)
        else:
            self._forward(ports)([self.events[part] for part in name.split("+")])

    def note(self, state: OpenEvent) -> str:
        """As the stream has it when it is stored: the name of an invocation with it."""
        name = f"{state.event.logical_timestamp}@{state.received_at:%H:%M}"
        self.events[name] = OpenEvent(event=state.event, received_at=state.received_at)
        return name

    def _forward(self, ports: Ports) -> ForwardEvents:
        return ForwardEvents(
            event_log=ports.port("event_log"),
            owners=self.owners(ports.port("owners")),
            quarantine=ports.port("quarantine"),
            erp=ports.port("erp"),
            clock=ports.port("clock"),
            observer=ports.observer,
            rule=AppliedRule(),
            claim=timedelta(minutes=3),
            sweep_age=timedelta(0),
            mode_check=never_a_shadow,
        )

    def _import(self, ports: Ports) -> ImportStock:
        port = ports.port
        shared: dict[str, Any] = {
            "event_log": port("event_log"),
            "newstore": port("newstore"),
            "files": port("files"),
            "records": port("records"),
            "location_store": port("locations"),
            "clock": port("clock"),
            "observer": ports.observer,
        }
        settings = BuildSettings(
            first_logical_timestamp=0,
            settle=self.rules.settle,
            other_channel_lags={},
            guards=GuardLimits(),
            reading=self.rules.reading,
        )
        return ImportStock(
            build=BuildImport(
                erp=port("erp"), unstored=FakeQuarantine(), settings=settings, **shared
            ),
            runs=port("runs"),
            stock=NothingShown(),
            leases=port("leases"),
            settings=replace(ImportStockSettings(), poll_seconds_max=0.0),
            mode_check=never_a_shadow,
            **shared,
        )
