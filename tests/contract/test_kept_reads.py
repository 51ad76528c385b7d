"""KeptReads: the last read of each location, whole, under a version of its own."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from inventory_sync.adapters.s3.kept_reads import S3KeptReads
from inventory_sync.domain.stock import StockSnapshot, Units
from inventory_sync.domain.stock_reads import StockRead, UnreadStock
from inventory_sync.ports.reads import KeptReads
from tests.aws import local_bucket
from tests.contract.builders import NOON
from tests.fakes.kept_reads import FakeKeptReads

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BUCKET = "imports"
ROWS: dict[str, Units] = {"SKU-1": 3, "SKU-2": -4, "ü #/": Decimal("1.5")}
UNREADABLE = {"SKU ü": "is not a number"}
READ = StockRead(
    StockSnapshot("Köln/1", NOON, ROWS, UNREADABLE, {"row 7": "it has no product"}),
    "cursor",
    NOON - timedelta(seconds=1),
    NOON,
)


@pytest.fixture
def s3() -> Iterator["S3Client"]:
    with local_bucket(BUCKET) as client:
        yield client


@pytest.fixture(params=["fake", "s3"])
def kept(request: pytest.FixtureRequest) -> KeptReads:
    if request.param == "fake":
        return FakeKeptReads(lambda: datetime.now(UTC))
    return S3KeptReads(request.getfixturevalue("s3"), BUCKET)


def test_a_read_comes_back_as_it_was_with_its_version(kept: KeptReads) -> None:
    kept.keep("Köln/1", READ)

    [(location_id, listed)] = kept.versions().items()

    assert location_id == "Köln/1"
    assert kept.read("Köln/1") == replace(READ, version=listed.version)
    assert abs(datetime.now(UTC) - listed.kept_at) < timedelta(minutes=1)


def test_without_a_feed_there_is_no_cursor(kept: KeptReads) -> None:
    kept.keep("Köln/1", replace(READ, cursor=None, fed_since=None))

    found = kept.read("Köln/1")

    assert isinstance(found, StockRead)
    assert (found.cursor, found.fed_since) == (None, None)


def test_a_later_read_takes_the_place_of_an_earlier_one(kept: KeptReads) -> None:
    kept.keep("Köln/1", READ)
    before = kept.versions()["Köln/1"]
    kept.keep("Köln/1", replace(READ, cursor="next"))

    found = kept.read("Köln/1")

    assert isinstance(found, StockRead)
    assert found.cursor == "next"
    assert found.version == kept.versions()["Köln/1"].version != before.version


@pytest.mark.parametrize("incomplete", [True, False])
def test_why_a_location_was_not_read_is_kept_too(kept: KeptReads, incomplete: bool) -> None:
    kept.keep("DC01", UnreadStock("1 row of 2", incomplete))

    assert kept.read("DC01") == UnreadStock("1 row of 2", incomplete)


def test_what_was_never_read_has_no_read(kept: KeptReads) -> None:
    assert kept.read("DC01") is None
    assert kept.versions() == {}


def test_more_locations_than_one_listing_shows_are_found(s3: "S3Client") -> None:
    kept = S3KeptReads(s3, BUCKET)
    for number in range(1_001):
        kept.keep(str(number), UnreadStock("down"))

    assert len(kept.versions()) == 1_001


@pytest.mark.parametrize("data", [b"", b"no gzip"])
def test_what_cannot_be_read_is_named_and_counts_as_none(
    s3: "S3Client", data: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    s3.put_object(Bucket=BUCKET, Key="reads/stock/DC01.json.gz", Body=data)

    assert S3KeptReads(s3, BUCKET).read("DC01") is None
    assert "record unreadable: reads/stock/DC01.json.gz: not a read of ours" in caplog.text
