"""The import run: its record, and the pure planner that says what comes next.

PLANNED --build--> UPLOADED --create--> CREATED --start--> STARTED --poll--> FINISHED
  |                    |                   |                  |                  |
  |                    `-------------------+------------------+--> FAILED        | settle
  |-- nothing to send, so no job: FINISHED                                       v
  `-- every location held: HELD                                               FINALIZED
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from inventory_sync.domain.reading import ReleaseReading
from inventory_sync.domain.wording import counted

JOB_NAME_PREFIX = "inventory-sync "
CHUNK_REASONS_MAX = 3
_JOB_UNKNOWN = "NewStore does not know the job"


class RunState(StrEnum):
    """Where a run stands; written after the step it names is done."""

    PLANNED = "PLANNED"
    UPLOADED = "UPLOADED"
    CREATED = "CREATED"
    STARTED = "STARTED"
    FINISHED = "FINISHED"
    FINALIZED = "FINALIZED"
    FAILED = "FAILED"
    HELD = "HELD"


class JobState(StrEnum):
    """NewStore's job states; OTHER is one that its documents do not name: not yet ended."""

    RECEIVED = "received"
    WAITING = "waiting"
    PROCESSING = "processing"
    CLEANING = "cleaning"
    FINISHED = "finished"
    PARTIALLY_FAILED = "partially_failed"
    FAILED = "failed"
    OTHER = "other"


JOB_FAILED = frozenset({JobState.FAILED, JobState.PARTIALLY_FAILED})
"""Some rows, or all, were not taken; which, nobody says: all are in doubt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportJob:
    """NewStore's job; `name` may be left out of its answer, `reason` says why it failed."""

    job_id: str
    state: JobState
    name: str = ""
    reason: str = ""

    @property
    def ours(self) -> bool:
        """Whether this adapter made it."""
        return self.name.startswith(JOB_NAME_PREFIX)

    def belongs_to(self, run: "ImportRun") -> bool:
        """Whether it is the job of this very run."""
        return self.name == run.job_name


@dataclass(frozen=True, slots=True)
class JobError:
    """One entry of a job's error list."""

    reason: str
    entity_type: str
    entity_id: str


@dataclass(frozen=True, slots=True)
class JobChunk:
    """Rows that NewStore processed together: when many of them fail, all do."""

    rows: int
    failed: bool
    failure: str


def chunks_in_words(chunks: Sequence[JobChunk]) -> str:
    """Which failed and why; empty where none did."""
    failed = [chunk for chunk in chunks if chunk.failed]
    if not failed:
        return ""
    rows = sum(chunk.rows for chunk in failed)
    reasons = sorted({chunk.failure for chunk in failed if chunk.failure})
    told = f"{len(failed)} of {len(chunks)} chunks failed, with {rows} rows"
    return ": ".join([told, "; ".join(reasons[:CHUNK_REASONS_MAX])]) if reasons else told


def errors_in_words(errors: Sequence[JobError]) -> str:
    """How many there are, and what NewStore says of the first; empty where there is none."""
    if not errors:
        return ""
    first = errors[0]
    about = " ".join(filter(None, ("the first", first.entity_type, first.entity_id)))
    return f"{counted(len(errors), 'error')}, {about}: {first.reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRun:
    """One attempt to bring NewStore's quantities up to date.

    `cut_end` is the end of the range. `snapshots` counts the locations that were read. `rows_left`
    are rows that had no room in the archive and wait for the next run. `rows_unsendable` names the
    first 50 that NewStore might refuse, and with them the whole job, and why. `rows`,
    `files` and `job_errors` describe what was sent and said. `left_out` names the first 200
    locations. `ended_at` is when it was known what NewStore said, or that nothing was to be sent.
    `refused_before` is what NewStore refused of the run before, whose rows this one sends again.
    `only` names the locations that are read, where an operator asked for some; the others are
    rolled forward. `reading` is what the build took for NewStore's way with a shipped unit.
    """

    run_id: str
    state: RunState
    planned_at: datetime
    full: bool
    cut_end: int
    refused_before: tuple[str, ...] = ()
    built_at: datetime | None = None
    source_uri: str = ""
    job_id: str = ""
    job_created_at: datetime | None = None
    ended_at: datetime | None = None
    rows: int = 0
    files: int = 0
    late_events: int = 0
    clamped: int = 0
    released_events: int = 0
    snapshots: int = 0
    rows_left: int = 0
    rows_unsendable: tuple[str, ...] = ()
    left_out: dict[str, str] = field(default_factory=dict)
    approvals: dict[str, str] = field(default_factory=dict)
    job_errors: tuple[JobError, ...] = ()
    failure: str = ""
    only: tuple[str, ...] = ()
    reading: ReleaseReading | None = None

    @property
    def job_name(self) -> str:
        """What the job is called at NewStore: how a job is matched with its run after a crash."""
        return JOB_NAME_PREFIX + self.run_id

    @property
    def refused(self) -> tuple[str, ...]:
        """What the job's errors are about, each once."""
        return tuple(sorted({f"{e.entity_type} {e.entity_id}" for e in self.job_errors}))

    @property
    def ended(self) -> bool:
        """Whether the next tick plans a new run."""
        return self.state in {RunState.FINALIZED, RunState.FAILED, RunState.HELD}


@dataclass(frozen=True, slots=True)
class Build:
    """Read the ERP, cut, and upload the files."""


