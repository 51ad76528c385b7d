"""`locations`: the map between NewStore's locations and the ERP's."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import click

from cli.command import Operator, connected, signed
from cli.location_rows import as_cells, read_locations, shared_values
from cli.output import Problem, RefusedError
from inventory_sync.adapters.dynamodb.location_changes import Loaded
from inventory_sync.domain.locations import Location
from inventory_sync.ports.newstore import NewStoreReader

CSV_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


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
    The first line names the columns. All but the first may be left out or empty:
      location_id          NewStore's id, as it stands in the events
      fulfillment_node_id  NewStore's id in the import      (location_id)
      store_id             the store's id; empty for a distribution centre
      erp_location         the ERP's id                     (location_id)
      enabled              whether its stock is imported    (true)
      inventory_master     erp or newstore                  (erp)
      confirmed            it is right, though NewStore does not list it yet  (false)

    Nothing is written unless the whole file is right.

    Example: inventory-sync locations load locations.csv --stack inventory-sync
    """
    stored = operator.store.locations()
    rows = read_locations(file, stored)
    loaded = operator.changes.put_locations(
        rows, operator.author(f"locations load {file.name}", who, why)
    )
    renamed = [
        row.location_id
        for row in rows
        if row.location_id in stored
        and stored[row.location_id].fulfillment_node_id != row.fulfillment_node_id
    ]
    note = f"New fulfillment_node_id, so the next full import sends all rows: {', '.join(renamed)}"
    operator.out.result(
        {**as_figures(loaded), "renamed": renamed},
        *in_words(loaded, "locations"),
        *([note] if renamed else []),
    )


@locations.command("list")
@connected
def list_locations(operator: Operator) -> None:
    """Show the map.

    Example: inventory-sync locations list --json
    """
    places = sorted(operator.store.locations().items())
    rows = [as_cells(place) for _, place in places]
    operator.out.table("locations", rows, "No location is mapped; see locations load --help.")


@locations.command()
@click.argument("file", type=CSV_FILE, required=False)
@click.option("--offline", is_flag=True, help="Do not ask NewStore which locations it has.")
@connected
def check(operator: Operator, file: Path | None, offline: bool) -> None:
    """Check the stored map, or a CSV FILE without loading it. Changes nothing.

    Also against NewStore: which imported locations it does not list (an import would create them
    for ever, so a guard holds them), and which of its own nobody has mapped. Exit code 4 where
    there are such.

    Example: inventory-sync locations check locations.csv
    """
    stored = operator.store.locations()
    if file is not None:
        stored = {**stored, **{row.location_id: row for row in read_locations(file, stored)}}
    problems = shared_values(stored.values())
    if problems:
        raise RefusedError(*(Problem(0, "", text) for text in problems))
    imported = sum(place.imported for place in stored.values())
    nodes = None if offline else compare_nodes(stored.values(), operator.stack.newstore)
    figures = {
        "locations": len(stored),
        "imported": imported,
        "unknown_to_newstore": nodes.unknown if nodes else None,
        "vouched_for": nodes.vouched_for if nodes else None,
        "not_mapped": nodes.not_mapped if nodes else None,
    }
    operator.out.result(
        figures,
        f"{len(stored)} locations, {imported} of them imported; the map is consistent.",
        *(nodes.in_words() if nodes else []),
    )
    if nodes and (nodes.unknown or nodes.not_mapped):
        operator.out.found()


@dataclass(frozen=True, slots=True)
class Nodes:
    """Imported locations that NewStore does not list, be it that an operator vouches for them;
    and nodes of its own that no location has."""

    unknown: list[str]
    vouched_for: list[str]
    not_mapped: list[str]

    def in_words(self) -> list[str]:
        """What to do about each kind."""
        found = (
            (self.unknown, "NewStore does not list these, so they are held; correct"
             " fulfillment_node_id, or set `confirmed` if they are right"),
            (self.vouched_for, "NewStore does not list these; `confirmed` vouches for them"),
            (self.not_mapped, "NewStore has these and the map has not: load a row for each, with"
             " `enabled` false for those that are none of ours"),
        )  # fmt: skip
        lines = [f"{told}: {', '.join(ids)}" for ids, told in found if ids]
        return lines or ["NewStore lists the same locations."]


def compare_nodes(places: Iterable[Location], newstore: NewStoreReader) -> Nodes:
    """By NewStore's ids."""
    listed = newstore.known_nodes()
    places = list(places)
    strange = [p for p in places if p.imported and p.fulfillment_node_id not in listed]
    mapped = {place.fulfillment_node_id for place in places}
    return Nodes(
        unknown=sorted(p.location_id for p in strange if not p.confirmed),
        vouched_for=sorted(p.location_id for p in strange if p.confirmed),
        not_mapped=sorted(listed - mapped),
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
