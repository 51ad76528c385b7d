"""Fulfillment requests, their items, and the allocations that follow from them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

StockKey = tuple[str, str]
"""(fulfillment_node_id, product_id)"""

ItemState = Literal["allocated", "failed", "completed", "released"]


@dataclass
class Item:
    """One unit of one product in one fulfillment request."""

    item_id: str
    product_id: str
    created_at: datetime
    state: ItemState = "allocated"
    logical_timestamp: int | None = None
    """The lowest of the events that list it as completed."""
    leaked: bool = False


@dataclass
class FulfillmentRequest:
    """Immutable at NewStore but for its items' states: rerouting makes a new request."""

    request_id: str
    order_id: str
    location_id: str
    service_level: str
    associate_id: str | None
    items: dict[str, Item] = field(default_factory=dict)


class FulfillmentBook:
    """All requests, and the two counts that lower ATP, kept up to date per stock key."""

    def __init__(self) -> None:
        self.requests: dict[str, FulfillmentRequest] = {}
        self.open: Counter[StockKey] = Counter()
        self.completed_unreleased: Counter[StockKey] = Counter()
        self.lists_shipped = True
        """Whether a completed item that waits for a range is still listed among the allocations."""
        self.leak_next_releases = 0
        """So many of the next items to be released stay allocated for ever."""
        self._unreleased: dict[str, list[Item]] = {}

    def assign(self, request: FulfillmentRequest, items: Sequence[Item]) -> None:
        """Open one allocation per item; ValueError when the request or an item repeats."""
        ids = {item.item_id for item in items}
        if request.request_id in self.requests or not items or len(ids) != len(items):
            raise ValueError(f"not a new request with distinct items: {request.request_id}")
        request.items = {item.item_id: item for item in items}
        self.requests[request.request_id] = request
        for item in items:
            self.open[(request.location_id, item.product_id)] += 1

    def select_open(self, request_id: str, item_ids: Sequence[str] | None) -> list[Item]:
        """The named items (None: all still open ones); ValueError unless each is open."""
        request = self.requests[request_id]
        if item_ids is None:
            items = [item for item in request.items.values() if item.state == "allocated"]
        else:
            items = [request.items[item_id] for item_id in item_ids]
        if not items or any(item.state != "allocated" for item in items):
            raise ValueError(f"no open items, or one that is not open: {request_id} {item_ids}")
        return items

    def shipped(self, request_id: str) -> list[Item]:
        """The items of a request that were completed by now, whatever became of them since."""
        items = self.requests[request_id].items.values()
        return [item for item in items if item.state in ("completed", "released")]

    def complete(
        self,
        request_id: str,
        items: Sequence[Item],
        logical_timestamp: int,
        listed_again: Sequence[Item] = (),
    ) -> None:
        """Turn open allocations into completed ones that wait for their release."""
        location = self.requests[request_id].location_id
        for item in listed_again:
            item.logical_timestamp = min(item.logical_timestamp or 0, logical_timestamp)
        for item in items:
            item.state, item.logical_timestamp = "completed", logical_timestamp
            self.open[(location, item.product_id)] -= 1
            self.completed_unreleased[(location, item.product_id)] += 1
            self._unreleased.setdefault(location, []).append(item)

    def release_at_once(self, request_id: str, items: Sequence[Item]) -> list[StockKey]:
        """Let items that were just completed wait for no range; their keys, one for each."""
        location = self.requests[request_id].location_id
        keys = [(location, item.product_id) for item in items]
        for item, key in zip(items, keys, strict=True):
            item.state = "released"
            self.completed_unreleased[key] -= 1
            self._unreleased[location].remove(item)
        return keys

    def fail(self, request_id: str, items: Sequence[Item]) -> None:
        """Give the allocations at this location back."""
        location = self.requests[request_id].location_id
        for item in items:
            item.state = "failed"
            self.open[(location, item.product_id)] -= 1

    def release(self, locations: Collection[str] | None, start: int, end: int) -> int:
        """Release completed items with start <= logical timestamp <= end; returns how many.

        `locations` None acts on the whole tenant. Releasing again what is released does nothing.
        """
        released = 0
        for location in sorted(self._unreleased if locations is None else set(locations)):
            kept = []
            for item in self._unreleased.get(location, []):
                due = item.logical_timestamp is not None and start <= item.logical_timestamp <= end
                if due and not item.leaked and self.leak_next_releases > 0:
                    self.leak_next_releases -= 1
                    item.leaked = True
                if not due or item.leaked:
                    kept.append(item)
                    continue
                item.state = "released"
                self.completed_unreleased[(location, item.product_id)] -= 1
                released += 1
            self._unreleased[location] = kept
        return released

    def allocations(self, key: StockKey) -> list[tuple[FulfillmentRequest, Item]]:
        """What NewStore still shows as allocated: open items and completed ones not released."""
        location, product = key
        listed = ("allocated", "completed") if self.lists_shipped else ("allocated",)
        return [
            (request, item)
            for request in self.requests.values()
            if request.location_id == location
            for item in request.items.values()
            if item.product_id == product and item.state in listed
        ]
