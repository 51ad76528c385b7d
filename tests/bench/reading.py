"""What an import holds and reads besides its rows: open events, and the ERP's pages."""

import json

from tests.bench.generated import ROWS_PER_LOCATION, on_hand

PAGE_ROWS = 5_000
"""What the REST connector asks for."""


def pages(rows: int) -> int:
    """Parse and check so many rows of the ERP's answers, a page after the other."""
    from inventory_sync.adapters.erp.rest.wire import PageAnswer
    from inventory_sync.adapters.http.answer import parse_object, read_model

    stock = list(on_hand(0).items())[:PAGE_ROWS]
    page = {
        "location": "STORE-00000",
        "as_of": "2026-03-02T09:00:00Z",
        "row_count": ROWS_PER_LOCATION,
        "rows": [{"product": product, "on_hand": units} for product, units in stock],
        "next_cursor": None,
    }
    body = json.dumps(page).encode()
    read = 0
    while read < rows:
        read += len(read_model(PageAnswer, parse_object(body), "GET /v1/stock").rows)
    return read


def open_events(amount: int) -> int:
    """Hold so many, as an import does from its beginning to its end."""
    from datetime import timedelta

    from inventory_sync.domain.events import (
        EventName,
        FulfillmentEvent,
        FulfillmentItem,
        OpenEvent,
    )
    from tests.bench.generated import NOW, product

    held = [
        OpenEvent(
            event=FulfillmentEvent(
                name=EventName.ITEMS_COMPLETED,
                location_id=f"STORE-{number % 1000:05d}",
                logical_timestamp=number,
                fulfillment_request_id=f"0d3b2f4e-9c1a-4c7e-8f00-{number:012d}",
                order_id=f"7a1c9d2b-1e5f-4b6a-9d00-{number:012d}",
                published_at=NOW - timedelta(seconds=number),
                service_level=f"STANDARD-{number % 3}",
                items=(FulfillmentItem(f"5e8f7a6b-2c3d-4e5f-8a00-{number:012d}", product(number)),),
            ),
            received_at=NOW - timedelta(milliseconds=number),
            applied_at=NOW - timedelta(milliseconds=number),
            forwarded_at=NOW - timedelta(milliseconds=number),
        )
        for number in range(amount)
    ]
    return len(held)
