"""`runs` and `run`: what the import has done."""

from datetime import datetime, timedelta
from itertools import islice
from typing import Any

import click
from rich.table import Table

from cli.command import Operator, connected
from cli.output import columns
from cli.text import instant, iso, span
from inventory_sync.domain.errors import RejectedError
from inventory_sync.domain.import_run import ImportRun
from inventory_sync.domain.wording import counted


@click.command()
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 100_000))
@click.option("--state", help="Only runs in this state, such as FAILED.")
@connected
def runs(operator: Operator, limit: int, state: str | None) -> None:
    """List the last import runs, the newest first.

    Example: inventory-sync runs --state FAILED
    """
    found = operator.stack.runs.newest_first()
    chosen = (run for run in found if state is None or run.state == state.upper())
    rows = [
        {
            "run": run.run_id,
            "state": run.state.value,
            "kind": "full" if run.full else "delta",
            "cut end": str(run.cut_end),
            "rows": str(run.rows),
            "events": str(run.released_events),
            "left out": str(len(run.left_out)),
            "took": span((run.ended_at or operator.now) - run.planned_at),
            "failure": run.failure,
        }
        for run in islice(chosen, limit)
    ]
    operator.out.table("runs", rows, "No run is on record.")


@click.command("run")
@click.argument("run_id", metavar="RUN")
@connected
def show_run(operator: Operator, run_id: str) -> None:
    """Show what RUN planned, cut, sent and was told; `last` is the newest.

    Example: inventory-sync run last
    """
    run = _find(operator, run_id)
    records = list(operator.stack.records.locations(run.run_id))
    locations = [
        {
            "location": record.location_id,
            "basis": record.basis.value,
            "as of": instant(record.as_of),
            "range": f"{record.released.start}-{record.released.end}",
            "events": str(sum(event.counted for event in record.events)),
            "sent": str(record.rows_sent),
            "clamped": str(record.rows_clamped),
            "left out": run.left_out.get(record.location_id, ""),
        }
        for record in records
    ]
    named = {record.location_id for record in records}
    unread = [f"  {key}: {why}" for key, why in run.left_out.items() if key not in named]
    errors = [
        f"  {error.entity_type} {error.entity_id}: {error.reason}" for error in run.job_errors
    ]
    parts: list[Table | str] = [_headline(run)]
    parts += ["", columns(locations)] if locations else []
    parts += ["", "Left out:", *unread] if unread else []
    parts += ["", "NewStore's errors:", *errors] if errors else []
    figures = {
        "run": _figures(run),
        "locations": locations,
        "job_errors": [error.reason for error in run.job_errors],
    }
    operator.out.report(figures, *parts)


def _find(operator: Operator, run_id: str) -> ImportRun:
    history = operator.stack.runs
    run = next(history.newest_first(), None) if run_id == "last" else history.run(run_id)
    run = run or (operator.stack.records.outcome(run_id) if run_id != "last" else None)
    if run is None:
        raise RejectedError(f"there is no run {run_id} on record; see `runs`")
    return run


def _headline(run: ImportRun) -> str:
    kind = "full" if run.full else "delta"
    lines = [
        f"{run.run_id}: {kind}, {run.state.value}" + (f", {run.failure}" if run.failure else ""),
        f"  cut end {run.cut_end}; {counted(run.released_events, 'event')} counted,"
        f" {run.late_events} late",
        f"  {counted(run.rows, 'row')} in {counted(run.files, 'file')}, {run.clamped} clamped;"
        f" {counted(run.snapshots, 'snapshot')}",
        f"  file {run.source_uri or '-'}",
        f"  job {run.job_id or '-'}",
        f"  planned {instant(run.planned_at)}{_after(run, run.built_at, 'built')}"
        f"{_after(run, run.job_created_at, 'job created')}{_after(run, run.ended_at, 'ended')}",
    ]
    lines += [f"  not sent: {row}" for row in run.rows_unsendable]
    if run.approvals:
        lines.append("  approved: " + ", ".join(f"{k} by {w}" for k, w in run.approvals.items()))
    return "\n".join(lines)


def _after(run: ImportRun, at: datetime | None, what: str) -> str:
    if at is None:
        return ""
    return f", {what} after {span(max(timedelta(0), at - run.planned_at))}"


def _figures(run: ImportRun) -> dict[str, Any]:
    return {
        "run_id": run.run_id,
        "state": run.state.value,
        "full": run.full,
        "cut_end": run.cut_end,
        "job_id": run.job_id,
        "source_uri": run.source_uri,
        "rows": run.rows,
        "files": run.files,
        "released_events": run.released_events,
        "late_events": run.late_events,
        "clamped": run.clamped,
        "failure": run.failure,
        "left_out": dict(run.left_out),
        "rows_unsendable": list(run.rows_unsendable),
        "planned_at": iso(run.planned_at),
        "built_at": iso(run.built_at),
        "job_created_at": iso(run.job_created_at),
        "ended_at": iso(run.ended_at),
    }
