"""Our jobs at NewStore: those never started, and what became of one."""

from collections.abc import Callable
from typing import TypeVar

from inventory_sync.domain.errors import RejectedError
from inventory_sync.domain.import_run import ImportJob, ImportRun, JobChunk, JobError
from inventory_sync.ports.newstore import NewStore
from inventory_sync.ports.observe import Observer

T = TypeVar("T")


class ImportJobs:
    """Finds the job of a run, and sets to failed what must never start."""

    def __init__(self, newstore: NewStore, observer: Observer) -> None:
        self._newstore = newstore
        self._observer = observer

    def received(self, run: ImportRun) -> ImportJob | None:
        """The run's job where an earlier attempt made one; any second one is set to failed."""
        jobs = [job for job in self._newstore.received_jobs() if job.belongs_to(run)]
        jobs.sort(key=lambda job: job.job_id)
        for job in jobs[1:]:
            self.fail(job.job_id, "created twice")
        return jobs[0] if jobs else None

    def fail_orphans(self) -> None:
        """An old file is old stock: what an earlier run left in `received` must never start."""
        for job in self._newstore.received_jobs():
            if job.ours:
                self.fail(job.job_id, "orphan of an earlier run")

    def errors(self, run: ImportRun) -> list[JobError]:
        """What NewStore found wrong with the run's job."""
        return self._about(run, self._newstore.job_errors)

    def chunks(self, run: ImportRun) -> list[JobChunk]:
        """The parts in which NewStore processed the run's job."""
        return self._about(run, self._newstore.job_chunks)

    def _about(self, run: ImportRun, asked: Callable[[str], list[T]]) -> list[T]:
        """Nothing where NewStore does not know the job: the run has to end all the same."""
        try:
            return asked(run.job_id) if run.job_id else []
        except RejectedError as error:
            self._observer.log(
                "no word on the job", run_id=run.run_id, job_id=run.job_id, error=error
            )
            return []

    def fail(self, job_id: str, reason: str) -> str:
        """What became of it, in words: NewStore may refuse while it processes the job."""
        try:
            self._newstore.fail_job(job_id, f"inventory-sync: {reason}")
            self._observer.log("job set to failed", job_id=job_id, reason=reason)
            return f"job set to failed: {reason}"
        except RejectedError as error:
            self._observer.log("job could not be set to failed", job_id=job_id, error=error)
            return f"NewStore would not set the job to failed ({reason}): {error}"
