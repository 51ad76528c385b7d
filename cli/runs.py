"""`runs` and `run`: what the import has done."""

from dataclasses import asdict
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

import click
from rich.table import Table

from cli.command import Operator, connected
from cli.output import columns
from cli.text import instant, span
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
            "run_id": run.run_id,
            "state": run.state.value,
            "kind": "full" if run.full else "delta",
            "cut_end": run.cut_end,
            "rows": run.rows,
            "events": run.released_events,
            "left_out": len(run.left_out),
            "took_seconds": (run.ended_at or operator.now) - run.planned_at,
            "failure": run.failure or None,
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
            "location_id": record.location_id,
            "basis": record.basis.value,
            "as_of": record.as_of,
            "range": f"{record.released.start}-{record.released.end}",
            "events": sum(event.counted for event in record.events),
            "rows_sent": record.rows_sent,
            "clamped": record.rows_clamped,
            "left_out": run.left_out.get(record.location_id),
        }
        for record in records
    ]
    named = {record.location_id for record in records}
    unread = [f"  {key}: {why}" for key, why in run.left_out.items() if key not in named]
    errors = [
        f"  {error.entity_type} {error.entity_id}: {error.reason}" for error in run.job_errors
    ]
    parts: list[Table | str] = [*_headline(run)]
    parts += ["", columns(locations)] if locations else []
    parts += ["", "Left out:", *unread] if unread else []
    parts += ["", "NewStore's errors:", *errors] if errors else []
    figures = {
        "run": _figures(run),
        "locations": locations,
        "job_errors": [asdict(error) for error in run.job_errors],
    }
    operator.out.report(figures, *parts)


def _find(operator: Operator, run_id: str) -> ImportRun:
    history = operator.stack.runs
    run = next(history.newest_first(), None) if run_id == "last" else history.run(run_id)
    run = run or (operator.stack.records.outcome(run_id) if run_id != "last" else None)
    if run is None:
        raise RejectedError(f"there is no run {run_id} on record; see `runs`")
    return run


def _headline(run: ImportRun) -> list[str]:
    kind = "full" if run.full else "delta"
    lines = [
        f"{run.run_id}: {kind}, {run.state.value}" + (f", {run.failure}" if run.failure else ""),
        f"  cut end {run.cut_end}; {counted(run.released_events, 'event')} counted,"
        f" {run.late_events} late",
        f"  {counted(run.rows, 'row')} in {counted(run.files, 'file')}, {run.clamped} clamped;"
        f" {counted(run.snapshots, 'snapshot')}",
        f"  archive {_archive(run) or '-'}",
        f"  job {run.job_id or '-'}",
        f"  planned {instant(run.planned_at)}{_after(run, run.built_at, 'built')}"
        f"{_after(run, run.job_created_at, 'job created')}{_after(run, run.ended_at, 'ended')}",
    ]
    lines += [f"  not sent: {row}" for row in run.rows_unsendable]
    if run.approvals:
        lines.append("  approved: " + ", ".join(f"{k} by {w}" for k, w in run.approvals.items()))
    return lines


def _archive(run: ImportRun) -> str | None:
    """Where it stands: what signs a URL is for NewStore alone."""
    return run.source_uri.partition("?")[0] or None


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
        "job_id": run.job_id or None,
        "archive": _archive(run),
        "rows": run.rows,
        "files": run.files,
        "released_events": run.released_events,
        "late_events": run.late_events,
        "clamped": run.clamped,
        "failure": run.failure or None,
        "left_out": dict(run.left_out),
        "rows_unsendable": list(run.rows_unsendable),
        "planned_at": run.planned_at,
        "built_at": run.built_at,
        "job_created_at": run.job_created_at,
        "ended_at": run.ended_at,
    }
