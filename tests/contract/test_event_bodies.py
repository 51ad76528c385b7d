"""Bodies too large for a table's item: in S3, and found again by whoever reads the item."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from inventory_sync.adapters.dynamodb.event_history import DynamoEventHistory
from inventory_sync.adapters.dynamodb.event_log import DynamoEventLog
from inventory_sync.adapters.dynamodb.quarantine import DynamoQuarantine
from inventory_sync.adapters.dynamodb.quarantine_review import QuarantineReview
from inventory_sync.adapters.dynamodb.state_table import StateTable
from inventory_sync.adapters.s3.bucket import Bucket
from inventory_sync.adapters.s3.event_bodies import INLINE_BYTES_MAX, PREFIX, EventBodies
from inventory_sync.domain.errors import FatalError, RejectedError
from inventory_sync.domain.inbound import AppendResult, QuarantineEntry
from tests.aws import local_bucket
from tests.contract.builders import NOON, RETENTION, event
from tests.contract.conftest import Database

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BUCKET = "imports"
LARGE = b'{"note": "' + b"x" * INLINE_BYTES_MAX + b'"}'


@pytest.fixture
def s3() -> Iterator["S3Client"]:
    with local_bucket(BUCKET) as client:
        yield client


@pytest.fixture
def bodies(s3: "S3Client") -> EventBodies:
    return EventBodies(lambda: Bucket(s3, BUCKET))


def keys(s3: "S3Client") -> list[str]:
    return [found["Key"] for found in s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])]


def test_a_large_body_is_stored_once_and_read_back(
    database: Database, s3: "S3Client", bodies: EventBodies
) -> None:
    table = database.table("EventsTable")
    log = DynamoEventLog(database.client, table, RETENTION, bodies)

    results = [log.append(event(), LARGE, NOON) for _ in range(2)]

    assert results == [AppendResult.APPENDED, AppendResult.ALREADY_STORED]
    assert DynamoEventHistory(database.client, table, bodies).body(event().ref) == LARGE
    [key] = keys(s3)
    assert key.startswith(PREFIX)
    [stored] = log.open_events()
    assert stored.event == event()


def test_a_large_body_under_a_stored_key_is_another_wording(
    database: Database, bodies: EventBodies
) -> None:
    log = DynamoEventLog(database.client, database.table("EventsTable"), RETENTION, bodies)
    log.append(event(), b"{}", NOON)

    assert log.append(event(), LARGE, NOON) is AppendResult.STORED_OTHERWISE


def test_a_large_body_in_quarantine_is_read_back(
    database: Database, s3: "S3Client", bodies: EventBodies
) -> None:
    table = database.table("QuarantineTable")
    entry = QuarantineEntry(reason="unparsable", detail="why", body=LARGE, received_at=NOON)
    DynamoQuarantine(database.client, table, RETENTION, bodies).add(entry)
    state = StateTable(database.client, database.table("StateTable"))
    review = QuarantineReview(database.client, table, state, bodies)

    [found] = review.entries()

    assert (found.entry, found.body_bytes) == (replace(entry, body=b""), len(LARGE))
    assert review.body(found.entry_id) == LARGE
    s3.delete_object(Bucket=BUCKET, Key=keys(s3)[0])
    with pytest.raises(RejectedError, match="retention"):
        review.body(found.entry_id)


def test_who_names_no_bucket_keeps_no_large_body(database: Database) -> None:
    table = database.table("EventsTable")
    log = DynamoEventLog(database.client, table, RETENTION)

    with pytest.raises(FatalError):
        log.append(event(), LARGE, NOON)

    assert list(log.open_events()) == []


def test_the_bucket_is_opened_at_the_first_large_body(s3: "S3Client") -> None:
    opened: list[datetime] = []

    def open_bucket() -> Bucket:
        opened.append(datetime.now(UTC))
        return Bucket(s3, BUCKET)

    bodies = EventBodies(open_bucket)
    bodies.keep(b"{}")
    assert opened == []

    for _ in range(2):
        bodies.keep(LARGE)

    assert len(opened) == 1


def test_a_body_that_is_not_what_was_stored_is_refused_by_name(
    s3: "S3Client", bodies: EventBodies
) -> None:
    item = bodies.keep(LARGE)
    [key] = keys(s3)
    s3.put_object(Bucket=BUCKET, Key=key, Body=LARGE[:-1])

    with pytest.raises(RejectedError, match=f"{key} is not what was stored"):
        bodies.read(item)


@pytest.mark.parametrize("body", [{}, {"body": {"BOOL": True}}, {"body": {"S": "{}"}}])
def test_an_item_without_a_body_that_can_be_read_is_refused(
    bodies: EventBodies, body: dict[str, dict[str, object]]
) -> None:
    with pytest.raises(RejectedError, match="body cannot be read"):
        bodies.read(body)
