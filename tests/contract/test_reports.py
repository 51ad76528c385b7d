"""Reports of reconciliations in S3: CSV that a spreadsheet reads as it was meant, and JSON."""

import csv
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from inventory_sync.adapters.s3.reports import S3Reports
from inventory_sync.domain.drift import RowFigures, drift_of
from tests.aws import local_bucket
from tests.fakes.reports import FakeReports

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BUCKET = "imports"


@pytest.fixture
def s3() -> Iterator["S3Client"]:
    with local_bucket(BUCKET) as client:
        yield client


def row(product_id: str, erp: int | None) -> RowFigures:
    return RowFigures(
        location_id="DC01",
        product_id=product_id,
        sent=10,
        erp=erp,
        late=0,
        atp=12,
        allocations=1,
        leaked=1,
        reservations=0,
        waiting=False,
        moving=False,
    )


def text_of(s3: "S3Client", key: str) -> str:
    return s3.get_object(Bucket=BUCKET, Key=key)["Body"].read().decode()


def test_each_row_has_its_figures_and_its_parts(s3: "S3Client") -> None:
    reports = S3Reports(s3, BUCKET)
    with reports.writer("r1") as report:
        report.add(drift_of(row('SKU "1", ü', 11)))
        report.add(drift_of(row("=SUM(A1)", None)))

    first, second = csv.DictReader(text_of(s3, "reports/r1/drift.csv").splitlines())
    assert first["product_id"] == 'SKU "1", ü'
    assert (first["erp"], first["erp_correction"], first["leaked_allocation"]) == ("11", "-1", "-1")
    assert (first["drift"], first["unexplained"], first["late"]) == ("1", "3", "")
    assert (second["product_id"], second["erp"]) == ("'=SUM(A1)", "")


class InS3:
    """What a reader finds of S3's reports."""

    def __init__(self, s3: "S3Client") -> None:
        self.s3, self.reports = s3, S3Reports(s3, BUCKET)

    def products(self, report_id: str) -> list[str]:
        key = f"reports/{report_id}/drift.csv"
        if "Contents" not in self.s3.list_objects_v2(Bucket=BUCKET, Prefix=key):
            return []
        return [found["product_id"] for found in csv.DictReader(text_of(self.s3, key).splitlines())]

    def summary(self, report_id: str) -> object:
        return json.loads(text_of(self.s3, f"reports/{report_id}/summary.json"))


class InMemory:
    """And of the fake's."""

    def __init__(self) -> None:
        self.reports = FakeReports()

    def products(self, report_id: str) -> list[str]:
        return [drift.figures.product_id for drift in self.reports.drifts.get(report_id, [])]

    def summary(self, report_id: str) -> object:
        return self.reports.summaries[report_id]


@pytest.fixture(params=["fake", "moto"])
def kept(request: pytest.FixtureRequest) -> InMemory | InS3:
    return InMemory() if request.param == "fake" else InS3(request.getfixturevalue("s3"))


def test_rows_are_kept_in_their_order_report_by_report(kept: InMemory | InS3) -> None:
    for report_id, products in {"r1": ("B", "A", "B"), "r2": ("C",), "r3": ()}.items():
        with kept.reports.writer(report_id) as report:
            for product in products:
                report.add(drift_of(row(product, 11)))

    assert [kept.products(r) for r in ("r1", "r2", "r3")] == [["B", "A", "B"], ["C"], []]


def test_rows_of_a_report_that_broke_off_are_not_kept(kept: InMemory | InS3) -> None:
    def break_off() -> None:
        with kept.reports.writer("r1") as report:
            report.add(drift_of(row("A", 11)))
            raise InterruptedError

    with pytest.raises(InterruptedError):
        break_off()

    assert kept.products("r1") == []


def test_a_summary_is_kept_and_its_place_is_said(kept: InMemory | InS3) -> None:
    first = kept.reports.save_summary("r1", {"rows": 1})
    assert kept.reports.save_summary("r2", {"rows": 2}) != first

    assert kept.reports.save_summary("r1", {"rows": 3}) == first == "s3://imports/reports/r1/"
    assert (kept.summary("r1"), kept.summary("r2")) == ({"rows": 3}, {"rows": 2})


def test_the_summary_is_json_beside_the_rows(s3: "S3Client") -> None:
    place = S3Reports(s3, BUCKET).save_summary("r1", {"rows": 2})

    assert place == f"s3://{BUCKET}/reports/r1/"
    assert json.loads(text_of(s3, "reports/r1/summary.json")) == {"rows": 2}


def test_a_report_that_broke_off_is_not_kept(s3: "S3Client") -> None:
    reports = S3Reports(s3, BUCKET)

    def break_off() -> None:
        with reports.writer("r1"):
            raise InterruptedError

    with pytest.raises(InterruptedError):
        break_off()
    assert "Contents" not in s3.list_objects_v2(Bucket=BUCKET)
