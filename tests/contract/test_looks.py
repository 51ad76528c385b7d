"""Looks: what a shadow has seen is kept tick by tick, and read in order."""

import gzip
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from inventory_sync.adapters.s3.looks import S3Looks
from inventory_sync.adapters.unreadable import LeftOut, LeftOutError
from inventory_sync.domain.shadow import Look, PromiseRow, UnshownUnits
from inventory_sync.ports.shadow import Looks
from tests.aws import local_bucket
from tests.contract.builders import MINUTE, NOON
from tests.fakes.looks import FakeLooks

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BUCKET = "imports"
DAY = timedelta(days=1)
ROW = PromiseRow(
    product_id="SKU ü",
    on_hand=-2,
    unshown=(UnshownUnits(10**18, "ff#1", NOON, 2),),
    allocations=3,
    shipped=1,
    reservations=1,
    safety_stock=4,
    atp=5,
)


@pytest.fixture
def s3() -> Iterator["S3Client"]:
    with local_bucket(BUCKET) as client:
        yield client


@pytest.fixture(params=["fake", "s3"])
def looks(request: pytest.FixtureRequest) -> Looks:
    if request.param == "fake":
        return FakeLooks()
    return S3Looks(request.getfixturevalue("s3"), BUCKET)


def look(location_id: str, at: datetime, **figures) -> Look:
    return Look(location_id=location_id, at=at, **figures)


def keep(looks: Looks, at: datetime, *found: Look) -> None:
    with looks.writer(at) as writer:
        for one in found:
            writer.add(one)


def test_a_look_comes_back_as_it_was(looks: Looks) -> None:
    seen = look("Köln/1", NOON, as_of=NOON - MINUTE, rows=7, unchecked=2, differing=(ROW,))
    unread = look("DC02", NOON, unread="the ERP is down")
    keep(looks, NOON, seen, unread)

    assert list(looks.between(NOON, NOON + MINUTE)) == [seen, unread]


def test_ticks_come_in_the_order_of_time_over_days(looks: Looks) -> None:
    times = [NOON - DAY, NOON - MINUTE, NOON, NOON + timedelta(microseconds=1), NOON + DAY]
    for at in reversed(times):
        keep(looks, at, look("DC01", at))

    found = [one.at for one in looks.between(NOON - 2 * DAY, NOON + 2 * DAY)]

    assert found == times


def test_a_time_begins_with_its_first_moment_and_ends_before_its_last(looks: Looks) -> None:
    for at in (NOON - MINUTE, NOON, NOON + MINUTE):
        keep(looks, at, look("DC01", at))

    assert [one.at for one in looks.between(NOON, NOON + MINUTE)] == [NOON]
    assert list(looks.between(NOON + DAY, NOON + 2 * DAY)) == []


def test_a_tick_that_broke_off_is_not_kept(looks: Looks) -> None:
    def break_off() -> None:
        with looks.writer(NOON) as writer:
            writer.add(look("DC01", NOON))
            raise InterruptedError

    with pytest.raises(InterruptedError):
        break_off()

    assert list(looks.between(NOON, NOON + DAY)) == []


def test_what_cannot_be_read_is_left_out_and_named(s3: "S3Client") -> None:
    looks, told = S3Looks(s3, BUCKET), list[LeftOutError]()
    keep(looks, NOON, look("DC01", NOON), look("DC02", NOON))
    [listed] = s3.list_objects_v2(Bucket=BUCKET)["Contents"]
    s3.put_object(Bucket=BUCKET, Key=listed["Key"], Body=b"no gzip")
    line = b'{"location_id": "DC03", "at": "2026-03-02T12:00:00Z"}'
    body = gzip.compress(line + b"\n{\n")
    s3.put_object(Bucket=BUCKET, Key=f"{listed['Key'][:18]}130000000000.jsonl.gz", Body=body)

    with LeftOut(told.append) as left_out:
        assert [one.location_id for one in looks.between(NOON, NOON + DAY)] == ["DC03"]
    assert len(told) == len(left_out.records) == 2


def test_they_stand_by_day_and_are_small(s3: "S3Client") -> None:
    looks = S3Looks(s3, BUCKET)
    keep(looks, NOON, *[look(f"DC{n}", NOON, rows=1, differing=(ROW,) * 100) for n in range(100)])

    [found] = s3.list_objects_v2(Bucket=BUCKET, Prefix=f"shadow/{NOON:%Y-%m-%d}/")["Contents"]
    assert found["Key"].endswith("/120000123456.jsonl.gz")
    assert found["Size"] < 50_000
