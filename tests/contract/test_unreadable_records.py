"""A stored record that cannot be read holds up nothing but itself: no_poison, table by table."""

from datetime import timedelta
from typing import Any

import pytest

from inventory_sync.adapters.dynamodb.event_history import DynamoEventHistory
from inventory_sync.adapters.dynamodb.event_log import DynamoEventLog
from inventory_sync.adapters.dynamodb.quarantine import DynamoQuarantine
from inventory_sync.adapters.dynamodb.quarantine_review import UNREADABLE_ENTRY, QuarantineReview
from inventory_sync.adapters.dynamodb.state_table import StateTable
from inventory_sync.adapters.s3.event_bodies import SMALL_BODIES
from inventory_sync.domain.errors import RejectedError
from inventory_sync.domain.events import EventRef
from inventory_sync.domain.inbound import AppendResult, QuarantineEntry
from tests.builders import NOW, event
from tests.contract.conftest import Database

RETENTION = timedelta(days=30)
BROKEN: dict[str, tuple[str, dict[str, Any] | None]] = {
    "the year 1 of a platform without leading zeros": ("applied_at", {"S": "1-01-01T00:00:00Z"}),
    "a null date": ("applied_at", {"S": "0001-01-01T00:00:00.000000Z"}),
    "an end of time in another zone": ("published_at", {"S": "9999-12-31T23:59:59-05:00"}),
    "no instant": ("received_at", {"S": "yesterday"}),
    "another type": ("order_id", {"N": "1772442000"}),
    "no items": ("items", None),
    "items that are no JSON": ("items", {"S": "[["}),
    "items of another form": ("items", {"S": "[1]"}),
    "items that do not unpack": ("items", {"B": b"not packed"}),
    "items with an instant that is none": ("items", {"S": '[["i","p","soon"]]'}),
    "marks that are no number": ("owned", {"S": "all"}),
}


class Events:
    """The events table with a readable event at 11 and at 13, and one at 12 to be spoilt."""

    def __init__(self, database: Database) -> None:
        self.client, self.table = database.client, database.table("EventsTable")
        self.log = DynamoEventLog(self.client, self.table, RETENTION)
        self.history = DynamoEventHistory(self.client, self.table)
        for number in (11, 12, 13):
            self.log.append(event(number), b"{}", NOW)

    def spoil(self, ref: EventRef, name: str, value: dict[str, Any] | None) -> None:
        update: dict[str, Any] = {"UpdateExpression": f"REMOVE #{name}"}
        if value is not None:
            update = {
                "UpdateExpression": f"SET #{name} = :value",
                "ExpressionAttributeValues": {":value": value},
            }
        self.client.update_item(
            TableName=self.table,
            Key={"location_id": {"S": ref.location_id}, "event_key": {"S": ref.event_key}},
            ExpressionAttributeNames={f"#{name}": name},
            **update,
        )


@pytest.fixture
def events(database: Database) -> Events:
    return Events(database)


@pytest.mark.parametrize(("name", "value"), BROKEN.values(), ids=BROKEN)
def test_an_event_that_cannot_be_read_is_named_and_the_others_are_read(
    events: Events, name: str, value: dict[str, Any] | None
) -> None:
    bad = event(12).ref
    events.spoil(bad, name, value)

    assert [e.event for e in events.log.open_events()] == [event(11), event(13)]
    [found] = events.log.unreadable_events()
    assert found.ref == bad
    assert found.fault
    assert found.received_at == (None if name == "received_at" else NOW)
    assert [e.event for e in events.log.open_events_of(bad.location_id)] == [event(11), event(13)]
    history = events.history.of_location(bad.location_id)
    assert [e.state.event for e in history] == [event(11), event(13)]
    since, until = NOW - timedelta(days=1), NOW + timedelta(days=1)
    published = events.history.published_between(since, until)
    assert {e.state.event.logical_timestamp for e in published} == {11, 13}
    with pytest.raises(RejectedError, match="cannot be read"):
        events.history.event(bad)
    assert events.history.body(bad) == b"{}"


def test_one_that_was_put_right_is_read_again(events: Events) -> None:
    bad = event(12).ref
    events.spoil(bad, "order_id", {"N": "1"})
    list(events.log.open_events())
    events.spoil(bad, "order_id", {"S": ""})
    assert len(list(events.log.open_events())) == 3
    assert events.log.unreadable_events() == ()


def test_a_repeat_of_an_event_that_cannot_be_read_is_kept_as_another(events: Events) -> None:
    """Not an error: NewStore would stop its stream."""
    events.spoil(event(12).ref, "items", {"S": "[["})
    assert events.log.append(event(12), b"{}", NOW) is AppendResult.CONFLICTING


@pytest.mark.parametrize(
    ("name", "value"),
    [("received_at", {"S": "0001-01-01T00:00:00Z"}), ("reason", {"N": "1"}), ("detail", None)],
)
def test_an_entry_of_the_quarantine_that_cannot_be_read_is_listed_as_such(
    database: Database, name: str, value: dict[str, Any] | None
) -> None:
    table = database.table("QuarantineTable")
    state = StateTable(database.client, database.table("StateTable"))
    quarantine = DynamoQuarantine(database.client, table, RETENTION)
    for reason in ("one", "two"):
        quarantine.add(QuarantineEntry(reason=reason, detail="", body=b"{}", received_at=NOW))
    review = QuarantineReview(database.client, table, state, SMALL_BODIES)
    [bad] = [e.entry_id for e in review.entries() if e.entry.reason == "one"]
    key: Any = {"quarantine_id": {"S": bad}}
    item = dict(database.client.get_item(TableName=table, Key=key)["Item"])
    item.pop(name)
    database.client.put_item(TableName=table, Item={**item, **({name: value} if value else {})})

    found = {e.entry_id: e.entry for e in review.entries()}

    assert sorted(e.reason for e in found.values()) == ["two", UNREADABLE_ENTRY]
    assert "cannot be read" in found[bad].detail
    assert review.body(bad) == b"{}"
