"""What the simulators of NewStore and the ERP show of themselves at GET /_state."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import requests

from cli.room.reading import Promise
from inventory_sync.adapters.newstore.event_body import parse_event
from inventory_sync.domain.events import FulfillmentEvent
from inventory_sync.domain.locations import Location
from inventory_sync.domain.stock import StockKey
from local.newstore.events import event_bytes

TIMEOUT_SECONDS = 10
LEFT = frozenset({"completed", "released"})
"""States of an item whose unit has left the location."""

State = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Ids:
    """Our ids by those of the two systems; what is not mapped has the same id everywhere."""

    location_of_node: Mapping[str, str]
    location_of_erp: Mapping[str, str]
    product_of_sku: Mapping[str, str]

    @staticmethod
    def of(locations: Iterable[Location], skus: Mapping[str, str]) -> Ids:
        """From the maps that the adapter itself uses."""
        places = list(locations)
        return Ids(
            {place.fulfillment_node_id: place.location_id for place in places},
            {place.erp_location: place.location_id for place in places},
            {sku: product for product, sku in skus.items()},
        )

    def at_newstore(self, node: str, product: str) -> StockKey:
        """The key of a row of NewStore's."""
        return StockKey(self.location_of_node.get(node, node), product)

    def at_erp(self, place: str, sku: str) -> StockKey:
        """The key of a row of the ERP's."""
        location = self.location_of_erp.get(place, place)
        return StockKey(location, self.product_of_sku.get(sku, sku))


def read_state(url: str) -> State:
    """Everything a simulator holds; no planned fault touches this call."""
    answer = requests.get(f"{url}/_state", timeout=TIMEOUT_SECONDS)
    answer.raise_for_status()
    state: State = answer.json()
    return state


def promises(newstore: State, ids: Ids) -> dict[StockKey, Promise]:
    """NewStore's figures by row."""
    return {
        ids.at_newstore(row["fulfillment_node_id"], row["product_id"]): Promise(
            atp_units=row["atp"],
            on_hand_units=row["on_hand"],
            open_allocations=row["open_allocations"],
            completed_unreleased=row["completed_unreleased"],
        )
        for row in newstore["stock"]
    }


def erp_units(erp: State, ids: Ids) -> dict[StockKey, int]:
    """What a snapshot begun now would show."""
    return {ids.at_erp(row["location"], row["product"]): row["shown"] for row in erp["stock"]}


def down_until(erp: State) -> datetime | None:
    """When the ERP answers again; None while it answers."""
    until = erp["down_until"]
    return None if until is None else datetime.fromisoformat(until)


def shelf_units(newstore: State, erp: State, ids: Ids) -> dict[StockKey, int]:
    """What stands on the shelf: the ERP's books without our movements, less all that has left.

    So a shipment counts at once, whether the ERP has booked it, twice even, or not at all.
    """
    units: Counter[StockKey] = Counter()
    for row in erp["stock"]:
        units[ids.at_erp(row["location"], row["product"])] += row["on_hand"]
    for movement in erp["movements"]:
        for line in movement["lines"]:
            units[ids.at_erp(movement["location"], line["product"])] += line["quantity"]
    for request in newstore["fulfillment_requests"]:
        for item in request["items"]:
            if item["state"] in LEFT:
                key = ids.at_newstore(request["fulfillment_location_id"], item["product_id"])
                units[key] -= 1
    return dict(units)


def published(newstore: State) -> list[FulfillmentEvent]:
    """Every event that NewStore has published."""
    events = [parse_event(event_bytes(body), newstore["tenant"]) for body in newstore["published"]]
    return [event for event in events if isinstance(event, FulfillmentEvent)]
