"""The events table: what only a database can get wrong."""

import json
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from inventory_sync.adapters.dynamodb.event_log import (
    EVENT_BYTES_MAX,
    NOTE_BYTES_MAX,
    OPEN_EVENTS_INDEX,
    DynamoEventLog,
)
from inventory_sync.adapters.newstore.event_body import parse_event
from inventory_sync.adapters.s3.event_bodies import INLINE_BYTES_MAX
from inventory_sync.domain.events import EventRef, FulfillmentEvent, FulfillmentItem
from inventory_sync.domain.inbound import AppendResult, ClaimResult
from tests.contract.builders import MINUTE, NOON, RETENTION, THREADS, at_once, event
from tests.contract.conftest import Database
from tests.event_bodies import TENANT, event_fields
from tests.template.test_template import RESOURCES

ITEM_BYTES_MAX = 400 * 1024
"""Of an item and its entries in local indexes together (AWS, DynamoDB quotas)."""
BODY_BYTES_MAX = INLINE_BYTES_MAX
[INDEX] = RESOURCES["EventsTable"]["Properties"]["LocalSecondaryIndexes"]
IN_INDEX = {*INDEX["Projection"]["NonKeyAttributes"], "location_id", "event_key", "open_key"}
PAGE_BYTES = 1024 * 1024


class Events:
    """The adapter over a new table."""

    def __init__(self, database: Database) -> None:
        self.client = database.client
        self.table = database.table("EventsTable")
        self.log = DynamoEventLog(self.client, self.table, RETENTION)

    def item(self, ref: EventRef) -> dict[str, Any]:
        key = {"location_id": {"S": ref.location_id}, "event_key": {"S": ref.event_key}}
        answer = self.client.get_item(TableName=self.table, Key=key, ConsistentRead=True)
        return dict(answer["Item"])


@pytest.fixture
def events(database: Database) -> Events:
    return Events(database)


@pytest.fixture
def parallel(parallel_database: Database) -> Events:
    return Events(parallel_database)


# Simultaneous writers


def test_of_simultaneous_deliveries_one_is_appended(parallel: Events) -> None:
    results = at_once(lambda _: parallel.log.append(event(), b"{}", NOON))

    assert results.count(AppendResult.APPENDED) == 1
    assert results.count(AppendResult.ALREADY_STORED) == THREADS - 1


def test_of_simultaneous_bodies_one_stands(parallel: Events) -> None:
    results = at_once(lambda number: parallel.log.append(event(), b"%d" % number, NOON))

    assert results.count(AppendResult.APPENDED) == 1
    assert results.count(AppendResult.STORED_OTHERWISE) == THREADS - 1
    winner = results.index(AppendResult.APPENDED)
    assert parallel.item(event().ref)["body"]["B"] == b"%d" % winner


def test_of_simultaneous_claims_one_is_first(parallel: Events) -> None:
    parallel.log.append(event(), b"{}", NOON)

    def claim(_: int) -> ClaimResult:
        return parallel.log.claim(event().ref, now=NOON, until=NOON + MINUTE)

    results = at_once(claim)

    assert results.count(ClaimResult.FIRST) == 1
    assert results.count(ClaimResult.TAKEN) == THREADS - 1


def test_of_simultaneous_claims_after_one_ran_out_one_is_again(parallel: Events) -> None:
    parallel.log.append(event(), b"{}", NOON)
    parallel.log.claim(event().ref, now=NOON, until=NOON + MINUTE)

    def claim(_: int) -> ClaimResult:
        return parallel.log.claim(event().ref, now=NOON + MINUTE, until=NOON + 2 * MINUTE)

    results = at_once(claim)

    assert results.count(ClaimResult.AGAIN) == 1
    assert results.count(ClaimResult.TAKEN) == THREADS - 1


def test_of_simultaneous_acknowledgements_one_stands_whole(parallel: Events) -> None:
    ref = event().ref
    parallel.log.append(event(), b"{}", NOON)

    at_once(lambda n: parallel.log.mark_applied(ref, NOON + n * MINUTE, f"DOC-{n}"))

    [stored] = parallel.log.open_events()
    assert stored.applied_at is not None
    minute = (stored.applied_at - NOON) // MINUTE
    assert parallel.item(ref)["document_id"] == {"S": f"DOC-{minute}"}


def test_the_document_of_the_first_acknowledgement_stands(events: Events) -> None:
    events.log.append(event(), b"{}", NOON)

    events.log.mark_applied(event().ref, NOON, "DOC-1")
    events.log.mark_applied(event().ref, NOON, "DOC-2")

    assert events.item(event().ref)["document_id"] == {"S": "DOC-1"}


# Retention


def test_an_open_event_has_no_end(events: Events) -> None:
    """However long the ERP refuses it."""
    ref = event().ref
    events.log.append(event(), b"{}", NOON)
    events.log.mark_applied(ref, NOON, "DOC-1")
    events.log.mark_forwarded(ref, NOON, close=False)
    events.log.mark_rejected(ref, "why")
    events.log.mark_counted(ref, "run-1")

    assert "expires_at" not in events.item(ref)


@pytest.mark.parametrize("by_forwarding", [True, False])
def test_a_closed_event_ends_its_retention_after_receipt(
    events: Events, by_forwarding: bool
) -> None:
    events.log.append(event(), b"{}", NOON)

    if by_forwarding:
        events.log.mark_forwarded(event().ref, NOON + MINUTE, close=True)
    else:
        events.log.close(event().ref)

    item = events.item(event().ref)
    assert item["expires_at"] == {"N": str(int((NOON + RETENTION).timestamp()))}
    assert item["body"] == {"B": b"{}"}


