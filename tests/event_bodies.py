"""Builders of bodies and calls that name only what matters."""

import json
from collections.abc import Sequence
from typing import Any

TENANT = "acme"
KEY = "local-inbound-key-0001"
COMPLETED = "fulfillment_request.items_completed"


def event_fields(
    *,
    name: str = COMPLETED,
    tenant: str = TENANT,
    published_at: str = "2026-03-02T09:00:00.123Z",
    products: Sequence[str] = ("SKU-1",),
    **payload: Any,
) -> dict[str, Any]:
    """An event as NewStore publishes it; `payload` overrides or adds to the payload's fields."""
    return {
        "tenant": tenant,
        "name": name,
        "published_at": published_at,
        "payload": {
            "id": "ff1",
            "order_id": "order-1",
            "logical_timestamp": 10,
            "fulfillment_location_id": "DC01",
            "associate_id": None,
            "service_level": "TRADITIONAL",
            "items": [
                {"id": f"item-{n}", "product_id": product} for n, product in enumerate(products, 1)
            ],
            **payload,
        },
    }


def event_body(**overrides: Any) -> bytes:
    """`event_fields` as bytes."""
    return json.dumps(event_fields(**overrides), separators=(",", ":")).encode()


def api_call(body: str | None, *, key: str | None = KEY, is_base64: bool = False) -> dict[str, Any]:
    """What the handler reads of a REST API's proxy event; whole ones stand in events/."""
    headers = {"Content-Type": "application/json"}
    if key is not None:
        headers["Authorization"] = f"Bearer {key}"
    return {
        "httpMethod": "POST",
        "path": "/event",
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "body": body,
        "isBase64Encoded": is_base64,
    }
