"""The CSV connector, and an ERP that works through its bucket in batches."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ReadTimeoutError
from moto import mock_aws

from inventory_sync.adapters.erp.csv.bucket import CsvBucket
from inventory_sync.adapters.erp.csv.connector import CsvErp
from inventory_sync.adapters.erp.ids import IdMap
from tests.aws import aws_session
from tests.fakes.clock import FakeClock
from tests.fakes.observer import FakeObserver

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BUCKET = "erp-files"
TICK = timedelta(seconds=1)


class LosingClient:
    """An S3 client that may lose the answers to its writes."""

    def __init__(self, client: S3Client) -> None:
        self._client, self.losing = client, 0

    def put_object(self, **arguments: Any) -> Any:
        answer = self._client.put_object(**arguments)
        if self.losing:
            self.losing -= 1
            raise ReadTimeoutError(endpoint_url="s3")
        return answer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)


class BatchErp:
    """Collects movement files, books each id once, acknowledges, and drops its stock."""

    def __init__(self, client: S3Client, prefix: str = "") -> None:
        self._client = client
        self.prefix = prefix
        self.units: Counter[str] = Counter()
        self._booked: dict[str, str] = {}
        self._runs = count(1)
        self._now = datetime.now(UTC).replace(microsecond=0)

    def now(self) -> datetime:
        """Its own clock, in whole seconds, never the same twice."""
        self._now = max(self._now + TICK, datetime.now(UTC).replace(microsecond=0) + TICK)
        return self._now

    def book(self) -> None:
        """Take up every file that is there and new."""
        below = f"{self.prefix}movements/"
        new = [key for key in self.listed() if key.startswith(below) and key not in self._booked]
        rows = [self._take(key) for key in new]
        if rows:
            head = "movement_id;status;applied_at;document_id;reason"
            self._write(f"acknowledgements/{next(self._runs):06}.csv", head, rows)

    def listed(self) -> list[str]:
        """Of all that is in the bucket, up to a page of it."""
        listed = self._client.list_objects_v2(Bucket=BUCKET)
        return [entry["Key"] for entry in listed.get("Contents", [])]

    def drop_stock(self) -> None:
        """Everything it holds, as of now, and the marker last."""
        as_of = self.now()
        rows = [[sku, f"{units:,}".replace(",", ".")] for sku, units in sorted(self.units.items())]
        key = f"stock/DC01/stock_{as_of:%Y%m%dT%H%M%S}.csv"
        self._write(key, "Artikel;Bestand", rows)
        marker = str(len(rows)).encode()
        self._put(f"{key}.done", marker)

    def _take(self, key: str) -> list[str]:
        text = self._client.get_object(Bucket=BUCKET, Key=key)["Body"].read().decode()
        lines = list(csv.DictReader(io.StringIO(text), delimiter=";"))
        movement_id = lines[0]["movement_id"]
        applied_at = f"{self.now():%Y%m%dT%H%M%S}"
        self._booked[key] = movement_id
        if any(line["product"] == "no such product" for line in lines):
            return [movement_id, "rejected", applied_at, "", "unknown product"]
        for line in lines:
            self.units[line["product"]] -= int(line["quantity"])
        return [movement_id, "applied", applied_at, f"DOC-{len(self._booked)}", ""]

    def _write(self, key: str, head: str, rows: list[list[str]]) -> None:
        text = io.StringIO()
        csv.writer(text, delimiter=";").writerows([head.split(";"), *rows])
        body = text.getvalue().encode("cp1252", "xmlcharrefreplace")
        if key.startswith("acknowledgements/"):
            body = text.getvalue().encode("utf-8")
        self._put(key, body)

    def _put(self, key: str, body: bytes) -> None:
        self._client.put_object(Bucket=BUCKET, Key=self.prefix + key, Body=body)


FORMAT = {
    "delimiter": ";",
    "decimal": ",",
    "thousands": ".",
    "columns": {"product": "Artikel", "on_hand": "Bestand"},
}


class CsvBench:
    """Without acknowledgements its ERP takes up what it finds, and nobody hears of it."""

    location_id = "Hamburg"

    def __init__(self, client: S3Client, erp: BatchErp, *, acknowledged: bool) -> None:
        self._client = LosingClient(client)
        self.erp = erp
        self._numbers = count(1)
        lag = 0 if acknowledged else 1
        form = {**FORMAT, "acknowledged": acknowledged, "apply_lag_seconds": lag}
        key = f"{erp.prefix}connector.json"
        client.put_object(Bucket=BUCKET, Key=key, Body=json.dumps(form).encode())

    def connector(self) -> CsvErp:
        bucket: Any = self._client
        return CsvErp(
            CsvBucket(bucket, BUCKET, self.erp.prefix),
            FakeClock(datetime.now(UTC) + timedelta(days=1)),
            FakeObserver(),
            apply_lag=timedelta(0),
            ids=IdMap({"Hamburg": "DC01"}),
        )

    def product(self) -> str:
        return f"product-{next(self._numbers)}"

    def set_stock(self, product_id: str, units: int) -> None:
        self.erp.units[product_id] = units

    def on_hand(self, product_id: str) -> int:
        self.erp.book()
        return self.erp.units[product_id]

    def let_it_book(self) -> None:
        self.erp.book()

    def let_it_show(self) -> None:
        self.erp.book()
        self.erp.drop_stock()

    @contextmanager
    def losing_answers(self, count: int) -> Iterator[None]:
        self._client.losing = count
        yield
        self._client.losing = 0


@contextmanager
def csv_acknowledged(*, acknowledged: bool = True) -> Iterator[CsvBench]:
    """A bucket of its own, in moto."""
    with mock_aws():
        client = aws_session().client("s3")
        client.create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
        )
        yield CsvBench(client, BatchErp(client), acknowledged=acknowledged)


def csv_unacknowledged() -> Any:
    """The ERP takes files and says nothing."""
    return csv_acknowledged(acknowledged=False)
