"""The ERP's bucket in moto, and a connector to it."""

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from inventory_sync.adapters.erp.csv.bucket import CsvBucket
from inventory_sync.adapters.erp.csv.connector import CsvErp
from inventory_sync.adapters.erp.ids import IdMap
from inventory_sync.domain.stock import StockSnapshot
from tests.fakes.observer import FakeObserver
from tests.unit.adapters.http_support import StandingClock

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

NAME = "stock/DC01/stock_20260302T115900"
AS_OF = datetime(2026, 3, 2, 11, 59, tzinfo=UTC)


class Files:
    """The ERP's bucket, and a connector to it."""

    def __init__(self, client: "S3Client") -> None:
        self.client = client
        self.clock = StandingClock()
        self.observer = FakeObserver()
        self.ids = IdMap()

    def put(self, key: str, body: str | bytes) -> None:
        content = body if isinstance(body, bytes) else body.encode()
        self.client.put_object(Bucket="erp", Key=key, Body=content)

    def drop(self, body: str | bytes, name: str = NAME, marker: str = "") -> None:
        """A whole stock file."""
        self.put(f"{name}.csv", body)
        self.put(f"{name}.csv.done", marker)

    def erp(self, client: Any = None, **form: Any) -> CsvErp:
        self.put("connector.json", json.dumps(form))
        bucket = CsvBucket(client or self.client, "erp")
        return CsvErp(bucket, self.clock, self.observer, apply_lag=timedelta(0), ids=self.ids)

    def snapshot(self, **form: Any) -> StockSnapshot:
        return self.erp(**form).snapshot("DC01")

    def passed_over(self) -> list[str]:
        """What the operator is told of each file, by log line."""
        return [f"{note['file']} {note['why']}" for _, note in self.observer.notes]
