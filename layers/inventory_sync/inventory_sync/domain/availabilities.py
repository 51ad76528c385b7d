"""NewStore's availabilities.json, as seen in public integrations (docs/newstore.md)."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from inventory_sync.domain.cut import LogicalRange
from inventory_sync.domain.locations import Location

FILE_BYTES_MAX = 80_000_000
"""The largest availabilities file NewStore takes (docs/newstore.md, Import)."""
FILES_PER_ARCHIVE_MAX = 1000
"""The most JSON files in one zip (docs/newstore.md, Import)."""


@dataclass(frozen=True, slots=True)
class FileHead:
    """What a file says about its rows: their locations and the events it releases."""

    locations: tuple[Location, ...]
    released: LogicalRange


def encode_file(head: FileHead, encoded_rows: Iterable[bytes]) -> Iterator[bytes]:
    """The file in pieces, from rows of `encode_row`; the same values give the same bytes."""
    mapping = sorted((place.fulfillment_node_id, place.store_id) for place in head.locations)
    document = {
        "store_mapping": [
            {"fulfillment_node_id": node, "store_id": store} for node, store in mapping
        ],
        "completed_fulfillment_requests": {
            "logical_timestamp_start": head.released.start,
            "logical_timestamp_end": head.released.end,
        },
        "mode": "atp",
    }
    yield b'{"head": ' + json.dumps(document).encode() + b', "items": ['
    separator = b"\n"
    for row in encoded_rows:
        yield separator + row
        separator = b",\n"
    yield b"\n]}\n"


def encode_row(fulfillment_node_id: str, product_id: str, quantity: int) -> bytes:
    """One row as JSON; `quantity` is whole units from 0 up."""
    row = {
        "fulfillment_node_id": fulfillment_node_id,
        "product_id": product_id,
        "quantity": quantity,
    }
    return json.dumps(row).encode()
