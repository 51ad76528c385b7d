"""The location map beside the locations that NewStore has."""

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from difflib import get_close_matches

from cli.location_rows import COLUMNS, as_cells
from inventory_sync.domain.guards import HoldKind, check_location
from inventory_sync.domain.locations import (
    LOCATIONS_LISTED_MAX,
    Location,
    NewStoreLocation,
    NewStoreLocations,
)
from inventory_sync.ports.newstore import NewStoreReader

_TOLD = {
    HoldKind.UNKNOWN_LOCATION: "NewStore does not list these, so they are held; correct"
    " fulfillment_node_id, or set `create` for one that the first import is to create for ever",
    HoldKind.WRONG_TYPE: "NewStore has these as the other type, so they are held; correct store_id",
    HoldKind.INVENTORY_MASTER: "NewStore is the inventory master of these, so they are held; set"
    " `enabled` to false",
}


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the guards hold, by kind, as location ids; what the map leaves out, as NewStore's ids.

    `to_create` are locations that the next import creates; `off` those that NewStore promises
    nothing of. `rows` are what the map should say instead.
    """

    held: Mapping[HoldKind, list[str]]
    to_create: list[str]
    off: list[str]
    not_mapped: list[str]
    rows: list[Location]
    list_full: bool

    @property
    def differs(self) -> bool:
        """Whether somebody has to look at it."""
        return bool(self.not_mapped or any(self.held.values()))

    def figures(self) -> dict[str, object]:
        """For scripts."""
        return {
            **{kind.value: ids for kind, ids in self.held.items()},
            "to_create": self.to_create,
            "off": self.off,
            "not_mapped": self.not_mapped,
            "proposed": [asdict(row) for row in self.rows],
        }

    def in_words(self) -> list[str]:
        """What to do about each kind, and the rows to load."""
        found = [
            *((ids, _TOLD[kind]) for kind, ids in self.held.items()),
            (self.to_create, "The first import of these creates them at NewStore, for ever"),
            (self.off, "These are off at NewStore, which promises nothing of them"),
            (self.not_mapped, "NewStore has these and the map has not: load a row for each, with"
             " `enabled` false for those that are none of ours"),
        ]  # fmt: skip
        lines = [f"{told}: {', '.join(ids)}" for ids, told in found if ids]
        lines = lines or ["NewStore lists the same locations."]
        if self.list_full:
            lines.append(full_list_note())
        if self.rows:
            lines += [
                "",
                "Rows to check and load:",
                *as_csv(self.rows).splitlines(),
            ]
        return lines


def compare(places: Iterable[Location], newstore: NewStoreReader) -> Comparison:
    """By the import's own guards."""
    places = sorted(places, key=lambda place: place.location_id)
    listed = newstore.locations({place.fulfillment_node_id for place in places})
    held: dict[HoldKind, list[str]] = {kind: [] for kind in _TOLD}
    rows = []
    mapped = {place.fulfillment_node_id for place in places}
    not_mapped = sorted(listed.keys() - mapped)
    for place in places:
        for hold in check_location(place, listed.get(place.fulfillment_node_id)):
            if place.enabled:
                held[hold.kind].append(place.location_id)
                rows += _corrected(place, hold.kind, listed, not_mapped)
    taken = {row.fulfillment_node_id for row in rows}
    enabled = [place for place in places if place.enabled]
    return Comparison(
        held=held,
        to_create=[
            p.location_id for p in enabled if p.create and p.fulfillment_node_id not in listed
        ],
        off=[p.location_id for p in enabled if _off(listed.get(p.fulfillment_node_id))],
        not_mapped=not_mapped,
        rows=rows + [row_of(listed[node]) for node in not_mapped if node not in taken],
        list_full=len(listed) >= LOCATIONS_LISTED_MAX,
    )


def row_of(location: NewStoreLocation) -> Location:
    """The same id everywhere; imported unless NewStore is its inventory master."""
    return Location(
        location_id=location.location_id,
        fulfillment_node_id=location.location_id,
        store_id=location.store_id,
        erp_location=location.location_id,
        enabled=not location.inventory_master,
    )


def as_csv(rows: Iterable[Location]) -> str:
    """As a file to load has them."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(as_cells(row) for row in rows)
    return text.getvalue().rstrip("\n")


def full_list_note() -> str:
    """What a full list cannot say."""
    return (
        f"NewStore lists no more than {LOCATIONS_LISTED_MAX} locations: it may have others, which"
        " are asked for by their ids once the map names them."
    )


def _off(listed: NewStoreLocation | None) -> bool:
    return listed is not None and not listed.enabled


def _corrected(
    place: Location, kind: HoldKind, listed: NewStoreLocations, not_mapped: list[str]
) -> list[Location]:
    """The row as it should be; none where nobody can tell."""
    if kind is HoldKind.INVENTORY_MASTER:
        return [replace(place, enabled=False)]
    node = place.fulfillment_node_id
    if kind is HoldKind.UNKNOWN_LOCATION:
        own = [place.location_id] if place.location_id in not_mapped else []
        close = own or get_close_matches(node, not_mapped, n=1)
        if not close:
            return []
        node = close[0]
    return [replace(place, fulfillment_node_id=node, store_id=listed[node].store_id)]
