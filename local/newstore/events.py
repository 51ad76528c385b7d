"""Event bodies as NewStore posts them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal

Event = dict[str, Any]
EventName = Literal[
    "fulfillment_request.assigned",
    "fulfillment_request.items_completed",
    "fulfillment_request.items_failed",
]

COUNTER_SALE = "IN_STORE_HANDOVER"


def iso_instant(instant: datetime, fraction_digits: int = 3) -> str:
    """ISO 8601 in UTC with Z; 0 to 9 digits of a second's fraction (cut off, not rounded)."""
    whole = instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    fraction = f"{instant.microsecond:06d}000"[:fraction_digits]
    return f"{whole}.{fraction}Z" if fraction else f"{whole}Z"


def fulfillment_event(
    *,
    tenant: str,
    name: EventName,
    published_at: str,
    request_id: str,
    order_id: str,
    logical_timestamp: int,
    location_id: str,
    associate_id: str | None,
    service_level: str,
    items: Sequence[tuple[str, str]],
    rejection_reason: str = "",
) -> Event:
    """The whole body; `items` are (item id, product id), one per unit."""
    extras: dict[str, Any] = {}
    if rejection_reason:
        extras = {"rejection_reason": rejection_reason}
    if name == "fulfillment_request.items_completed" and service_level != COUNTER_SALE:
        tracking_code = f"1Z999AA1{logical_timestamp:010d}"
        extras = {"shipped_at": published_at, "carrier": "UPS", "tracking_code": tracking_code}
    return {
        "tenant": tenant,
        "name": name,
        "published_at": published_at,
        "payload": {
            "id": request_id,
            "order_id": order_id,
            "logical_timestamp": logical_timestamp,
            "fulfillment_location_id": location_id,
            "associate_id": associate_id,
            "service_level": service_level,
            "items": [
                {"id": item_id, "product_id": product_id, **extras} for item_id, product_id in items
            ],
        },
    }


def event_bytes(event: Event) -> bytes:
    """The bytes on the wire; the same event always gives the same bytes."""
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()
