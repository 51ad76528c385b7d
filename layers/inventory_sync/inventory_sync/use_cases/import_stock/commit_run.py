"""Commit: the one moment at which a run counts."""

from dataclasses import replace
from datetime import datetime

from inventory_sync.domain.errors import invariant
from inventory_sync.domain.import_head import FinishedJob, ImportHead
from inventory_sync.domain.import_run import ImportRun, RunState
from inventory_sync.domain.needed_rows import RECENT
from inventory_sync.domain.reading import ReleaseReading

JOB_ERRORS_MAX = 100
RECENT_JOBS_MAX = 12


def commit_run(head: ImportHead, run: ImportRun, *, now: datetime) -> ImportHead:
    """Watermark and rows together: the head that says that the run has finished."""
    watermark = head.watermark
    if run.job_id or watermark is not None:
        invariant(
            watermark is None or run.cut_end >= watermark,
            "watermark_monotonic",
            f"{run.cut_end} after {watermark}",
        )
        watermark = run.cut_end
    return replace(
        head,
        run=replace(run, state=RunState.FINISHED, ended_at=now),
        finished_run_id=run.run_id,
        unfinished_run_id=run.run_id if run.job_errors else None,
        refused_again=_refused_again(run),
        watermark=watermark,
        # A run that read nothing, or less than all, has not brought all up to date.
        last_finished_at=now if run.snapshots and not run.only else head.last_finished_at,
        last_full_at=now if run.full and not run.only else head.last_full_at,
        finished_reading=_finished_reading(head, run),
        recent_jobs=_recent_jobs(head, run, now),
    )


def _finished_reading(head: ImportHead, run: ImportRun) -> ReleaseReading | None:
    whole = run.full and not run.only
    return run.reading if whole or head.finished_reading is None else head.finished_reading


def _recent_jobs(head: ImportHead, run: ImportRun, now: datetime) -> tuple[FinishedJob, ...]:
    """Seen from when the run was planned: it may have taken hours, and knows of nothing since."""
    new = (FinishedJob(run.run_id, now),) if run.job_id else ()
    kept = (job for job in head.recent_jobs if run.planned_at - job.ended_at < RECENT)
    return (*kept, *new)[-RECENT_JOBS_MAX:]


def _refused_again(run: ImportRun) -> tuple[str, ...]:
    """A job may finish without some rows: the next run sends all of its rows again.

    Where that has not helped, only the rows that NewStore names are sent, until it takes them:
    else one product that it does not know would have ever more rows sent, for ever. A list that is
    full may lack some; these wait for the next full refresh.
    """
    listed = len(run.job_errors) < JOB_ERRORS_MAX or not run.refused_before
    new = frozenset(run.refused) - frozenset(run.refused_before)
    if new and listed:
        return ()
    return tuple(sorted({error.entity_id for error in run.job_errors}))
