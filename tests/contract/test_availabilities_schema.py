"""Our own check of a file, NewStore's schema and the simulator find the same faults."""

import io
import json
import zipfile
from copy import deepcopy
from typing import Any

import pytest

from local.newstore.availabilities import UnusableImportError, read_file
from tests.availabilities import check_archive, faults_of, schema_faults_of
from tests.contract.openapi import at_hand
from tests.unit.local.newstore_builder import DC, KEY, SKU, file_of

NODE, PRODUCT, STORE = "fulfillment_node_id", "product_id", "store_id"
ROW: dict[str, Any] = {NODE: DC, PRODUCT: SKU, "quantity": 17}
GOOD = file_of({KEY: 17}, (10, 12))


def changed(**parts: Any) -> dict[str, Any]:
    """The good file with other parts, of its head or at its top."""
    head = {**GOOD["head"], **{n: parts.pop(n) for n in ("store_mapping", "mode") if n in parts}}
    return {**deepcopy(GOOD), "head": head, **parts}


def row(**fields: Any) -> dict[str, Any]:
    return changed(items=[{n: v for n, v in {**ROW, **fields}.items() if v is not ...}])


FINE = {
    "as it is": GOOD,
    "the store of a store": changed(store_mapping=[{NODE: DC, STORE: "NYC"}]),
    "an empty store": changed(store_mapping=[{NODE: DC, STORE: ""}]),
    "no store": changed(store_mapping=[{NODE: DC}]),
    "atp": changed(mode="atp"),
    "nothing in stock": row(quantity=0),
}
WRONG = {
    "a list": [GOOD],
    "no head": {"items": [ROW]},
    "no items": {"head": GOOD["head"]},
    "no mapping": {"head": {"mode": "on_hand"}, "items": [ROW]},
    "a mapping without a node": changed(store_mapping=[{STORE: None}]),
    "a mapping with an empty node": changed(store_mapping=[{NODE: DC}, {NODE: ""}]),
    "a store that is a number": changed(store_mapping=[{NODE: DC, STORE: 7}]),
    "another mode": changed(mode="full"),
    "below zero": row(quantity=-1),
    "a fraction": row(quantity=1.5),
    "a truth value": row(quantity=True),
    "a text": row(quantity="1"),
    "no quantity": row(quantity=...),
    "no product": row(product_id=...),
    "an empty product": row(product_id=""),
    "an empty node": row(fulfillment_node_id=""),
    "a number as product": row(product_id=7),
}


@pytest.mark.parametrize("name", FINE)
def test_a_file_that_newstore_takes_has_no_faults(name: str) -> None:
    at_hand("availabilities.schema.json")
    assert (faults_of(FINE[name]), schema_faults_of(FINE[name])) == ([], [])
    read_file("availabilities-1.json", json.dumps(FINE[name]).encode())


@pytest.mark.parametrize("name", WRONG)
def test_a_file_that_the_schema_refuses_is_found_by_all(name: str) -> None:
    at_hand("availabilities.schema.json")
    assert schema_faults_of(WRONG[name])
    assert faults_of(WRONG[name])
    with pytest.raises(UnusableImportError):
        read_file("availabilities-1.json", json.dumps(WRONG[name]).encode())


def archive(*files: dict[str, Any], name: str = "availabilities-{}.json") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as zipped:
        for number, file in enumerate(files):
            zipped.writestr(name.format(number), json.dumps(file))
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (archive(GOOD, GOOD), "stand twice"),
        (archive(GOOD, name="stock-{}.json"), "does not say"),
        (archive(GOOD, name="__MACOSX/availabilities-{}.json"), "__MACOSX"),
        (archive(row(fulfillment_node_id="NYC")), "row: "),
        (archive(), "0 files"),
        (archive(changed(items=[])), "empty"),
    ],
)
def test_what_the_schema_cannot_say_is_found_too(content: bytes, fault: str) -> None:
    with pytest.raises(AssertionError, match=fault):
        check_archive(content)


def test_a_good_archive_passes() -> None:
    check_archive(archive(GOOD, row(product_id="SKU-2")))
