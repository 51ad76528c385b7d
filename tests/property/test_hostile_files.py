"""Whatever stands in a file of the ERP: an error of ours, or a sane value (see hostile answers)."""

import json
from collections.abc import Iterator
from contextlib import suppress

import pytest
from moto import mock_aws

from inventory_sync.domain.errors import InventorySyncError
from tests.aws import aws_session
from tests.connector.bench import movement
from tests.property.test_hostile_answers import HOSTILE, RAW, faults_of
from tests.unit.adapters.erp.csv_files import NAME, Files

MOVED = movement(1, {"A": 1}, at="DC01")
CELLS = [
    *(value for value in HOSTILE.values() if isinstance(value, str) and value not in RAW),
    *("1e999999", "1e-9", "0x10", "--5", "5-", "+5", "5.", ".5", "Infinity", "NaN", "1" * 5_000),
    *("5,000", "5 000", "\u0665", "=1+1", '"', '"a', 'a"b', "a\rb", "\ufeff5", "#N/A", "NULL"),
]
FORMS = [
    {},
    {"decimal": ",", "thousands": "."},
    {"columns": {"as_of": "at"}, "time": "%Y-%m-%d"},
    {"duplicates": "sum"},
    {"encoding": "cp1252"},
]


@pytest.fixture
def files() -> Iterator[Files]:
    with mock_aws():
        client = aws_session().client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="erp")
        yield Files(client)


@pytest.mark.sweep(sample=1)
@pytest.mark.parametrize("form", FORMS, ids=json.dumps)
def test_any_cell_of_a_stock_file(files: Files, form: dict[str, object]) -> None:
    erp = files.erp(**form)
    for cell in CELLS:
        for row in (f"{cell},5,2026-03-02", f"B,{cell},2026-03-02", f"B,5,{cell}"):
            body = f"product,on_hand,at\nA,1,2026-03-02\n{row}\nC,1,2026-03-02\n"
            files.drop(body.encode("utf-8", "replace"))
            try:
                found = erp.snapshot("DC01")
            except InventorySyncError:
                continue
            assert not list(faults_of(found)), cell
            assert {"A", "C"} <= found.on_hand_units.keys(), cell


def test_any_cell_of_an_acknowledgement(files: Files) -> None:
    head = ["movement_id", "status", "applied_at", "document_id", "reason"]
    good = [MOVED.movement_id, "applied", "20260302T110000", "D1", ""]
    erp = files.erp()
    erp.post_movements([MOVED])
    for place in range(len(good)):
        for cell in CELLS:
            row = [*good[:place], cell, *good[place + 1 :]]
            text = ",".join(head) + "\n" + ",".join(row) + "\n"
            files.put("acknowledgements/1.csv", text.encode("utf-8", "replace"))
            assert not list(faults_of(erp.look_up(MOVED.movement_id))), cell


@pytest.mark.parametrize("name", ["delimiter", "encoding", "time", "columns", "time_zone", "x"])
def test_any_value_in_connector_json(files: Files, name: str) -> None:
    for value in HOSTILE.values():
        text = json.dumps({name: value})
        for marker, raw in RAW.items():
            text = text.replace(json.dumps(marker), raw)
        erp = files.erp()
        files.put("connector.json", text)
        files.put(f"{NAME}.csv", "product,on_hand\nA,1\n")
        with suppress(InventorySyncError):
            erp.snapshot("DC01")
