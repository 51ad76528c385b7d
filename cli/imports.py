"""`import`: run a tick now, or see what one would do."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from cli.command import Operator, connected, note_change, signed
from cli.output import ExitCode, refusal
from cli.progress import progress
from cli.rehearsal import as_figures, in_words
from cli.stack import IMPORT_FUNCTION
from inventory_sync.domain.import_run import RunState
from inventory_sync.domain.wording import counted

_MINUTES_MAX = 60
"""How long a dry run may take; a real one has Lambda's fifteen minutes."""
_NOTHING_DONE = frozenset({"lease_held", "paused", "refused"})


@click.command("import")
@click.option("--full", is_flag=True, help="Send every row.")
@click.option("--location", "locations", multiple=True, help="Read no other; may be repeated.")
@click.option("--dry-run", is_flag=True, help="Only say what it would do. Changes nothing.")
@click.option("--limit", default=50, show_default=True, help="Rows that a dry run shows.")
@click.option(
    "--save",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Keep the archive that a dry run would send.",
)
@signed
@connected
def run_import(
    operator: Operator,
    full: bool,
    locations: tuple[str, ...],
    dry_run: bool,
    limit: int,
    save: Path | None,
    who: str,
    why: str,
) -> None:
    """Run an import tick now, instead of waiting for the schedule.

    A tick goes on with the run that is under way, and begins one where none is. With --location
    the others are rolled forward: they keep their quantities less what was shipped, so that
    nothing oversells. With --dry-run the import's own code runs here and says what it would send:
    the same files, byte for byte, as a real run on the same facts.

    Exit code 1 where the tick did nothing, 4 where the run failed or is held.

    Example: inventory-sync import --location DC01 --dry-run
    """
    for location in locations:
        operator.require_location(location)
    if dry_run:
        _rehearse(operator, full, frozenset(locations), limit, save)
        return
    if save is not None:
        raise refusal("--save keeps what a --dry-run packs; a real run's archive is in the bucket")
    author = operator.author("import", who, why)
    asked = {"full": full, "locations": sorted(locations), "at": operator.now.isoformat()}
    note_change(operator, "import_asked", "import", asked, author)
    with progress("the import function is at it"):
        answer = operator.stack.invoke(IMPORT_FUNCTION, asked)
    operator.out.result(answer, *_told(answer, full, locations))
    if answer["outcome"] in _NOTHING_DONE:
        raise click.exceptions.Exit(ExitCode.REFUSED)
    if (answer.get("run") or {}).get("state") in {RunState.FAILED, RunState.HELD}:
        operator.out.found()


def _rehearse(
    operator: Operator, full: bool, only: frozenset[str], limit: int, save: Path | None
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        archive = save or Path(folder) / "availabilities.zip"
        dry_run = operator.stack.dry_run(archive, limit)
        with progress("building the import, locations") as line:
            found = dry_run(lambda: 60.0 * _MINUTES_MAX, full=full, only=only, progress=line.done)
    operator.out.report(as_figures(found), *in_words(found, save))


def _told(answer: Mapping[str, Any], full: bool, locations: tuple[str, ...]) -> list[str]:
    run = answer.get("run")
    lines = [f"tick: {answer['outcome']}" + (f", {answer['detail']}" if answer["detail"] else "")]
    if run is None:
        return lines
    lines.append(
        f"run {run['run_id']} is {run['state']}: {counted(run['rows'], 'row')}"
        f" in {counted(run['files'], 'file')},"
        f" cut end {run['cut_end']}" + (f"; {run['failure']}" if run["failure"] else "")
    )
    if answer["outcome"] not in _NOTHING_DONE and (
        (full and not run["full"]) or sorted(locations) != sorted(run["only"])
    ):
        lines.append("It was under way before: ask again once it has ended.")
    return lines
