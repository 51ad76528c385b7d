"""CSV on S3 at size: memory stays flat however many rows a file has.

CSV_ROWS=10000000 measures with so many; `-s` shows the figures.
"""

import os
import time
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from inventory_sync.adapters.erp.csv.bucket import CsvBucket, Found
from inventory_sync.adapters.erp.csv.format import Columns, CsvFormat
from inventory_sync.adapters.erp.csv.passed_over import PassedOver
from inventory_sync.adapters.erp.csv.stock import CsvStock
from inventory_sync.adapters.erp.csv.table import all_rows
from inventory_sync.adapters.erp.ids import IdMap
from tests.fakes.observer import FakeObserver

ROWS = int(os.environ.get("CSV_ROWS", "40000"))
LOCATIONS = 1_000
PEAK_BYTES_MAX = 16_000_000 + 1_000 * (ROWS // LOCATIONS)
"""A chunk of the file as lines, open parts, and the rows of the location that is asked for."""
AT = datetime(2026, 3, 2, 11, 59, tzinfo=UTC)
FILE = Found("stock/all_20260302T115900.csv", "1", AT)


class LongBody:
    """What S3 gives of a file of many rows, made as it is read."""

    def iter_chunks(self, size: int) -> Iterator[bytes]:
        yield b"place,product,on_hand\n"
        step = 10_000
        for start in range(0, ROWS, step):
            numbers = range(start, min(start + step, ROWS))
            yield b"".join(
                b"L%d,SKU-%012d,%d\n" % (n % LOCATIONS, n // LOCATIONS, n % 9) for n in numbers
            )


class OneFile:
    """An S3 client with that file only."""

    def get_object(self, **_: Any) -> dict[str, Any]:
        return {"Body": LongBody()}

    def get_paginator(self, _: str) -> "OneFile":
        return self

    def paginate(self, **_: Any) -> Iterator[dict[str, Any]]:
        yield {"Contents": [{"Key": FILE.key, "ETag": "1", "LastModified": AT}]}


@pytest.fixture
def _peak_is_flat() -> Iterator[None]:
    tracemalloc.start()
    yield
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    print(f"peak {peak / 1e6:.1f} MB")
    assert peak < PEAK_BYTES_MAX


FORM = CsvFormat(columns=Columns(location="place"), done_suffix="")
client: Any = OneFile()


@pytest.mark.usefixtures("_peak_is_flat")
def test_rows_are_streamed() -> None:
    bucket = CsvBucket(client, "erp")
    total = sum(
        int(units)
        for _, _, (units,) in all_rows("file", bucket.lines(FILE, "utf-8"), ",", ["on_hand"])
    )
    assert total == sum(n % 9 for n in range(ROWS))


@pytest.mark.usefixtures("_peak_is_flat")
def test_file_of_all_locations_is_parted_on_disk() -> None:
    stock = CsvStock(CsvBucket(client, "erp"), IdMap(), PassedOver(FakeObserver()))
    for place in (7, 8):
        snapshot = stock.snapshot(f"L{place}", FORM, datetime.now(UTC))
        expected = {f"SKU-{n // LOCATIONS:012}": n % 9 for n in range(place, ROWS, LOCATIONS)}
        assert snapshot.on_hand_units == expected


@pytest.mark.skipif(ROWS < 1_000_000, reason="set CSV_ROWS to measure")
def test_measured() -> None:
    stock = CsvStock(CsvBucket(client, "erp"), IdMap(), PassedOver(FakeObserver()))
    for place in range(3):
        began = time.monotonic()
        rows = len(stock.snapshot(f"L{place}", FORM, datetime.now(UTC)).on_hand_units)
        taken = time.monotonic() - began
        print(f"location {place + 1} of a file of {ROWS:,} rows: {rows} rows, {taken:.1f} s")
