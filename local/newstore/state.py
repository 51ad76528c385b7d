"""Everything the NewStore model holds, as JSON, for people who look inside."""

from __future__ import annotations

from typing import Any

from local.newstore.fulfillment import FulfillmentRequest
from local.newstore.job import job_json
from local.newstore.model import NewStoreModel


def newstore_state(model: NewStoreModel) -> dict[str, Any]:
    """A snapshot under the model's lock."""
    with model.lock:
        model.advance()
        keys = model.stock_keys()
        return {
            "tenant": model.tenant,
            "stock": [
                {
                    "fulfillment_node_id": key[0],
                    "product_id": key[1],
                    "on_hand": model.on_hand(key),
                    "completed_unreleased": model.completed_unreleased(key),
                    "open_allocations": model.open_allocations(key),
                    "reservations": model.reservations[key],
                    "safety_stock": model.safety_stock[key],
                    "atp": model.atp(key),
                }
                for key in keys
            ],
            "fulfillment_requests": [_request(r) for r in model.book.requests.values()],
            "imports": [
                {**job_json(job), "files_applied": job.files_applied}
                for job in model.jobs.by_id.values()
            ],
            "jobs_too_close": model.jobs.jobs_too_close,
            "locations": model.locations.listed(),
            "created_locations": model.created_locations,
            "imports_into_master": model.imports_into_master,
            "integrations": model.integrations.list_all(),
            "published": model.publisher.events,
            "faults_injected": dict(model.faults.injected),
        }


def _request(request: FulfillmentRequest) -> dict[str, Any]:
    return {
        "id": request.request_id,
        "order_id": request.order_id,
        "fulfillment_location_id": request.location_id,
        "service_level": request.service_level,
        "items": [
            {
                "id": item.item_id,
                "product_id": item.product_id,
                "state": item.state,
                "logical_timestamp": item.logical_timestamp,
            }
            for item in request.items.values()
        ],
    }