def test_a_closed_event_leaves_the_index(events: Events) -> None:
    """Not only the answers: what is read for a cut is what is open, whatever the history."""
    for logical_timestamp in range(20):
        events.log.append(event(logical_timestamp), b"{}", NOON)
    for logical_timestamp in range(1, 20):
        events.log.close(event(logical_timestamp).ref)

    answer = events.client.scan(
        TableName=events.table, IndexName=OPEN_EVENTS_INDEX, ConsistentRead=True
    )

    assert answer["ScannedCount"] == 1


# Pages


@pytest.fixture
def two_pages(events: Events) -> tuple[Events, list[FulfillmentEvent]]:
    """More open events of one location than an answer holds; bodies do not count: not projected."""
    items = tuple(FulfillmentItem(f"item-{n:04d}", "S" * 100) for n in range(400))
    stored = [replace(event(n), items=items) for n in range(1, 26)]
    for one in stored:
        events.log.append(one, b"{}", NOON)
    assert sum(len(i.item_id + i.product_id) for e in stored for i in e.items) > PAGE_BYTES
    events.log.append(event(location_id="AAA"), b"{}", NOON)
    events.log.append(event(location_id="ZZZ"), b"{}", NOON)
    return events, stored


def test_open_events_beyond_one_answer_are_all_found(
    two_pages: tuple[Events, list[FulfillmentEvent]],
) -> None:
    events, stored = two_pages
    first = events.client.query(
        TableName=events.table,
        IndexName=OPEN_EVENTS_INDEX,
        KeyConditionExpression="location_id = :location",
        ExpressionAttributeValues={":location": {"S": "DC01"}},
    )
    assert "LastEvaluatedKey" in first

    assert [e.event for e in events.log.open_events_of("DC01")] == stored
    everywhere = sorted((e.event for e in events.log.open_events()), key=lambda one: one.ref)
    assert everywhere == [event(location_id="AAA"), *stored, event(location_id="ZZZ")]


def test_what_is_closed_while_events_are_read_hides_no_other(
    two_pages: tuple[Events, list[FulfillmentEvent]],
) -> None:
    events, stored = two_pages
    found = []

    for open_event in events.log.open_events():
        found.append(open_event.event)
        events.log.close(open_event.event.ref)

    assert len(found) == len(stored) + 2
    assert list(events.log.open_events()) == []


# Size


def longest_body(character: str, length: int) -> bytes:
    """As many items as an item of the table may have a body for, their ids of that character."""
    text = character * length
    fields = event_fields(id="ü" * 200, order_id="o", fulfillment_location_id="ö" * 200)
    item = {"id": text, "product_id": text}
    dumps = partial(json.dumps, ensure_ascii=False, separators=(",", ":"))
    empty = len(dumps(event_fields() | fields).encode())
    count = (BODY_BYTES_MAX - empty) // (len(dumps(item).encode()) + 1)
    fields["payload"]["items"] = [item] * min(count, 10_000)
    body = dumps(fields).encode()
    return body + b" " * (BODY_BYTES_MAX - len(body))


@pytest.mark.parametrize(
    ("character", "length"),
    [("x", 1), ("x", 200), ("ü", 200), ("語", 200), ("🧦", 200), ('"', 200), ("\\", 200)],
)
def test_an_event_whose_body_stands_in_the_item_is_stored_and_takes_every_note(
    events: Events, character: str, length: int
) -> None:
    """Also where DynamoDB counts the items twice, which no engine here does."""
    body = longest_body(character, length)
    parsed = parse_event(body, TENANT)
    assert isinstance(parsed, FulfillmentEvent)
    longest_note = "🧦" * NOTE_BYTES_MAX

    assert events.log.append(parsed, body, NOON) is AppendResult.APPENDED
    events.log.claim(parsed.ref, now=NOON, until=NOON + MINUTE)
    events.log.mark_applied(parsed.ref, NOON, longest_note)
    events.log.mark_forwarded(parsed.ref, NOON, close=False)
    events.log.mark_counted(parsed.ref, "r" * 100)
    events.log.mark_rejected(parsed.ref, longest_note)

    item = events.item(parsed.ref)
    assert item["body"]["B"] == body
    assert with_index_entry(item) <= ITEM_BYTES_MAX


def test_there_is_room_for_notes_on_the_largest_event_that_is_taken(events: Events) -> None:
    events.log.append(event(), b"{}", NOON)
    before = with_index_entry(events.item(event().ref))
    events.log.claim(event().ref, now=NOON, until=NOON + MINUTE)
    events.log.mark_applied(event().ref, NOON, "🧦" * NOTE_BYTES_MAX)
    events.log.mark_forwarded(event().ref, NOON, close=False)
    events.log.mark_counted(event().ref, "r" * 100)
    events.log.mark_rejected(event().ref, "🧦" * NOTE_BYTES_MAX)

    notes = with_index_entry(events.item(event().ref)) - before

    assert notes <= ITEM_BYTES_MAX - EVENT_BYTES_MAX


def with_index_entry(item: dict[str, Any]) -> int:
    """AWS: names and values in UTF-8, in the table and again in the index, plus 100 for it."""
    sizes = {
        name: len(name.encode()) + len(v.encode() if isinstance(v, str) else v)
        for name, typed in item.items()
        for v in typed.values()
    }
    return sum(sizes.values()) + sum(n for name, n in sizes.items() if name in IN_INDEX) + 100
