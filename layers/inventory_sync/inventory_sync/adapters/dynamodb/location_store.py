"""The location map with its holds and approvals, and the product map, in the state table."""

import json
from collections import defaultdict
from collections.abc import Mapping

from inventory_sync.adapters.codec import decode, encode
from inventory_sync.adapters.dynamodb.state_table import StateTable
from inventory_sync.domain.holds import ALL_IMPORTS, Approval, LocationHold, OperatorHold, Resend
from inventory_sync.domain.locations import Location

OPERATOR_HOLD = "operator_hold"


def operator_hold_id(location_id: str) -> str:
    """An item's id cannot be empty."""
    return "imports" if location_id == ALL_IMPORTS else f"location {location_id}"


def approval_id(approval: Approval) -> str:
    """One for each guard of a location, or of a row of it."""
    return json.dumps([approval.location_id, approval.kind.value, approval.product_id])


class DynamoLocationStore:
    """One item each; what operators change is written by `LocationChanges` alone.

    Product ids that are not mapped are the same on both sides.
    """

    def __init__(self, table: StateTable) -> None:
        self._table = table

    def locations(self) -> Mapping[str, Location]:
        """The whole map by location id."""
        return {
            item_id: decode(Location, record, f"location {item_id}")
            for item_id, record in self._table.records("location")
        }

    def skus(self) -> Mapping[str, str]:
        """The ERP's product id by NewStore's, for those that differ."""
        return dict(self._table.records("product"))

    def approvals(self) -> Mapping[str, tuple[Approval, ...]]:
        """Those that are not used up, by location id; in order of kind and product."""
        found: dict[str, list[Approval]] = defaultdict(list)
        for item_id, record in self._table.records("approval"):
            approval = decode(Approval, record, f"approval {item_id}")
            found[approval.location_id].append(approval)
        return {place: tuple(sorted(a, key=lambda a: a.named)) for place, a in found.items()}

    def use_approval(self, approval: Approval, run_id: str) -> None:
        """Move it to the used ones, under the run that used it."""
        item_id = approval_id(approval)
        if self._table.get("approval", item_id) is not None:
            self._table.put("approval_used", f"{run_id} {item_id}", encode(approval))
            self.end_approval(approval)

    def end_approval(self, approval: Approval) -> None:
        """Only the very approval: one that was given since has another moment."""
        self._table.delete("approval", approval_id(approval), record=encode(approval))

    def resends(self) -> Mapping[str, Resend]:
        """Rows to be sent again, by location id."""
        return {
            item_id: decode(Resend, record, f"resend {item_id}")
            for item_id, record in self._table.records("resend")
        }

    def resend_done(self, resend: Resend) -> None:
        """Only the very request that was met: a later one has another moment."""
        self._table.delete("resend", resend.location_id, record=encode(resend))

    def operator_holds(self) -> Mapping[str, OperatorHold]:
        """What operators hold, by location id, and whether imports are paused."""
        found = (
            decode(OperatorHold, record, f"operator's hold {item_id}")
            for item_id, record in self._table.records(OPERATOR_HOLD)
        )
        return {hold.location_id: hold for hold in found}

    def holds(self) -> Mapping[str, LocationHold]:
        """What is held now, by location id."""
        return {
            item_id: decode(LocationHold, record, f"hold {item_id}")
            for item_id, record in self._table.records("hold")
        }

    def set_hold(self, hold: LocationHold) -> None:
        """Note that a location is held."""
        self._table.put("hold", hold.location_id, encode(hold))

    def clear_hold(self, location_id: str) -> None:
        """Note that it no longer is."""
        self._table.delete("hold", location_id)
