"""What a dry run found, for people and for scripts."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.table import Table

from cli.output import columns
from cli.text import instant
from inventory_sync.domain.availabilities import PackedFile
from inventory_sync.domain.import_run import RunState
from inventory_sync.domain.run_record import LocationRecord
from inventory_sync.domain.wording import counted
from inventory_sync.use_cases.import_stock.dry_run import Rehearsal

_ENDS = {
    RunState.UPLOADED: "would send",
    RunState.HELD: "would be held, with",
    RunState.FINISHED: "would have nothing to send:",
}


def in_words(found: Rehearsal, save: Path | None) -> list[Table | str]:
    """Headline, locations, rows and files."""
    run = found.run
    kind = "full" if run.full else "delta"
    parts: list[Table | str] = [
        f"Dry run, planned {instant(run.planned_at)}: a {kind} run {_ENDS[run.state]}"
        f" {counted(run.rows, 'row')} in {counted(run.files, 'file')}, with"
        f" {counted(run.released_events, 'event')} up to logical timestamp"
        f" {run.cut_end}. Nothing was written.",
    ]
    if found.paused:
        parts.append(f"Imports are paused, so a real one would not begin: {found.paused}")
    if found.locations:
        parts += ["", columns([_location(found, record) for record in found.locations])]
    held = [
        f"  {key}: {hold.kind.value}: {hold.figures}"
        for key, location in found.held.items()
        for hold in location.holds
    ]
    parts += ["", "Held:", *held] if held else []
    if found.rows:
        figures = ["was", "now"]
        parts += ["", columns([asdict(row) for row in found.rows], right=figures)]
    more = run.rows - len(found.rows) - found.rows_unchanged
    if more or found.rows_unchanged:
        parts.append(f"and {more} more that change, {found.rows_unchanged} that do not")
    if found.files:
        parts += ["", columns([_file(file) for file in found.files])]
        parts.append(
            f"archive: {found.archive_bytes} bytes" + (f", kept as {save}" if save else "")
        )
    return parts


def as_figures(found: Rehearsal) -> dict[str, Any]:
    """The same for scripts."""
    run = found.run
    return {
        "state": run.state.value,
        "planned_at": run.planned_at,
        "full": run.full,
        "only": list(run.only),
        "cut_end": run.cut_end,
        "rows_sent": run.rows,
        "events": run.released_events,
        "late_events": run.late_events,
        "clamped": run.clamped,
        "left_out": dict(run.left_out),
        "paused": found.paused,
        "held": {
            key: {hold.kind.value: hold.figures for hold in location.holds}
            for key, location in found.held.items()
        },
        "locations": [_location(found, record) for record in found.locations],
        "rows": [asdict(row) for row in found.rows],
        "rows_unchanged": found.rows_unchanged,
        "archive_bytes": found.archive_bytes,
        "files": [_file(file) for file in found.files],
    }


def _location(found: Rehearsal, record: LocationRecord) -> dict[str, object]:
    return {
        "location_id": record.location_id,
        "basis": record.basis.value,
        "as_of": record.as_of,
        "range": f"{record.released.start}-{record.released.end}",
        "events": sum(event.counted for event in record.events),
        "rows_sent": record.rows_sent,
        "clamped": record.rows_clamped,
        "left_out": found.run.left_out.get(record.location_id),
    }


def _file(file: PackedFile) -> dict[str, object]:
    return {
        "name": file.name,
        "range": f"{file.released.start}-{file.released.end}",
        "bytes": file.content_bytes,
        "sha256": file.sha256,
    }
