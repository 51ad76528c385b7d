"""The location map with its holds and approvals, and the product map, in the state table."""

import json
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime

from inventory_sync.adapters.codec import decode, encode
from inventory_sync.adapters.dynamodb.records import readable
from inventory_sync.adapters.dynamodb.state_table import StateTable
from inventory_sync.adapters.unreadable import report_unreadable
from inventory_sync.domain.errors import FatalError
from inventory_sync.domain.holds import ALL_IMPORTS, Approval, LocationHold, OperatorHold, Resend
from inventory_sync.domain.locations import Location

OPERATOR_HOLD = "operator_hold"
_PAUSED, _HELD_LOCATION = "imports", "location "
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def operator_hold_id(location_id: str) -> str:
    """An item's id cannot be empty."""
    return _PAUSED if location_id == ALL_IMPORTS else _HELD_LOCATION + location_id


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
            item_id: _location(item_id, text) for item_id, text in self._table.records("location")
        }

    def skus(self) -> Mapping[str, str]:
        """The ERP's product id by NewStore's, for those that differ."""
        return {product_id: sku for product_id, sku in self._table.records("product") if sku}

    def approvals(self) -> Mapping[str, tuple[Approval, ...]]:
        """Those that are not used up, by location id; in order of kind and product."""
        found: dict[str, list[Approval]] = defaultdict(list)
        for _, approval in readable(self._table, "approval", Approval):
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
        return dict(readable(self._table, "resend", Resend))

    def resend_done(self, resend: Resend) -> None:
        """Only the very request that was met: a later one has another moment."""
        self._table.delete("resend", resend.location_id, record=encode(resend))

    def operator_holds(self) -> Mapping[str, OperatorHold]:
        """What operators hold, by location id, and whether imports are paused."""
        found = (_operator_hold(*record) for record in self._table.records(OPERATOR_HOLD))
        return {hold.location_id: hold for hold in found}

    def holds(self) -> Mapping[str, LocationHold]:
        """What is held now, by location id."""
        return dict(readable(self._table, "hold", LocationHold))

    def set_hold(self, hold: LocationHold) -> None:
        """Note that a location is held."""
        self._table.put("hold", hold.location_id, encode(hold))

    def clear_hold(self, location_id: str) -> None:
        """Note that it no longer is."""
        self._table.delete("hold", location_id)


def _operator_hold(item_id: str, record: str) -> OperatorHold:
    """One that cannot be read holds all the same, until it is resumed: somebody has set it."""
    try:
        return decode(OperatorHold, record, f"{OPERATOR_HOLD} {item_id}")
    except FatalError as error:
        report_unreadable(error)
        location_id = item_id.removeprefix(_HELD_LOCATION) if item_id != _PAUSED else ALL_IMPORTS
        why = f"its record cannot be read ({error})"
        return OperatorHold(location_id=location_id, who="unknown", why=why, at=_LONG_AGO)


def _location(item_id: str, record: str) -> Location:
    """One that cannot be read is not enabled: what NewStore has of it is still rolled forward."""
    try:
        return decode(Location, record, f"location {item_id}")
    except FatalError as error:
        report_unreadable(error)
        told = _texts(record)
        return Location(
            location_id=item_id,
            fulfillment_node_id=told.get("fulfillment_node_id") or item_id,
            store_id=told.get("store_id") or "",
            erp_location=told.get("erp_location") or item_id,
            enabled=False,
        )


def _texts(record: str) -> dict[str, str]:
    """Those fields that are texts."""
    try:
        fields = json.loads(record)
    except (ValueError, RecursionError):
        return {}
    found = fields.items() if isinstance(fields, dict) else ()
    return {name: value for name, value in found if isinstance(value, str)}
