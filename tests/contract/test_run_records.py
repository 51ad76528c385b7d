"""RunRecords: whole or not at all, read as they were written."""

import gzip
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from inventory_sync.adapters.s3.run_records import S3RunRecords
from inventory_sync.domain.cut import LogicalRange, Part
from inventory_sync.domain.errors import FatalError
from inventory_sync.domain.import_run import JobError, RunState
from inventory_sync.domain.manifest import Basis
from inventory_sync.domain.run_record import EventPart, LocationRecord
from inventory_sync.ports.files import RunRecords
from tests.aws import local_bucket
from tests.builders import run
from tests.contract.builders import MINUTE, NOON
from tests.fakes.run_records import FakeRunRecords

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BUCKET = "imports"
KEY = "runs/run-1/record.jsonl.gz"


def record(location_id: str = "DC01") -> LocationRecord:
    return LocationRecord(
        location_id=location_id,
        basis=Basis.SNAPSHOT,
        cut_end=12,
        released=LogicalRange(10, 12),
        as_of=NOON,
        read_at=NOON + MINUTE,
        apply_lag=timedelta(seconds=30),
        rows_sent=2,
        base={"SKU-1": 7, "ü #/": Decimal("1.5")},
        events=(
            EventPart(
                event_key="1#a#ff1",
                logical_timestamp=13,
                part=Part.ADDED_BACK,
                counted=False,
                late=False,
                published_at=NOON,
                applied_at=None,
                units={"SKU-1": 2},
            ),
        ),
    )


@pytest.fixture
def s3() -> Iterator["S3Client"]:
    with local_bucket(BUCKET) as client:
        yield client


@pytest.fixture(params=["fake", "moto"])
def records(request: pytest.FixtureRequest) -> RunRecords:
    if request.param == "fake":
        return FakeRunRecords()
    return S3RunRecords(request.getfixturevalue("s3"), BUCKET)


def test_locations_are_read_as_they_were_written(records: RunRecords) -> None:
    with records.writer("run-1") as writer:
        for location_id in ("Köln/1", "DC01"):
            writer.add(record(location_id))

    assert list(records.locations("run-1")) == [record("Köln/1"), record("DC01")]


def test_a_run_that_kept_nothing_has_none(records: RunRecords) -> None:
    assert list(records.locations("run-1")) == []
    assert records.outcome("run-1") is None


def test_what_broke_off_is_not_kept(records: RunRecords) -> None:
    def break_off() -> None:
        with records.writer("run-1") as writer:
            writer.add(record())
            raise InterruptedError

    with pytest.raises(InterruptedError):
        break_off()

    assert list(records.locations("run-1")) == []


def test_a_second_writing_replaces_the_first(records: RunRecords) -> None:
    for location_id in ("DC01", "NYC"):
        with records.writer("run-1") as writer:
            writer.add(record(location_id))

    assert [found.location_id for found in records.locations("run-1")] == ["NYC"]


def test_an_outcome_is_read_as_it_was_saved(records: RunRecords) -> None:
    errors = (JobError("unknown product", "availabilities", "SKU-1"),)
    ended = run(RunState.FAILED, job_errors=errors, failure="NewStore failed the job")

    records.save_outcome(ended)

    assert records.outcome("run-1") == ended
    assert records.outcome("run-2") is None


def test_the_same_record_gives_the_same_bytes(s3: "S3Client") -> None:
    records = S3RunRecords(s3, BUCKET)
    written = []
    for _ in range(2):
        with records.writer("run-1") as writer:
            writer.add(record())
        written.append(s3.get_object(Bucket=BUCKET, Key=KEY)["Body"].read())

    assert written[0] == written[1]


@pytest.mark.parametrize(
    "stored",
    [b"no gzip", gzip.compress(b"{}")[:-9]],
    ids=["no gzip", "cut short"],
)
def test_a_damaged_record_is_fatal_and_named(s3: "S3Client", stored: bytes) -> None:
    s3.put_object(Bucket=BUCKET, Key=KEY, Body=stored)

    with pytest.raises(FatalError, match="runs/run-1/record"):
        list(S3RunRecords(s3, BUCKET).locations("run-1"))


def test_a_line_that_cannot_be_read_is_left_out_by_name(
    s3: "S3Client", caplog: pytest.LogCaptureFixture
) -> None:
    records = S3RunRecords(s3, BUCKET)
    with records.writer("run-1") as writer:
        writer.add(record())
    whole = gzip.decompress(s3.get_object(Bucket=BUCKET, Key=KEY)["Body"].read())
    s3.put_object(Bucket=BUCKET, Key=KEY, Body=gzip.compress(b'{"location_id": 1}\n' + whole))

    assert list(records.locations("run-1")) == [record()]
    assert f"{KEY} line 1" in caplog.text
