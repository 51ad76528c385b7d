"""Everything the ERP model holds, as JSON, for people who look inside."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from local.erp.model import ErpModel
from local.erp.wire import booked_json, instant_json


def erp_state(model: ErpModel) -> dict[str, Any]:
    """A snapshot under the model's lock."""
    with model.lock:
        keys = sorted(
            (location, product)
            for location, products in model.ledger.booked.items()
            for product in products
        )
        return {
            "capabilities": asdict(model.capabilities),
            "stock": [
                {
                    "location": key[0],
                    "product": key[1],
                    "on_hand": model.on_hand(key),
                    "shown": model.shown(key),
                    "allocated": model.allocated(key),
                }
                for key in keys
            ],
            "movements": [booked_json(b) for booked in model.movements.values() for b in booked],
            "double_bookings": model.double_bookings,
            "double_booked_units": model.double_booked_units,
            "allocations": [
                {
                    "fulfillment_request_id": request_id,
                    "item_id": item_id,
                    "location": kept.key[0],
                    "product": kept.key[1],
                    "logical_timestamp": kept.logical_timestamp,
                    "state": kept.state,
                }
                for (request_id, item_id), kept in model.allocations.items.items()
            ],
            "rejected_products": model.rejected_products,
            "busy_products": model.busy_products,
            "down_until": None if (until := model.down_until()) is None else instant_json(until),
            "faults_injected": dict(model.faults.injected),
        }
