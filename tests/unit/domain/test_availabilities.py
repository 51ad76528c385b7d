"""The file NewStore reads."""

import json

import pytest

from inventory_sync.domain.availabilities import (
    ARCHIVE_BYTES_MAX,
    FILES_PER_ARCHIVE_MAX,
    FileHead,
    RowBlock,
    encode_file,
    encode_rows,
    unsendable_rows,
)
from inventory_sync.domain.cut import LogicalRange
from tests.builders import location

WAREHOUSE = location("DC01", fulfillment_node_id="node-2", store_id="")
SHOP = location("NYC", fulfillment_node_id="node-1", store_id="store-1")


def encoded(*blocks: RowBlock) -> bytes:
    head = FileHead((WAREHOUSE, SHOP), LogicalRange(10, 12))
    return b"".join(encode_file(head, blocks))


def test_the_file_says_what_it_releases_where_and_how_many_there_are() -> None:
    file = encoded(
        encode_rows("node-2", {"SKU-1": 17, "SKU-2": 3}), encode_rows("node-1", {"SKU-1": 0})
    )

    assert json.loads(file) == {
        "head": {
            "store_mapping": [
                {"fulfillment_node_id": "node-1", "store_id": "store-1"},
                {"fulfillment_node_id": "node-2", "store_id": None},
            ],
            "completed_fulfillment_requests": {
                "logical_timestamp_start": 10,
                "logical_timestamp_end": 12,
            },
            "mode": "on_hand",
        },
        "items": [
            {"fulfillment_node_id": "node-2", "product_id": "SKU-1", "quantity": 17},
            {"fulfillment_node_id": "node-2", "product_id": "SKU-2", "quantity": 3},
            {"fulfillment_node_id": "node-1", "product_id": "SKU-1", "quantity": 0},
        ],
    }


def test_a_location_without_rows_between_others_leaves_no_gap() -> None:
    empty, one = encode_rows("node-1", {}), encode_rows("node-2", {"A": 1})

    file = encoded(empty, one, empty, one, empty)

    assert len(json.loads(file)["items"]) == 2


def test_rows_stand_on_lines_of_their_own() -> None:
    block = encode_rows("node-1", {"A": 1, "B": 2})

    lines = encoded(block, block).decode().splitlines()

    assert lines[0].endswith('"items": [')
    rows = [line.rstrip(",") for line in block.encoded.decode().splitlines()]
    assert [line.rstrip(",") for line in lines[1:-1]] == rows * 2
    assert lines[-1] == "]}"


def test_the_order_of_locations_does_not_change_a_byte() -> None:
    orders = ((SHOP, WAREHOUSE), (WAREHOUSE, SHOP))

    first, second = (b"".join(encode_file(FileHead(o, LogicalRange(1, 2)), [])) for o in orders)

    assert first == second


def test_text_of_any_language_survives() -> None:
    block = encode_rows("é店", {'a"b\\c\n': 3})

    assert block.fulfillment_node_id == "é店"
    assert json.loads(block.encoded) == {
        "fulfillment_node_id": "é店",
        "product_id": 'a"b\\c\n',
        "quantity": 3,
    }


def test_the_limits_are_newstores() -> None:
    assert (ARCHIVE_BYTES_MAX, FILES_PER_ARCHIVE_MAX) == (80_000_000, 1000)


@pytest.mark.parametrize(
    ("rows", "faults"),
    [
        ({}, {}),
        ({"A": 0, "B": 2**31 - 1, "é店 1": 3, "x" * 200: 1}, {}),
        ({"A": 1, "": 2}, {"": "its product id is empty"}),
        ({"A": 1, "x" * 201: 2}, {"x" * 201: "its product id is longer than 200 characters"}),
        ({"A": 1, "a\nb": 2}, {"a\nb": "its product id has unprintable characters"}),
        ({"A": 1, "\ud800": 2}, {"\ud800": "its product id has unprintable characters"}),
        ({"A": 1, "B": -1}, {"B": "-1 units are not between 0 and 2147483647"}),
        ({"A": 2**31}, {"A": "2147483648 units are not between 0 and 2147483647"}),
    ],
)
def test_a_row_that_newstore_might_refuse_is_named(
    rows: dict[str, int], faults: dict[str, str]
) -> None:
    assert unsendable_rows(rows) == faults
