"""Import: advance the import run as far as this tick can."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from inventory_sync.domain.cut import AppliedRule
from inventory_sync.domain.errors import (
    FatalError,
    InvariantError,
    LeaseLostError,
    OutcomeUnknownError,
    RejectedError,
    RetriableError,
    TooManyJobsError,
)
from inventory_sync.domain.holds import ALL_IMPORTS, OperatorHold
from inventory_sync.domain.import_head import ImportHead, Lease
from inventory_sync.domain.import_run import (
    AbandonJob,
    AdoptJob,
    Build,
    Commit,
    CreateJob,
    Done,
    Facts,
    Finalize,
    GiveUp,
    ImportRun,
    JobError,
    RecordStarted,
    RunLimits,
    RunState,
    StartJob,
    Step,
    Wait,
    chunks_in_words,
    errors_in_words,
    next_step,
)
from inventory_sync.domain.release_evidence import Observation, ReleaseFindings, weigh
from inventory_sync.ports.events import EventLog
from inventory_sync.ports.files import FileStore, RunRecords
from inventory_sync.ports.locations import LocationStore
from inventory_sync.ports.newstore import NewStore, RowReader
from inventory_sync.ports.observe import Clock, Observer, RemainingSeconds
from inventory_sync.ports.runs import Leases, RunStore
from inventory_sync.use_cases.import_stock.build_import.build_import import BuildImport
from inventory_sync.use_cases.import_stock.commit_run import JOB_ERRORS_MAX, commit_run
from inventory_sync.use_cases.import_stock.fan_out import FanOut
from inventory_sync.use_cases.import_stock.finalize_run import FinalizeRun
from inventory_sync.use_cases.import_stock.gather_evidence import GatherEvidence
from inventory_sync.use_cases.import_stock.import_jobs import ImportJobs
from inventory_sync.use_cases.import_stock.plan_run import may_plan, plan_run, why_not_only

STEPS_MAX = 200
WATCHING: Mapping[str, int] = {"locations_max": 1, "rows_max": 4}
"""So much is looked at after each import once the reading is known."""
SAFETY_SECONDS = 15.0
"""No step is begun when the invocation has less time left."""


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
        of reads has just been carried out.
        """
        now = self.clock.now()
        lease = self.leases.acquire(now=now, until=now + self.settings.lease)
        if lease is None:
            return Tick(TickOutcome.LEASE_HELD, detail="another tick is at work")
        session = _Session(self, lease, remaining_seconds)
        try:
            tick = session.advance(full=full, only=only, ended_plan=ended_plan)
        except LeaseLostError as error:
            return Tick(TickOutcome.LEASE_LOST, session.run, str(error))
        except (RetriableError, OutcomeUnknownError) as error:
            tick = Tick(TickOutcome.RETRY, session.run, str(error))
        except Exception:
            self._release(session.lease)
            raise
        session.report_ages()
        self._release(session.lease)
        return tick

    def _release(self, lease: Lease) -> None:
        """A lease that cannot be given back runs out by itself."""
        try:
            self.leases.release(lease)
        except RetriableError as error:
            self.observer.log("lease not given back", error=error)


