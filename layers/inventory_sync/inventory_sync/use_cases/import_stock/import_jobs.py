"""Our jobs at NewStore that were created but never started."""

from inventory_sync.domain.errors import RejectedError
from inventory_sync.domain.import_run import ImportJob, ImportRun
from inventory_sync.ports.newstore import NewStore
from inventory_sync.ports.observe import Observer


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

    def fail(self, job_id: str, reason: str) -> str:
        """What became of it, in words: NewStore may refuse while it processes the job."""
        try:
            self._newstore.fail_job(job_id, f"inventory-sync: {reason}")
            self._observer.log("job set to failed", job_id=job_id, reason=reason)
            return f"job set to failed: {reason}"
        except RejectedError as error:
            self._observer.log("job could not be set to failed", job_id=job_id, error=error)
            return f"NewStore would not set the job to failed ({reason}): {error}"
