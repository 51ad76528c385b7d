"""Report how old what NewStore and the operators wait for is, at the end of a tick."""

from collections.abc import Mapping
from datetime import datetime

from inventory_sync.domain.holds import OperatorHold
from inventory_sync.domain.import_head import ImportHead
from inventory_sync.domain.import_run import RunState
from inventory_sync.ports.observe import Observer


def report_ages(
    head: ImportHead,
    operator_holds: Mapping[str, OperatorHold] | None,
    *,
    now: datetime,
    observer: Observer,
) -> None:
    """How long ago an import last finished, and how long NewStore has had the job.

    `operator_holds` is None where they could not be read.
    """
    run = head.run
    since = head.last_finished_at or (run.planned_at if run else now)
    observer.count("WatermarkLagSeconds", (now - since).total_seconds())
    under_way = run is not None and run.state in {RunState.CREATED, RunState.STARTED}
    created_at = run.job_created_at if run is not None and under_way else None
    observer.count("JobAgeSeconds", (now - created_at).total_seconds() if created_at else 0.0)
    if run is not None:
        age = 0.0 if run.ended else (now - run.planned_at).total_seconds()
        observer.count("RunAgeSeconds", age)
    if operator_holds is not None:
        held_since = min((hold.at for hold in operator_holds.values()), default=now)
        observer.count("OperatorHoldSeconds", (now - held_since).total_seconds())
