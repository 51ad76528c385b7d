"""The location map with its holds and approvals, and the product map, in the state table."""

from collections.abc import Mapping

from inventory_sync.adapters.codec import decode, encode
from inventory_sync.adapters.dynamodb.state_table import StateTable
from inventory_sync.domain.holds import ALL_IMPORTS, Approval, LocationHold, OperatorHold, Resend
from inventory_sync.domain.locations import Location

OPERATOR_HOLD = "operator_hold"


def operator_hold_id(location_id: str) -> str:
    """An item's id cannot be empty."""
    return "imports" if location_id == ALL_IMPORTS else f"location {location_id}"


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

    def approvals(self) -> Mapping[str, Approval]:
        """Unused approvals by location id."""
        return {
            item_id: decode(Approval, record, f"approval {item_id}")
            for item_id, record in self._table.records("approval")
        }

    def use_approval(self, location_id: str, run_id: str) -> None:
        """Move it to the used ones, under the run that used it."""
        item = self._table.get("approval", location_id)
        if item is not None:
            used = f"{location_id}#{run_id}"
            self._table.put("approval_used", used, item["record"]["S"])
            self._table.delete("approval", location_id)

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
