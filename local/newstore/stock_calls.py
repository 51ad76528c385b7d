"""The calls about stock and orders that NewStore answers."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

from local.http_server import CallFaults, CallRefusedError, api_call
from local.newstore.events import iso_instant
from local.newstore.fulfillment import FulfillmentRequest, ItemState, StockKey
from local.newstore.truth import NewStoreTruth

ATP_KEYS_MAX = 2_000
INSIGHTS_MAX = 1_000
_STATUS: dict[ItemState, str] = {
    "allocated": "dispatched",
    "failed": "rejected",
    "completed": "shipped",
    "released": "shipped",
}


class StockCalls:
    """As NewStoreCalls."""

    def __init__(self, model: NewStoreTruth, faults: CallFaults) -> None:
        self._model = model
        self.faults = faults
        self.lock = model.lock

    def advance(self) -> None:
        """Bring the model up to now()."""
        self._model.advance()

    @api_call
    def availabilities(self, keys: Sequence[StockKey]) -> list[dict[str, Any]]:
        """ATP of each key of a known product; CallRefusedError 400 unless there are 1 to 2000."""
        if not 1 <= len(keys) <= ATP_KEYS_MAX:
            raise CallRefusedError(400, f"1 to {ATP_KEYS_MAX} atp_keys")
        return [
            {"product_id": key[1], "fulfillment_node_id": key[0], "atp": self._atp(key)}
            for key in keys
            if key[1] not in self._model.unknown_products
        ]

    @api_call
    def stock_insights(self, key: StockKey) -> dict[str, Any]:
        """What is set aside of one key; without reservations there is no such list."""
        allocations = [
            {
                "order_uuid": request.order_id,
                "item_uuid": item.item_id,
                "created_at": iso_instant(item.created_at),
            }
            for request, item in self._model.book.allocations(key)
        ]
        found = {
            "product_id": key[1],
            "fulfillment_node_id": key[0],
            "allocations": allocations[:INSIGHTS_MAX],
        }
        if count := self._model.reservations[key]:
            found["reservations"] = [_reservation(n) for n in range(min(count, INSIGHTS_MAX))]
        return found

    @api_call
    def start_export(self, since: int | None) -> str:
        """The export's id."""
        atp = {key: self._atp(key) for key in self._model.stock_keys()}
        return self._model.atp_exports.start(since, atp)

    @api_call
    def get_export(self, export_id: str, link: str) -> dict[str, Any]:
        """CallRefusedError 404."""
        return self._model.atp_exports.get(export_id, link)

    @api_call
    def export_file(self, export_id: str) -> bytes:
        """CallRefusedError 404."""
        return self._model.atp_exports.packed(export_id)

    @api_call
    def safety_stock(self) -> str:
        """The CSV."""
        table = io.StringIO()
        rows = csv.writer(table, lineterminator="\n")
        rows.writerow(("Product ID", "Location", "Safety Stock"))
        for (node, product), units in sorted(self._model.safety_stock.items()):
            rows.writerow((product, node, units))
        return table.getvalue()

    @api_call
    def fulfillment_requests(self, order_uuid: str) -> dict[str, Any]:
        """Those of an order, the earliest first; none of an unknown one."""
        requests = self._model.book.requests.values()
        found = [_request(r) for r in requests if r.order_id == order_uuid]
        return {"fulfillment_requests": found}

    def _atp(self, key: StockKey) -> int:
        """NewStore shows none below 0."""
        return max(0, self._model.atp(key))


def _reservation(number: int) -> dict[str, str]:
    order, item = f"{number:036d}", f"{number + 1_000_000:036d}"
    return {
        "order_uuid": order,
        "item_uuid": item,
        "created_at": "2026-01-15T10:00:00.000Z",
        "expires_at": "2026-01-15T10:30:00.000Z",
    }


def _request(request: FulfillmentRequest) -> dict[str, Any]:
    items = [
        {
            "item_id": item.item_id,
            "product_id": item.product_id,
            "status": _STATUS[item.state],
            "tracking_code": None,
            "carrier": None,
        }
        for item in request.items.values()
    ]
    open_items = [item for item in items if item["status"] == "dispatched"]
    some = "partially_completed" if len(open_items) < len(items) else "acknowledged"
    return {
        "fulfillment_request_id": request.request_id,
        "created_at": iso_instant(min(item.created_at for item in request.items.values())),
        "status": some if open_items else "completed",
        "service_level": request.service_level,
        "fulfillment_node_id": request.location_id,
        "items": items,
    }
