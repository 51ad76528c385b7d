"""The one record all import ticks work on, and the lease to advance it."""

from dataclasses import dataclass, field
from datetime import datetime

from inventory_sync.domain.import_run import ImportRun
from inventory_sync.domain.reading import ReleaseReading
from inventory_sync.domain.release_evidence import ReleaseFindings
from inventory_sync.domain.stock_reads import ReadPlan


@dataclass(frozen=True, slots=True)
class FinishedJob:
    """A run whose job NewStore has finished, and when we saw that."""

    run_id: str
    ended_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportHead:
    """The one record all ticks work on; `version` grows with each write.

    `watermark` is None before the first finished import. `unfinished_run_id` is the last attempted
    run that did not finish, or finished without some rows: their state at NewStore is unknown.
    `refused_again` are the ids that NewStore named where it refused nothing but what it had refused
    of the run before too: then only the rows that these name are in doubt; empty: all of the run's.
    `release` is what was found of a shipped unit's fate at NewStore; `finished_reading` is what the
    last run took for it that sent every row. `recent_jobs` are the last hour's, the latest last.
    `reads` are those that were last asked for, where reads fan out.
    """

    version: int = 0
    run: ImportRun | None = None
    finished_run_id: str | None = None
    unfinished_run_id: str | None = None
    refused_again: tuple[str, ...] = ()
    watermark: int | None = None
    create_not_before: datetime | None = None
    last_job_created_at: datetime | None = None
    last_finished_at: datetime | None = None
    last_full_at: datetime | None = None
    release: ReleaseFindings = field(default_factory=ReleaseFindings)
    reads: ReadPlan | None = None
    finished_reading: ReleaseReading | None = None
    recent_jobs: tuple[FinishedJob, ...] = ()

    def switches_to(self, reading: ReleaseReading) -> bool:
        """Whether what NewStore has was chosen by another rule: then every row has to be sent.

        `range` and `find_out` choose the same rows.
        """
        before, immediate = self.finished_reading, ReleaseReading.IMMEDIATE
        return before is not None and (before is immediate) != (reading is immediate)

    def after_shadow(self, until: datetime | None) -> "ImportHead":
        """As before the first import, where another system has imported since the last run.

        What NewStore was told then stands there no more, and what it has released nobody knows:
        the next range begins anew, and every row is sent.
        """
        run = self.run
        if until is None or run is None or not run.ended or run.planned_at > until:
            return self
        if self.finished_run_id is None and self.unfinished_run_id is None:
            return self
        return ImportHead(
            version=self.version,
            run=run,
            create_not_before=self.create_not_before,
            last_job_created_at=self.last_job_created_at,
            release=self.release,
            reads=self.reads,
        )


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to advance the run until `expires_at`; a higher token always wins."""

    fencing_token: int
    expires_at: datetime
