"""Bring a run's file to NewStore as a job; each step is written into the head right after it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from inventory_sync.domain.errors import (
    RETRY_AFTER_SECONDS_MAX,
    RejectedError,
    TooManyJobsError,
)
from inventory_sync.domain.import_run import (
    Facts,
    GiveUp,
    ImportRun,
    JobError,
    JobState,
    RunState,
    chunks_in_words,
    errors_in_words,
)
from inventory_sync.ports.newstore import NewStore
from inventory_sync.use_cases.import_stock.commit_run import JOB_ERRORS_MAX, commit_run
from inventory_sync.use_cases.import_stock.import_jobs import ImportJobs
from inventory_sync.use_cases.import_stock.leased_head import LeasedHead

START_AGAIN_AFTER = timedelta(minutes=5)
"""NewStore may list a job as `received` for a while after it has taken its start."""


@dataclass(frozen=True, slots=True)
class RunJob:
    """`spacing` is what NewStore wants between two jobs."""

    newstore: NewStore
    leased: LeasedHead
    jobs: ImportJobs
    spacing: timedelta

    @property
    def _now(self) -> datetime:
        return self.leased.clock.now()

    def facts(self, run: ImportRun, paused: Callable[[], str]) -> Facts:
        """What the next step depends on; `paused` says who has paused imports and why."""
        now = self._now
        match run.state:
            case RunState.UPLOADED:
                job, not_before = self.jobs.received(run), self._create_not_before()
                return Facts(now=now, job=job, create_not_before=not_before, paused=paused())
            case RunState.CREATED:
                return Facts(now=now, job=self.newstore.job(run.job_id), paused=paused())
            case RunState.STARTED:
                job, again_at = self.newstore.job(run.job_id), self._start_again_at()
                idle = job is not None and job.state is JobState.RECEIVED
                stopped = paused() if idle else ""
                return Facts(now=now, job=job, create_not_before=again_at, paused=stopped)
        return Facts(now=now)

    def _create_not_before(self) -> datetime | None:
        """NewStore wants a pause between two jobs, and after a 429 the one it asks for.

        What was noted while our clock was ahead is not waited for once it is right again.
        """
        last_at, asked_until = self._last_job_at, self.leased.head.create_not_before
        until = [last_at + self.spacing] if last_at else []
        if asked_until and asked_until - self._now <= timedelta(seconds=RETRY_AFTER_SECONDS_MAX):
            until.append(asked_until)
        return max(until, default=None)

    def _start_again_at(self) -> datetime | None:
        """When a job that is `received` all the same counts as not started."""
        started_at = self._last_job_at
        return started_at + START_AGAIN_AFTER if started_at else None

    @property
    def _last_job_at(self) -> datetime | None:
        """When one was created or started last; None where that is still to come."""
        at = self.leased.head.last_job_created_at
        return at if at is not None and at <= self._now else None

    def create(self, run: ImportRun) -> None:
        """A job that NewStore refuses ends the run; TooManyJobsError says to wait."""
        try:
            job_id = self.newstore.create_job(name=run.job_name, source_uri=run.source_uri)
        except TooManyJobsError as error:
            wait = timedelta(seconds=error.retry_after_seconds or 0)
            self.leased.save(run, create_not_before=self._now + wait)
            raise
        except RejectedError as error:
            self._end_failed(run, f"NewStore refused the job: {error}")
            return
        self.adopt(run, job_id)

    def adopt(self, run: ImportRun, job_id: str) -> None:
        """The job is the run's."""
        now = self._now
        created = replace(run, state=RunState.CREATED, job_id=job_id, job_created_at=now)
        self.leased.save(created, last_job_created_at=now)

    def start(self, run: ImportRun) -> None:
        """A job that NewStore refuses to start is set to failed, and ends the run."""
        try:
            self.newstore.start_job(run.job_id, run.source_uri)
        except RejectedError as error:
            self.jobs.fail(run.job_id, f"could not be started: {error}")
            self._end_failed(run, f"NewStore refused to start the job: {error}")
            return
        self.record_started(run)

    def record_started(self, run: ImportRun) -> None:
        """A start that comes long after the creation opens the five minutes anew."""
        self.leased.save(replace(run, state=RunState.STARTED), last_job_created_at=self._now)

    def commit(self, run: ImportRun) -> None:
        """The run counts from here on; one without a job had nothing to send."""
        run = replace(run, job_errors=self._errors(run))
        self.leased.write(commit_run(self.leased.head, run, now=self._now))
        self.leased.observer.count("RunsFinished")
        self.leased.observer.count("JobErrors", len(run.job_errors))
        self._log_errors(run)
        self.leased.observer.count("RowsSent", run.rows)

    def give_up(self, run: ImportRun, step: GiveUp) -> None:
        """End the run with all that NewStore says of its job."""
        failed = replace(run, job_errors=self._errors(run))
        said = (
            step.failure,
            errors_in_words(failed.job_errors),
            chunks_in_words(self.jobs.chunks(run)),
        )
        self._end_failed(failed, "; ".join(filter(None, said)), by_choice=step.by_choice)

    def _errors(self, run: ImportRun) -> tuple[JobError, ...]:
        return tuple(self.jobs.errors(run)[:JOB_ERRORS_MAX])

    def _end_failed(self, run: ImportRun, failure: str, *, by_choice: bool = False) -> None:
        self.leased.save(replace(run, state=RunState.FAILED, failure=failure, ended_at=self._now))
        self.leased.observer.count("RunsFailed", not by_choice)
        self._log_errors(run)

    def _log_errors(self, run: ImportRun) -> None:
        for error in run.job_errors:
            self.leased.observer.log("job error", run_id=run.run_id, job_id=run.job_id, error=error)
