"""`locations`: the map between NewStore's locations and the ERP's."""

from dataclasses import asdict
from pathlib import Path

import click

from cli.command import Operator, connected, signed
from cli.location_rows import differences, differences_in_words, read_locations, shared_values
from cli.newstore_locations import as_csv, compare, full_list_note, row_of
from cli.output import Problem, RefusedError, refusal
from inventory_sync.adapters.dynamodb.location_changes import Loaded
from inventory_sync.domain.locations import LOCATIONS_LISTED_MAX
from inventory_sync.domain.wording import counted

CSV_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
NEW_FILE = click.Path(dir_okay=False, path_type=Path)


@click.group()
def locations() -> None:
    """The map between NewStore's locations and the ERP's."""


@locations.command()
@click.argument("file", type=CSV_FILE)
@signed
@connected
def load(operator: Operator, file: Path, who: str, why: str) -> None:
    """Add or change locations from a CSV FILE; those it does not list stay as they are.

    \b
    The first line names the columns. All but the first may be left out, which leaves what is
    stored as it is, or empty, which stands for the value in brackets, as for a new location:
      location_id          NewStore's id, as it stands in the events
      fulfillment_node_id  NewStore's id in the import      (location_id)
      store_id             the store's id; empty for a distribution centre
      erp_location         the ERP's id                     (location_id)
      enabled              whether its stock is imported    (true)
      create               its first import creates it at NewStore, for ever  (false)

    Shows first what changes; `locations check FILE` shows the same and writes nothing. Nothing is
    written unless the whole file is right.

    \b
    Example: inventory-sync locations load locations.csv --stack inventory-sync
    """
    stored = operator.store.locations()
    rows = read_locations(file, stored)
    changes = differences(rows, stored)
    operator.out.note(*differences_in_words(changes))
    loaded = operator.changes.put_locations(
        rows, operator.author(f"locations load {file.name}", who, why)
    )
    renamed = [
        row.location_id
        for row in rows
        if row.location_id in stored
        and stored[row.location_id].fulfillment_node_id != row.fulfillment_node_id
    ]
    note = (
        "New fulfillment_node_id, so the next import sends all rows there, and 0 for those under"
        f" the former one: {', '.join(renamed)}"
    )
    operator.out.result(
        {**as_figures(loaded), "renamed": renamed, "differences": changes},
        *in_words(loaded, "locations")[:1],
        *([note] if renamed else []),
    )


@locations.command("list")
@connected
def list_locations(operator: Operator) -> None:
    """Show the map.

    Example: inventory-sync locations list --json
    """
    places = sorted(operator.store.locations().items())
    rows = [asdict(place) for _, place in places]
    operator.out.table("locations", rows, "No location is mapped; see locations load --help.")


@locations.command()
@click.argument("file", type=CSV_FILE, required=False)
@click.option("--offline", is_flag=True, help="Do not ask NewStore which locations it has.")
@connected
def check(operator: Operator, file: Path | None, offline: bool) -> None:
    """Check the stored map, or a CSV FILE without loading it. Changes nothing.

    Also against NewStore's own list: which enabled locations a guard holds, since NewStore does not
    list them, has them as the other type or is their inventory master, and which of NewStore's
    nobody has mapped. The rows that would be right are shown. Exit code 4 where there are such.

    Example: inventory-sync locations check locations.csv
    """
    stored = operator.store.locations()
    changes = []
    if file is not None:
        rows = read_locations(file, stored)
        changes = differences(rows, stored)
        stored = {**stored, **{row.location_id: row for row in rows}}
    problems = shared_values(stored.values())
    if problems:
        raise RefusedError(*(Problem(0, "", text) for text in problems))
    enabled = sum(place.enabled for place in stored.values())
    found = None if offline else compare(stored.values(), operator.stack.newstore)
    operator.out.result(
        {
            "locations": len(stored),
            "enabled": enabled,
            "newstore": found.figures() if found else None,
            "differences": changes,
        },
        *differences_in_words(changes),
        f"{counted(len(stored), 'location')}, {enabled} of them enabled; the map is consistent.",
        *(found.in_words() if found else []),
    )
    if found and found.differs:
        operator.out.found()


@locations.command()
@click.argument("file", type=NEW_FILE)
@connected
def init(operator: Operator, file: Path) -> None:
    """Write a map of NewStore's own locations to a new CSV FILE. Loads nothing.

    The ids are NewStore's everywhere: put the ERP's into erp_location where they differ. Those that
    NewStore is the inventory master of are not enabled.

    Example: inventory-sync locations init locations.csv
    """
    listed = operator.stack.newstore.locations([])
    rows = [row_of(location) for _, location in sorted(listed.items())]
    try:
        with file.open("x", encoding="utf-8") as out:
            out.write(as_csv(rows) + "\n")
    except FileExistsError as error:
        raise refusal(f"{file} is there already; name a file that is not") from error
    full = len(listed) >= LOCATIONS_LISTED_MAX
    operator.out.result(
        {"locations": len(rows), "enabled": sum(row.enabled for row in rows), "list_full": full},
        f"{file}: {counted(len(rows), 'location')}."
        f" Correct erp_location, then: locations load {file}",
        *([full_list_note()] if full else []),
    )


def as_figures(loaded: Loaded) -> dict[str, object]:
    """For scripts."""
    return {"added": loaded.added, "changed": loaded.changed, "unchanged": loaded.unchanged}


def in_words(loaded: Loaded, noun: str) -> list[str]:
    """For people: a total, and the ids where there are few."""
    counts = f"{len(loaded.added)} added, {len(loaded.changed)} changed"
    lines = [f"{noun}: {counts}, {len(loaded.unchanged)} unchanged"]
    for name, ids in (("added", loaded.added), ("changed", loaded.changed)):
        if ids:
            more = f" and {len(ids) - 20} more" if len(ids) > 20 else ""
            lines.append(f"  {name}: {', '.join(ids[:20])}{more}")
    return lines
