"""Builds a NewStore with a clock and a shelf of files, and runs imports on it."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

from local.newstore.events import Event
from local.newstore.locations import dc
from local.newstore.model import NewStoreModel
from tests.unit.local.clock import Clock

DC = "DC01"
SKU = "SKU-1"
KEY = (DC, SKU)
OTHER_KEY = ("NYC", SKU)


class Newstore:
    """`model` over `files` by URI; `import_files` creates and starts a job of them."""

    def __init__(self, **settings: Any) -> None:
        self.clock = Clock()
        self.files: dict[str, bytes] = {}
        now = settings.pop("now", self.clock)
        settings = {"locations": [dc(DC), dc("NYC")], "sleep": self.clock.sleep, **settings}
        self.model = NewStoreModel("acme", now, fetch=self.files.__getitem__, **settings)
        self.archives = 0
        self._requests = 0

    def assign(self, units: int = 1, key: tuple[str, str] = KEY, **explicit: Any) -> str:
        """A new request of so many units; returns its id."""
        self._requests += 1
        request_id = f"ff{self._requests}"
        items = [(f"{request_id}-i{number}", key[1]) for number in range(1, units + 1)]
        self.model.assign(request_id, f"order-{self._requests}", key[0], items, **explicit)
        return request_id

    def ship(self, logical_timestamp: int | None = None, key: tuple[str, str] = KEY) -> Event:
        """Assign and complete one unit."""
        return self.model.complete(self.assign(key=key), logical_timestamp=logical_timestamp)

    def create(self, content: bytes = b"", **fields: Any) -> str:
        """A received job of a zip on the shelf; returns its id."""
        self.archives += 1
        uri = f"s3://stock/{self.archives}.zip"
        self.files[uri] = content
        job = {"provider": "erp", "name": "stock", "source_uri": uri}
        return self.model.calls.create_import(**{**job, **fields})

    def import_zip(self, content: bytes, **fields: Any) -> str:
        """A started job of a zip; returns its id."""
        import_id = self.create(content, **fields)
        self.start(import_id)
        return import_id

    def start(self, import_id: str) -> None:
        """With the file that it was created for."""
        self.model.calls.start_import(import_id, self.model.jobs.by_id[import_id].source_uri)

    def import_files(self, *files: Mapping[str, Any], **fields: Any) -> str:
        return self.import_zip(zip_of(*files), **fields)

    def state(self, import_id: str) -> str:
        return str(self.model.calls.get_import(import_id)["state"])

    def reason(self, import_id: str) -> str:
        return str(self.model.calls.get_import(import_id)["reason"])


def file_of(
    rows: Mapping[tuple[str, str], Any] | None = None,
    logical_range: tuple[Any, Any] = (0, 0),
    nodes: Sequence[str] = (DC,),
    mode: str | None = "on_hand",
) -> dict[str, Any]:
    """One availabilities.json; where no row matters, one that nobody looks at."""
    start, end = logical_range
    return {
        "head": {
            "store_mapping": [{"fulfillment_node_id": node, "store_id": None} for node in nodes],
            "completed_fulfillment_requests": {
                "logical_timestamp_start": start,
                "logical_timestamp_end": end,
            },
            **({"mode": mode} if mode else {}),
        },
        "items": [
            {"fulfillment_node_id": node, "product_id": product, "quantity": quantity}
            for (node, product), quantity in (rows or {(nodes[0], "FILLER"): 0}).items()
        ],
    }


def zip_of(*files: Mapping[str, Any]) -> bytes:
    """The files as availabilities-1.json, ..."""
    return zip_raw({name_of(number): json.dumps(file) for number, file in enumerate(files, 1)})


def name_of(number: int) -> str:
    return f"availabilities-{number}.json"


def zip_raw(files: Mapping[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()
