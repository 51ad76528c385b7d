"""NewStore's locations, and what an import may say of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from local.http_server import CallRefusedError
from local.newstore.availabilities import ImportFinding, UnusableImportError

LISTED_MAX = 2000
LocationType = Literal["store", "dc"]


@dataclass
class StockLocation:
    """A location; `store_id` is None for a DC. One that is not enabled has ATP 0."""

    id: str
    type: LocationType
    store_id: str | None
    is_inventory_master: bool = False
    is_enabled: bool = True


def store(location_id: str, **fields: Any) -> StockLocation:
    """A store whose id is that of the location, unless it says otherwise."""
    return StockLocation(location_id, "store", **{"store_id": location_id, **fields})


def dc(location_id: str, **fields: Any) -> StockLocation:
    """A distribution centre."""
    return StockLocation(location_id, "dc", None, **fields)


def of_map(node: str, store_id: str) -> StockLocation:
    """As a row of the adapter's location map has it."""
    return store(node, store_id=store_id) if store_id else dc(node)


class Locations:
    """Those of the tenant by id; an import adds to them, for ever."""

    def __init__(self, locations: Iterable[StockLocation]) -> None:
        self.by_id = {location.id: location for location in locations}
        self.created: list[str] = []
        """Those that an import created."""
        self.imports_into_master: list[str] = []
        """Locations mastered by NewStore that an import wrote to all the same: must stay empty."""

    def add(self, location: StockLocation) -> None:
        self.by_id[location.id] = location

    def check(self, nodes: Mapping[str, str]) -> None:
        """UnusableImportError where a file takes a location for what it is not."""
        for node, store_id in nodes.items():
            known = self.by_id.get(node)
            if known is not None and (known.store_id or "") != store_id:
                said = f"store {store_id}" if store_id else "a dc"
                reason = f"{node} is declared as {said} and is a {known.type} ({known.store_id})"
                raise UnusableImportError(ImportFinding(reason, "availabilities", node))

    def note_import(self, nodes: Mapping[str, str]) -> None:
        """Create what is not there yet."""
        for node, store_id in nodes.items():
            if node not in self.by_id:
                self.add(of_map(node, store_id))
                self.created.append(node)
            elif self.by_id[node].is_inventory_master:
                self.imports_into_master.append(node)

    def listed(self) -> list[dict[str, Any]]:
        """Not more than 2,000, in order of their creation."""
        return [location_json(location) for location in list(self.by_id.values())[:LISTED_MAX]]

    def get(self, location_id: str) -> dict[str, Any]:
        """CallRefusedError 404 unknown."""
        if location_id not in self.by_id:
            raise CallRefusedError(404, "unknown location")
        return location_json(self.by_id[location_id])

    def is_off(self, location_id: str) -> bool:
        """Whether nothing is promised there."""
        location = self.by_id.get(location_id)
        return location is not None and not location.is_enabled


def location_json(location: StockLocation) -> dict[str, Any]:
    """As `GET /v0/locations` shows it."""
    return {
        "id": location.id,
        "type": location.type,
        "store_id": location.store_id,
        "is_inventory_master": location.is_inventory_master,
        "is_enabled": location.is_enabled,
    }
