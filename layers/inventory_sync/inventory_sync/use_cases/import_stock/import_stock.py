"""Import: advance the import run as far as this tick can."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from inventory_sync.domain.errors import LeaseLostError, OutcomeUnknownError, RetriableError
from inventory_sync.domain.holds import ALL_IMPORTS, OperatorHold
from inventory_sync.domain.import_head import Lease
from inventory_sync.domain.import_run import (
    AbandonJob,
    AdoptJob,
    Build,
    Commit,
    CreateJob,
    Done,
    Finalize,
    GiveUp,
    ImportRun,
    RecordStarted,
    RunLimits,
    RunState,
    StartJob,
    Step,
    Wait,
    next_step,
)
from inventory_sync.ports.events import EventLog
from inventory_sync.ports.files import FileStore, RunRecords
from inventory_sync.ports.locations import LocationStore
from inventory_sync.ports.mode import ModeCheck
from inventory_sync.ports.newstore import NewStore, RowReader
from inventory_sync.ports.observe import Clock, Observer, RemainingSeconds
from inventory_sync.ports.runs import Leases, RunStore
from inventory_sync.use_cases.import_stock.ask_for_reads import ask_for_reads
from inventory_sync.use_cases.import_stock.build_import.build_import import BuildImport
from inventory_sync.use_cases.import_stock.fan_out import FanOut
from inventory_sync.use_cases.import_stock.finalize_run import FinalizeRun
from inventory_sync.use_cases.import_stock.import_jobs import ImportJobs
from inventory_sync.use_cases.import_stock.leased_head import LeasedHead
from inventory_sync.use_cases.import_stock.plan_run import may_plan, plan_run, why_not_only
from inventory_sync.use_cases.import_stock.report_ages import report_ages
from inventory_sync.use_cases.import_stock.run_job import RunJob
from inventory_sync.use_cases.import_stock.weigh_release import WeighRelease

STEPS_MAX = 200


class TickOutcome(StrEnum):
    """How a tick ended."""

    LEASE_HELD = "lease_held"
    LEASE_LOST = "lease_lost"
    WAITING = "waiting"
    RETRY = "retry"
    ENDED = "ended"
    OUT_OF_TIME = "out_of_time"
    PAUSED = "paused"
    READING = "reading"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Tick:
    """What a tick did; `run` as it stands, `detail` says why it went no further."""

    outcome: TickOutcome
    run: ImportRun | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportStockSettings:
    """`poll_seconds_max` bounds the waiting for NewStore within one tick."""

    lease: timedelta = timedelta(seconds=180)
    job_spacing: timedelta = timedelta(minutes=5)
    poll_seconds_max: float = 60.0
    limits: RunLimits = field(default_factory=RunLimits)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportStock:
    """Each call is one tick: it takes the lease, does what comes next, and gives the lease back.

    With `fan_out` it has the stock read by others, and imports what they have read.
    """

    build: BuildImport
    event_log: EventLog
    newstore: NewStore
    stock: RowReader
    files: FileStore
    records: RunRecords
    runs: RunStore
    leases: Leases
    location_store: LocationStore
    clock: Clock
    observer: Observer
    settings: ImportStockSettings
    mode_check: ModeCheck
    fan_out: FanOut | None = None

    def __call__(
        self,
        remaining_seconds: RemainingSeconds,
        *,
        full: bool = False,
        only: frozenset[str] = frozenset(),
        ended_plan: str = "",
    ) -> Tick:
        """`full` asks for a run that sends every row, if this tick is to plan one.

        `only` asks for one that reads no more than these locations. `ended_plan` says which plan
        of reads has just been carried out. FatalError before anything is done, where settings
        would leave what a shadow has passed over to nobody.
        """
        shadow_until, now = self.mode_check(), self.clock.now()
        lease = self.leases.acquire(now=now, until=now + self.settings.lease)
        if lease is None:
            return Tick(TickOutcome.LEASE_HELD, detail="another tick is at work")
        leased = self.under(lease, remaining_seconds)
        session = _Session(self, leased, shadow_until)
        try:
            tick = session.advance(full=full, only=only, ended_plan=ended_plan)
            session.ask_again(tick)
        except LeaseLostError as error:
            return Tick(TickOutcome.LEASE_LOST, leased.run, str(error))
        except (RetriableError, OutcomeUnknownError) as error:
            tick = Tick(TickOutcome.RETRY, leased.run, str(error))
        except Exception:
            leased.release()
            raise
        holds = session.operator_holds
        report_ages(leased.head, holds, now=self.clock.now(), observer=self.observer)
        leased.release()
        return tick

    def under(self, lease: Lease, remaining_seconds: RemainingSeconds) -> LeasedHead:
        """The head as whoever has the lease may write it."""
        return LeasedHead(
            runs=self.runs,
            leases=self.leases,
            records=self.records,
            clock=self.clock,
            observer=self.observer,
            lease=lease,
            lease_time=self.settings.lease,
            remaining_seconds=remaining_seconds,
        )


class _Session:
    """One tick under one lease."""

    def __init__(
        self, deps: ImportStock, leased: LeasedHead, shadow_until: datetime | None
    ) -> None:
        self.deps = deps
        self.shadow_until = shadow_until
        self.leased = leased
        self.waited_seconds = 0.0
        self.operator_holds: Mapping[str, OperatorHold] | None = None
        self.jobs = ImportJobs(deps.newstore, deps.observer)
        self.job = RunJob(deps.newstore, leased, self.jobs, deps.settings.job_spacing)
        self.weigh = WeighRelease(
            event_log=deps.event_log,
            files=deps.files,
            stock=deps.stock,
            location_store=deps.location_store,
            clock=deps.clock,
            observer=deps.observer,
            go_live_at=deps.build.settings.go_live_at,
        )

    def advance(self, *, full: bool, only: frozenset[str], ended_plan: str) -> Tick:
        """Take steps until the run has ended, has to wait, or time is up."""
        deps, leased = self.deps, self.leased
        leased.load(self.shadow_until)
        run, paused, reading = leased.run, self._paused(), False
        if deps.fan_out is not None and not paused:
            reading = ask_for_reads(deps.fan_out, leased, whole=full, ended=ended_plan)
        if may_plan(leased.head):
            if paused:
                return Tick(TickOutcome.PAUSED, run, f"imports are paused: {paused}")
            if reading and not (full or only):
                return Tick(TickOutcome.READING, run, "the reads of the last minutes go on")
            if only and (why := why_not_only(only, deps.location_store.locations())):
                return Tick(TickOutcome.REFUSED, run, why)
            self.jobs.fail_orphans()
            self._plan(full, only)
        for _ in range(STEPS_MAX):
            run = leased.current
            if leased.spare_seconds < 0:
                return Tick(TickOutcome.OUT_OF_TIME, run)
            leased.keep_lease()
            facts = self.job.facts(run, self._paused)
            tick = self._take(run, next_step(run, facts, deps.settings.limits))
            if tick is not None:
                return tick
        return Tick(TickOutcome.OUT_OF_TIME, leased.run, "too many steps for one tick")

    def ask_again(self, tick: Tick) -> None:
        """Who says meanwhile that the reads have ended finds the lease held, and asks for none."""
        if self.deps.fan_out is not None and tick.outcome is TickOutcome.ENDED:
            ask_for_reads(self.deps.fan_out, self.leased, whole=False, ended="")

    def _take(self, run: ImportRun, step: Step) -> Tick | None:
        """Take one step; a Tick where this tick ends with it."""
        match step:
            case Done():
                return Tick(TickOutcome.ENDED, run)
            case Wait():
                return None if self._wait(step) else Tick(TickOutcome.WAITING, run, step.reason)
            case Build():
                self._build(run)
            case CreateJob():
                self.job.create(run)
            case AdoptJob(job_id):
                self.job.adopt(run, job_id)
            case StartJob():
                self.job.start(run)
            case RecordStarted():
                self.job.record_started(run)
            case Commit():
                self.job.commit(run)
            case Finalize():
                return None if self._finalize(run) else Tick(TickOutcome.OUT_OF_TIME, run)
            case GiveUp():
                self.job.give_up(run, step)
            case AbandonJob(reason):
                told = self.jobs.fail(run.job_id, reason)
                return Tick(TickOutcome.WAITING, run, told)
        return None

    def _paused(self) -> str:
        """Who has paused imports and why; empty where nobody has."""
        self.operator_holds = self.deps.location_store.operator_holds()
        hold = self.operator_holds.get(ALL_IMPORTS)
        return str(hold) if hold else ""

    def _plan(self, full: bool, only: frozenset[str]) -> None:
        head, now = self.leased.head, self.deps.clock.now()
        planned = plan_run(
            head,
            now=now,
            fencing_token=self.leased.lease.fencing_token,
            reading=head.release.in_force(self.deps.build.settings.reading),
            full=full,
            only=only,
        )
        self.leased.save(planned, release=self.weigh.before_imports(head, planned.run_id))

    def _build(self, run: ImportRun) -> None:
        leased = self.leased
        built = self.deps.build(run, leased.head, leased.keep_lease, leased.remaining_seconds)
        if built.state is RunState.FINISHED:
            self.job.commit(built)
        elif built.state is RunState.HELD:
            leased.save(replace(built, ended_at=self.deps.clock.now()))
        else:
            # From here on NewStore may hold these rows: the next run must send them again
            # unless this one finishes, and its cut end must not fall behind this one's.
            built = replace(built, built_at=self.deps.clock.now())
            leased.save(built, unfinished_run_id=built.run_id, refused_again=())

    def _finalize(self, run: ImportRun) -> bool:
        """False when time ran out."""
        deps, before = self.deps, self.leased.head.release
        finalize = FinalizeRun(
            event_log=deps.event_log,
            files=deps.files,
            location_store=deps.location_store,
            observer=deps.observer,
            time_for_more=self.leased.time_for_more,
            go_live_at=deps.build.settings.go_live_at,
        )
        release = self.weigh.after(self.leased.head, run)
        if not finalize(run):
            return False
        self.leased.save(replace(run, state=RunState.FINALIZED), release=release)
        reading = before.in_force(deps.build.settings.reading)
        self.deps.observer.count("ReleaseReadingContradicted", release.contradict(reading))
        return True

    def _wait(self, wait: Wait) -> bool:
        """Sleep where the wait is short; False where the next tick has to go on."""
        seconds = (wait.until - self.deps.clock.now()).total_seconds()
        seconds_max = min(self.deps.settings.poll_seconds_max, self.leased.spare_seconds)
        if self.waited_seconds + seconds > seconds_max:
            return False
        self.deps.clock.sleep(max(0.0, seconds))
        self.waited_seconds += seconds
        return True
