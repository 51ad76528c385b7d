"""Rows of the location map, from CSV."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from cli.csv_rows import Problems, Row, read_rows
from inventory_sync.domain.locations import Location

REQUIRED = ("location_id",)
OPTIONAL = (
    "fulfillment_node_id",
    "store_id",
    "erp_location",
    "enabled",
    "create",
)
COLUMNS = (*REQUIRED, *OPTIONAL)
_TRUTHS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_UNIQUE = ("location_id", "fulfillment_node_id", "erp_location")


def read_locations(path: Path, stored: Mapping[str, Location]) -> list[Location]:
    """All rows, checked alone, against each other and against the rest of the stored map.

    What the file has no column for stays as it is stored. RefusedError with every problem of it.
    """
    problems = Problems()
    rows = read_rows(path, required=REQUIRED, optional=OPTIONAL)
    read = [(row, _location(row, stored.get(row["location_id"]), problems)) for row in rows]
    in_file = {location.location_id for _, location in read}
    rest = [location for key, location in stored.items() if key not in in_file]
    for column in _UNIQUE:
        owners = owners_of(column, rest)
        for row, location in read:
            problems.check_unique(column, owners, row, getattr(location, column))
    problems.refuse()
    return [location for _, location in read]


def owners_of(column: str, locations: Iterable[Location]) -> dict[str, str]:
    """Who has a value, in words."""
    return {getattr(p, column): f"location {p.location_id} of the stored map" for p in locations}


def shared_values(locations: Iterable[Location]) -> list[str]:
    """What two locations of a map must not share, and do."""
    found = []
    places = sorted(locations, key=lambda place: place.location_id)
    for column in _UNIQUE:
        owners: dict[str, str] = {}
        for place in places:
            value = getattr(place, column)
            first = owners.setdefault(value, place.location_id)
            if first != place.location_id:
                found.append(
                    f"{column} {value!r} is that of {first} and of {place.location_id};"
                    " load a row that gives one of them its own"
                )
    return found


def as_cells(location: Location) -> dict[str, str]:
    """A row as a file would have it."""
    return {
        "location_id": location.location_id,
        "fulfillment_node_id": location.fulfillment_node_id,
        "store_id": location.store_id,
        "erp_location": location.erp_location,
        "enabled": str(location.enabled).lower(),
        "create": str(location.create).lower(),
    }


def differences(
    rows: Iterable[Location], stored: Mapping[str, Location]
) -> list[dict[str, str | None]]:
    """What loading the rows would change, cell by cell; `before` is None for a new location."""
    found: list[dict[str, str | None]] = []
    for location in sorted(rows, key=lambda row: row.location_id):
        known = stored.get(location.location_id)
        before = as_cells(known) if known else {}
        found += [
            {
                "location_id": location.location_id,
                "column": column,
                "before": before.get(column),
                "after": cell,
            }
            for column, cell in as_cells(location).items()
            if column != "location_id" and before.get(column) != cell
        ]
    return found


def differences_in_words(found: Sequence[Mapping[str, str | None]]) -> list[str]:
    """A line for each location; of a new one what it has besides empty cells."""
    lines: dict[str, list[str]] = {}
    for one in found:
        cells = lines.setdefault(str(one["location_id"]), [])
        if one["before"] is not None:
            cells.append(f"{one['column']} {one['before'] or '-'} -> {one['after'] or '-'}")
        elif one["after"]:
            cells.append(f"{one['column']} {one['after']}")
    new = {str(one["location_id"]) for one in found if one["before"] is None}
    return [f"{'+' if key in new else '~'} {key}: {', '.join(c)}" for key, c in lines.items()]


def _location(row: Row, stored: Location | None, problems: Problems) -> Location:
    location_id = row["location_id"]
    problems.check_id(row, "location_id", location_id)
    for column in ("fulfillment_node_id", "store_id", "erp_location"):
        if row[column]:
            problems.check_id(row, column, row[column])
    given = Location(
        location_id=location_id,
        fulfillment_node_id=row["fulfillment_node_id"] or location_id,
        store_id=row["store_id"],
        erp_location=row["erp_location"] or location_id,
        enabled=_truth(row, "enabled", True, problems),
        create=_truth(row, "create", False, problems),
    )
    left_out = [column for column in OPTIONAL if not row.names(column)]
    return replace(given, **{c: getattr(stored, c) for c in left_out}) if stored else given


def _truth(row: Row, column: str, default: bool, problems: Problems) -> bool:
    text = row[column].strip().lower()
    if text and text not in _TRUTHS:
        problems.add(row.line, column, f"{text!r} is neither true nor false; write one of them")
    return _TRUTHS.get(text, default)
