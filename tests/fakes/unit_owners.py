"""The requests table in memory."""

from datetime import datetime

from inventory_sync.domain.errors import InventorySyncError, RejectedError
from inventory_sync.domain.events import FulfillmentEvent
from inventory_sync.domain.units import Ownership, UnitId, owner_mark, ownership, unit_ids


class FakeUnitOwners:
    """Nothing expires. Set `fails_with` to have the next calls fail before they change anything.

    `refuses` are requests that have more units than it keeps.
    """

    def __init__(self) -> None:
        self.owners: dict[UnitId, str] = {}
        self.fails_with: InventorySyncError | None = None
        self.refuses: set[str] = set()

    def own(self, event: FulfillmentEvent, now: datetime) -> Ownership:
        if self.fails_with is not None:
            raise self.fails_with
        if event.fulfillment_request_id in self.refuses:
            raise RejectedError(f"request {event.fulfillment_request_id}: too many units")
        marks = {
            unit: owner_mark(event, i.product_id)
            for unit, i in zip(unit_ids(event), event.items, strict=True)
        }
        owners = {u.item_id: self.owners.setdefault(u, mark) for u, mark in marks.items()}
        return ownership(event, owners)

    # For tests: what a store of this kind holds besides what the port shows.

    def forget(self, fulfillment_request_id: str) -> None:
        """The request's retention is over."""
        self.owners = {
            unit: mark
            for unit, mark in self.owners.items()
            if unit.fulfillment_request_id != fulfillment_request_id
        }
