"""What is held and read besides: open events, the ERP's pages, NewStore's export."""

import json
import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import IO, Any

from tests.bench.generated import ROWS_PER_LOCATION, locations, on_hand, product

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


def exported(rows: int) -> int:
    """Fetch NewStore's export of so many rows, as the reconciliation does, and read it all."""
    from inventory_sync.adapters.newstore.exports import NewStoreExports
    from inventory_sync.domain.atp import AtpExport, ExportState

    with tempfile.TemporaryDirectory() as folder:
        path, places = Path(folder, "export.zip"), locations(rows)
        _write_export(path, rows, places)

        class Plain:
            def download(self, request: object, file: IO[bytes]) -> None:
                with path.open("rb") as source:
                    shutil.copyfileobj(source, file)

        nobody: Any = None
        plain: Any = Plain()
        exports = NewStoreExports(nobody, plain, base_url="https://newstore.example")
        export = AtpExport(
            export_id="1", state=ExportState.FINISHED, link="https://files.example", cursor=1
        )
        found = exports.fetch(export, frozenset(places), lambda: True)
        return sum(len(found.of(place)) for place in places)


def _write_export(path: Path, rows: int, places: list[str]) -> None:
    """Row by row, so that the way in is what takes memory."""
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("availabilities.json", "w", force_zip64=True) as file,
    ):
        for number in range(rows):
            row = {
                "product_id": product(number % ROWS_PER_LOCATION),
                "fulfillment_node_id": places[number // ROWS_PER_LOCATION],
                "atp": number % 90,
            }
            file.write(b"[" if number == 0 else b",")
            file.write(json.dumps(row).encode())
        file.write(b"]")
