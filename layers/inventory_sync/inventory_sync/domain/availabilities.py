"""NewStore's availabilities.json (docs/newstore.md, "availabilities.json")."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from inventory_sync.domain.cut import LogicalRange
from inventory_sync.domain.locations import Location

ARCHIVE_BYTES_MAX = 80_000_000
"""All files of an archive, uncompressed, stay below it (docs/newstore.md, Import)."""
MODE = "on_hand"
"""Quantities are stock on hand; to `atp` NewStore would add every open allocation."""
FILES_PER_ARCHIVE_MAX = 1000
"""The most JSON files in one zip (docs/newstore.md, Import)."""
ID_CHARACTERS_MAX = 200
"""Of a product or a node: an event with a longer one could not be read either."""
QUANTITY_MAX = 2**31 - 1
"""NewStore names no limit; what is larger is no stock."""


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


def unsendable_rows(quantities: Mapping[str, int]) -> dict[str, str]:
    """The rows that NewStore might refuse, and with them their file, by product: what is wrong."""
    if not quantities or _all_plain(quantities):
        return {}
    faults = ((product, _row_fault(product, units)) for product, units in quantities.items())
    return {product: fault for product, fault in faults if fault}


def _all_plain(quantities: Mapping[str, int]) -> bool:
    """The same for all rows at once, which is faster."""
    return (
        "".join(quantities).isprintable()
        and min(map(len, quantities)) >= 1
        and max(map(len, quantities)) <= ID_CHARACTERS_MAX
        and min(quantities.values()) >= 0
        and max(quantities.values()) <= QUANTITY_MAX
    )


def _row_fault(product_id: str, quantity_units: int) -> str:
    if id_fault := fault_of_id(product_id):
        return f"its product id {id_fault}"
    within = 0 <= quantity_units <= QUANTITY_MAX
    return "" if within else f"{quantity_units} units are not between 0 and {QUANTITY_MAX}"


def fault_of_id(value: str) -> str:
    """Why NewStore might refuse it; empty where it would not."""
    if not value:
        return "is empty"
    if len(value) > ID_CHARACTERS_MAX:
        return f"is longer than {ID_CHARACTERS_MAX} characters"
    return "" if value.isprintable() else "has unprintable characters"


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
            {"fulfillment_node_id": node, "store_id": store or None} for node, store in mapping
        ],
        "completed_fulfillment_requests": {
            "logical_timestamp_start": head.released.start,
            "logical_timestamp_end": head.released.end,
        },
        "mode": MODE,
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