class _Session:
    """One tick under one lease."""

    def __init__(self, deps: ImportStock, lease: Lease, remaining: RemainingSeconds) -> None:
        self.deps = deps
        self.lease = lease
        self.remaining_seconds = remaining
        self.head = ImportHead()
        self.waited_seconds = 0.0
        self.operator_holds: Mapping[str, OperatorHold] | None = None
        self.jobs = ImportJobs(deps.newstore, deps.observer)

    @property
    def run(self) -> ImportRun | None:
        """The run as last written."""
        return self.head.run

    def advance(self, *, full: bool, only: frozenset[str], ended_plan: str) -> Tick:
        """Take steps until the run has ended, has to wait, or time is up."""
        self.head = self.deps.runs.head()
        run = self.head.run
        paused = self._paused()
        reading = False if paused else self._have_stock_read(whole=full, ended=ended_plan)
        if may_plan(self.head):
            if paused:
                return Tick(TickOutcome.PAUSED, run, f"imports are paused: {paused}")
            if reading and not (full or only):
                return Tick(TickOutcome.READING, run, "the reads of the last minutes go on")
            if only and (why := why_not_only(only, self.deps.location_store.locations())):
                return Tick(TickOutcome.REFUSED, run, why)
            self.jobs.fail_orphans()
            self._plan(full, only)
        for _ in range(STEPS_MAX):
            run = self._current()
            if self.remaining_seconds() < SAFETY_SECONDS:
                return Tick(TickOutcome.OUT_OF_TIME, run)
            self._keep_lease()
            step = next_step(run, self._facts(run), self.deps.settings.limits)
            tick = self._take(run, step)
            if tick is not None:
                return tick
        return Tick(TickOutcome.OUT_OF_TIME, self.run, "too many steps for one tick")

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
                self._create_job(run)
            case AdoptJob(job_id):
                self._save_job(run, job_id)
            case StartJob():
                self._start_job(run)
            case RecordStarted():
                self._save_started(run)
            case Commit():
                self._commit(replace(run, job_errors=self._job_errors(run)))
            case Finalize():
                return None if self._settle(run) else Tick(TickOutcome.OUT_OF_TIME, run)
            case GiveUp():
                self._give_up(run, step)
            case AbandonJob(reason):
                told = self.jobs.fail(run.job_id, reason)
                return Tick(TickOutcome.WAITING, run, told)
        return None

    def report_ages(self) -> None:
        """How long ago an import last finished, and how long NewStore has had the job."""
        now, head, run = self.deps.clock.now(), self.head, self.run
        since = head.last_finished_at or (run.planned_at if run else now)
        self.deps.observer.count("WatermarkLagSeconds", (now - since).total_seconds())
        under_way = run is not None and run.state in {RunState.CREATED, RunState.STARTED}
        created_at = run.job_created_at if run is not None and under_way else None
        age = (now - created_at).total_seconds() if created_at else 0.0
        self.deps.observer.count("JobAgeSeconds", age)
        if run is not None:
            age = 0.0 if run.ended else (now - run.planned_at).total_seconds()
            self.deps.observer.count("RunAgeSeconds", age)
        if self.operator_holds is not None:
            held_since = min((hold.at for hold in self.operator_holds.values()), default=now)
            self.deps.observer.count("OperatorHoldSeconds", (now - held_since).total_seconds())

    def _paused(self) -> str:
        """Who has paused imports and why; empty where nobody has."""
        self.operator_holds = self.deps.location_store.operator_holds()
        hold = self.operator_holds.get(ALL_IMPORTS)
        return str(hold) if hold else ""

    def _have_stock_read(self, *, whole: bool, ended: str) -> bool:
        """Ask for the reads that are due; whether those asked for last began a moment ago.

        An import that cannot have stock read goes on with what there is.
        """
        fan_out, now = self.deps.fan_out, self.deps.clock.now()
        if fan_out is None:
            return False
        try:
            token = self.lease.fencing_token
            reads = fan_out.plan(self.head, now=now, fencing_token=token, whole=whole, ended=ended)
            if reads is not None:
                self._write(replace(self.head, reads=reads.plan))
                fan_out.start(reads)
            return fan_out.just_begun(self.head, now, ended=ended)
        except (RetriableError, FatalError) as error:
            self.deps.observer.log("stock not read", error=error)
            return False

    def _current(self) -> ImportRun:
        run = self.head.run
        if run is None:
            raise InvariantError("resumable", "no run to advance")
        return run

    def _plan(self, full: bool, only: frozenset[str]) -> None:
        now, token = self.deps.clock.now(), self.lease.fencing_token
        reading = self.head.release.in_force(self.deps.build.settings.reading)
        planned = plan_run(
            self.head, now=now, fencing_token=token, reading=reading, full=full, only=only
        )
        self._save(planned, release=self._before_imports(planned.run_id))

    def _before_imports(self, run_id: str) -> ReleaseFindings:
        """As long as no import has finished: what NewStore still lists of what has shipped."""
        release = self.head.release
        if self.head.finished_run_id is not None or release.verdict is not None:
            return release
        return self._weighed(run_id, lambda gather: gather.before_imports())

    def _facts(self, run: ImportRun) -> Facts:
        now = self.deps.clock.now()
        if run.state is RunState.UPLOADED:
            return Facts(
                now=now,
                job=self.jobs.received(run),
                create_not_before=self._create_not_before(),
                paused=self._paused(),
            )
        if run.state is RunState.CREATED:
            job = self.deps.newstore.job(run.job_id)
            return Facts(now=now, job=job, paused=self._paused())
        if run.state is RunState.STARTED:
            return Facts(now=now, job=self.deps.newstore.job(run.job_id))
        return Facts(now=now)

    def _create_not_before(self) -> datetime | None:
        """NewStore wants a pause between two jobs, and after a 429 the one it asks for."""
        created_at, spacing = self.head.last_job_created_at, self.deps.settings.job_spacing
        until = [created_at + spacing] if created_at else []
        until += [self.head.create_not_before] if self.head.create_not_before else []
        return max(until, default=None)

    def _build(self, run: ImportRun) -> None:
        built = self.deps.build(run, self.head, self._keep_lease, self.remaining_seconds)
        if built.state is RunState.FINISHED:
            self._commit(built)
        elif built.state is RunState.HELD:
            self._save(replace(built, ended_at=self.deps.clock.now()))
        else:
            # From here on NewStore may hold these rows: the next run must send them again
            # unless this one finishes, and its cut end must not fall behind this one's.
            built = replace(built, built_at=self.deps.clock.now())
            self._save(built, unfinished_run_id=built.run_id, refused_again=())

    def _create_job(self, run: ImportRun) -> None:
        try:
            job_id = self.deps.newstore.create_job(name=run.job_name, source_uri=run.source_uri)
        except TooManyJobsError as error:
            wait = timedelta(seconds=error.retry_after_seconds or 0)
            self._save(run, create_not_before=self.deps.clock.now() + wait)
            raise
        except RejectedError as error:
            self._end_failed(run, f"NewStore refused the job: {error}")
            return
        self._save_job(run, job_id)

    def _save_job(self, run: ImportRun, job_id: str) -> None:
        now = self.deps.clock.now()
        created = replace(run, state=RunState.CREATED, job_id=job_id, job_created_at=now)
        self._save(created, last_job_created_at=now)

    def _start_job(self, run: ImportRun) -> None:
        try:
            self.deps.newstore.start_job(run.job_id, run.source_uri)
        except RejectedError as error:
            self.jobs.fail(run.job_id, f"could not be started: {error}")
            self._end_failed(run, f"NewStore refused to start the job: {error}")
            return
        self._save_started(run)

    def _save_started(self, run: ImportRun) -> None:
        """A start that comes long after the creation opens the five minutes anew."""
        started = replace(run, state=RunState.STARTED)
        self._save(started, last_job_created_at=self.deps.clock.now())

    def _commit(self, run: ImportRun) -> None:
        self._write(commit_run(self.head, run, now=self.deps.clock.now()))
        self.deps.observer.count("RunsFinished")
        self.deps.observer.count("JobErrors", len(run.job_errors))
        self._note_job_errors(run)
        self.deps.observer.count("RowsSent", run.rows)

    def _settle(self, run: ImportRun) -> bool:
        """False when time ran out."""
        settle = FinalizeRun(
            event_log=self.deps.event_log,
            files=self.deps.files,
            location_store=self.deps.location_store,
            observer=self.deps.observer,
            time_for_more=self._time_for_more,
        )
        before = self.head.release
        release = self._weighed(run.run_id, lambda gather: gather(run))
        if settled := settle(run):
            self._save(replace(run, state=RunState.FINALIZED), release=release)
            reading = before.in_force(self.deps.build.settings.reading)
            self.deps.observer.count("ReleaseReadingContradicted", release.contradict(reading))
        return settled

    def _weighed(
        self, run_id: str, look: Callable[[GatherEvidence], tuple[Observation, ...]]
    ) -> ReleaseFindings:
        """What is known of a shipped unit's fate by now; the run goes on where nothing is learned.

        Asked before the run's events are closed: with them goes what its range has released.
        """
        deps, before = self.deps, self.head.release
        gather = GatherEvidence(
            event_log=deps.event_log,
            files=deps.files,
            stock=deps.stock,
            location_store=deps.location_store,
            clock=deps.clock,
            rule=AppliedRule(go_live_at=deps.build.settings.go_live_at),
            **({} if before.verdict is None else WATCHING),
        )
        try:
            found = look(gather)
        except (RetriableError, RejectedError, FatalError) as error:
            deps.observer.log("release not observed", run_id=run_id, error=error)
            return before
        for one in found:
            deps.observer.log("release observed", run_id=run_id, **asdict(one))
        return weigh(before, found, now=deps.clock.now())

    def _time_for_more(self) -> bool:
        self._keep_lease()
        return self.remaining_seconds() >= SAFETY_SECONDS

    def _give_up(self, run: ImportRun, step: GiveUp) -> None:
        failed = replace(run, job_errors=self._job_errors(run))
        said = (
            step.failure,
            errors_in_words(failed.job_errors),
            chunks_in_words(self.jobs.chunks(run)),
        )
        failure = "; ".join(filter(None, said))
        self._end_failed(failed, failure, by_choice=step.by_choice)

    def _job_errors(self, run: ImportRun) -> tuple[JobError, ...]:
        return tuple(self.jobs.errors(run)[:JOB_ERRORS_MAX])

    def _end_failed(self, run: ImportRun, failure: str, *, by_choice: bool = False) -> None:
        now = self.deps.clock.now()
        self._save(replace(run, state=RunState.FAILED, failure=failure, ended_at=now))
        self.deps.observer.count("RunsFailed", not by_choice)
        self._note_job_errors(run)

    def _note_job_errors(self, run: ImportRun) -> None:
        for error in run.job_errors:
            self.deps.observer.log("job error", run_id=run.run_id, job_id=run.job_id, error=error)

    def _wait(self, wait: Wait) -> bool:
        """Sleep where the wait is short; False where the next tick has to go on."""
        seconds = (wait.until - self.deps.clock.now()).total_seconds()
        spare = self.remaining_seconds() - SAFETY_SECONDS
        if self.waited_seconds + seconds > min(self.deps.settings.poll_seconds_max, spare):
            return False
        self.deps.clock.sleep(max(0.0, seconds))
        self.waited_seconds += seconds
        return True

    def _keep_lease(self) -> None:
        """Renew when a third of the lease is used up; LeaseLostError when it is gone."""
        now = self.deps.clock.now()
        left = self.lease.expires_at - now
        if left < self.deps.settings.lease * 2 / 3:
            until = now + self.deps.settings.lease
            self.lease = self.deps.leases.renew(self.lease, now=now, until=until)

    def _save(self, run: ImportRun, **changes: object) -> None:
        self._write(replace(self.head, run=run, **changes))  # type: ignore[arg-type]

    def _write(self, head: ImportHead) -> None:
        run = head.run
        if run is not None and run.ended:
            self.deps.records.save_outcome(run)
        changes = head.release.changes
        self.head = self.deps.runs.save(
            head,
            lease=self.lease,
            now=self.deps.clock.now(),
            verdict=changes[-1] if changes != self.head.release.changes else None,
        )
        if run is not None:
            self.deps.observer.log(
                "run", run_id=run.run_id, state=run.state, job_id=run.job_id, rows=run.rows
            )