@dataclass(frozen=True, slots=True)
class CreateJob:
    """Create the job at NewStore."""


@dataclass(frozen=True, slots=True)
class AdoptJob:
    """The job was created, only its answer was lost."""

    job_id: str


@dataclass(frozen=True, slots=True)
class StartJob:
    """Start the job."""


@dataclass(frozen=True, slots=True)
class RecordStarted:
    """The job runs, only the answer to the start was lost."""


@dataclass(frozen=True, slots=True)
class Commit:
    """Move the watermark to the cut end."""


@dataclass(frozen=True, slots=True)
class Finalize:
    """Mark the events the run counted and close those that need nothing more."""


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Keep the job's errors, leave the watermark, plan afresh next time.

    `by_choice` where an operator wanted it: nothing is wrong.
    """

    failure: str
    by_choice: bool = False


@dataclass(frozen=True, slots=True)
class AbandonJob:
    """Set the job to failed."""

    reason: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do before `until`."""

    until: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Done:
    """The run has ended."""


Step = (
    Build
    | CreateJob
    | AdoptJob
    | StartJob
    | RecordStarted
    | Commit
    | Finalize
    | GiveUp
    | AbandonJob
    | Wait
    | Done
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the planner is told about the world.

    `job` is the run's job: found by name among the received ones before its id is known, fetched
    by id afterwards; None where NewStore has no such job. `paused` says who has paused imports,
    and why; empty where nobody has.
    """

    now: datetime
    job: ImportJob | None = None
    create_not_before: datetime | None = None
    paused: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLimits:
    """`job_age_max`: after it a job that has not ended is set to failed.

    `job_unknown_grace`: so much longer is one waited for that NewStore does not know, since it may
    be under way, and known again in time to be set to failed.
    `upload_age_max`: after it files without a job are built afresh: an old file is old stock.
    """

    poll_interval: timedelta = timedelta(seconds=5)
    job_age_max: timedelta = timedelta(hours=6)
    job_unknown_grace: timedelta = timedelta(hours=1)
    upload_age_max: timedelta = timedelta(minutes=30)


def next_step(run: ImportRun, facts: Facts, limits: RunLimits) -> Step:
    """What the run does next; the same run and facts always give the same step.

    While imports are paused nothing new reaches NewStore: what it has not been told to start is
    given up, since it would be old stock later. What it is at goes on to its end.
    """
    match run.state:
        case RunState.PLANNED:
            return Build()
        case RunState.UPLOADED:
            return _after_upload(run, facts, limits)
        case RunState.CREATED | RunState.STARTED:
            return _after_create(run, facts, limits)
        case RunState.FINISHED:
            return Finalize()
        case RunState.FINALIZED | RunState.FAILED | RunState.HELD:
            return Done()


def _after_upload(run: ImportRun, facts: Facts, limits: RunLimits) -> Step:
    if facts.job is not None:
        return AdoptJob(facts.job.job_id)
    if facts.paused:
        return GiveUp(f"imports are paused: {facts.paused}", by_choice=True)
    if facts.now - (run.built_at or run.planned_at) > limits.upload_age_max:
        return GiveUp("files grew old without a job")
    if (until := _pause_until(facts)) is not None:
        return Wait(until, "NewStore wants a pause before the next job")
    return CreateJob()


def _pause_until(facts: Facts) -> datetime | None:
    """The end of the pause that NewStore wants, which a start begins as a creation does."""
    until = facts.create_not_before
    return until if until is not None and facts.now < until else None


def _after_create(run: ImportRun, facts: Facts, limits: RunLimits) -> Step:
    """A job that NewStore does not know may still run: two must never run at once.

    One that is `received` long after its start was answered has not been started: it is again.
    """
    job = facts.job
    unstarted = run.state is RunState.CREATED
    if job is not None and job.state in JOB_FAILED:
        if facts.paused and unstarted:
            return GiveUp(f"imports are paused: {facts.paused}", by_choice=True)
        return GiveUp(_failure(job))
    if job is not None and job.state is JobState.FINISHED:
        return Commit()
    age = facts.now - (run.job_created_at or run.planned_at)
    if job is None and age > limits.job_age_max + limits.job_unknown_grace:
        return GiveUp(_JOB_UNKNOWN)
    if job is None:
        return Wait(facts.now + limits.poll_interval, _JOB_UNKNOWN)
    if age > limits.job_age_max:
        return AbandonJob(_overdue(job, age))
    if unstarted and job.state is JobState.RECEIVED:
        return AbandonJob(f"paused: {facts.paused}") if facts.paused else StartJob()
    if unstarted:
        return RecordStarted()
    if job.state is JobState.RECEIVED and not facts.paused and _pause_until(facts) is None:
        return StartJob()
    return Wait(facts.now + limits.poll_interval, "NewStore has not ended the job")


def _failure(job: ImportJob) -> str:
    part = " in part" if job.state is JobState.PARTIALLY_FAILED else ""
    return f"NewStore failed the job{part}" + (f": {job.reason}" if job.reason else "")


def _overdue(job: ImportJob, age: timedelta) -> str:
    """A job may hang where its file does not match the schema (docs/newstore.md, Import)."""
    if job.state is JobState.PROCESSING:
        return f"hangs in processing, {age} after it was created: its file may not match the schema"
    return f"still {job.state} {age} after it was created"
