"""Commit: the one moment at which a run counts."""

from dataclasses import replace
from datetime import datetime

from inventory_sync.domain.errors import invariant
from inventory_sync.domain.import_head import ImportHead
from inventory_sync.domain.import_run import ImportRun, RunState

JOB_ERRORS_MAX = 100


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
        unfinished_run_id=_resend(run),
        watermark=watermark,
        # A run that read nothing, or less than all, has not brought all up to date.
        last_finished_at=now if run.snapshots and not run.only else head.last_finished_at,
        last_full_at=now if run.full and not run.only else head.last_full_at,
    )


def _resend(run: ImportRun) -> str | None:
    """A job may finish without some rows: the next run sends its rows again.

    What is refused twice waits for the next full refresh, else it would be sent for ever.
    """
    listed = len(run.job_errors) < JOB_ERRORS_MAX or not run.refused_before
    new = frozenset(run.refused) - frozenset(run.refused_before)
    return run.run_id if new and listed else None
