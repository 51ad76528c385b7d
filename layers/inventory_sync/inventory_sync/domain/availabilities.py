"""NewStore's availabilities.json, as seen in public integrations (docs/newstore.md)."""

import json
from collections.abc import Iterable, Iterator, Mapping
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


@dataclass(frozen=True, slots=True)
class RowBlock:
    """Rows of one location, encoded, in order of their products and with a comma between them."""

    fulfillment_node_id: str
    encoded: bytes


def encode_rows(fulfillment_node_id: str, quantities: Mapping[str, int]) -> RowBlock:
    """A block from quantities by product id, in their order; whole units from 0 up."""
    if not quantities:
        return RowBlock(fulfillment_node_id, b"")
    # All rows are one object to the encoder, which is written in C: what stands between two of
    # them, and between a product and its quantity, is to it a separator.
    start = f'{{"fulfillment_node_id":{json.dumps(fulfillment_node_id)},"product_id":'
    separators = ("},\n" + start, ',"quantity":')
    rows = json.dumps(quantities, separators=separators, check_circular=False)
    return RowBlock(fulfillment_node_id, (start + rows.removeprefix("{")).encode())


def row_bytes_max(fulfillment_node_id: str, product_characters: int) -> int:
    """What a row takes at most, with what stands between two rows; a character takes up to 12."""
    fixed = len('{"fulfillment_node_id":,"product_id":"","quantity":},\n') + 20
    return fixed + len(json.dumps(fulfillment_node_id)) + 12 * product_characters


def encode_file(head: FileHead, blocks: Iterable[RowBlock]) -> Iterator[bytes]:
    """The file in pieces, two for each block; the same values always give the same bytes."""
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
    yield f'{{"head": {json.dumps(document)}, "items": ['.encode()
    separator = b"\n"
    for block in blocks:
        if block.encoded:
            yield separator
            yield block.encoded
            separator = b",\n"
    yield b"\n]}\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedFile:
    """One file of an archive; `sha256` is of its content, so the same whatever packed it."""

    name: str
    released: LogicalRange
    content_bytes: int
    sha256: str
