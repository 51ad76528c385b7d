"""What becomes of a body."""

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from inventory_sync.adapters.newstore.event_body import parse_event
from inventory_sync.domain.errors import (
    FatalError,
    InventorySyncError,
    RejectedError,
    RetriableError,
    StoreFullError,
)
from inventory_sync.domain.events import EventName, FulfillmentEvent
from inventory_sync.use_cases.ingest.ingest_event import (
    PARSED_BYTES_MAX,
    IngestEvent,
    IngestOutcome,
    IngestResult,
)
from tests.event_bodies import TENANT, event_body
from tests.fakes.clock import FakeClock
from tests.fakes.event_log import FakeEventLog
from tests.fakes.observer import FakeObserver
from tests.fakes.quarantine import FakeQuarantine

NOW = datetime(2026, 3, 2, 9, 0, 1, tzinfo=UTC)
PARSED = parse_event(event_body(), TENANT)
assert isinstance(PARSED, FulfillmentEvent)
REF, ITEMS = PARSED.ref, PARSED.items


class World:
    """The use case over fakes."""

    def __init__(self) -> None:
        self.log = FakeEventLog()
        self.quarantine = FakeQuarantine()
        self.clock = FakeClock(NOW)
        self.observer = FakeObserver()
        self.ingest = IngestEvent(
            parse=partial(parse_event, tenant=TENANT),
            event_log=self.log,
            quarantine=self.quarantine,
            clock=self.clock,
            observer=self.observer,
        )


def test_an_event_is_stored_byte_for_byte() -> None:
    world = World()
    body = event_body().replace(b",", b" ,\t", 1)

    assert world.ingest(body) == IngestOutcome(IngestResult.STORED)

    assert world.log.body_of(REF) == body
    [stored] = world.log.open_events()
    assert stored.event.ref == REF
    assert stored.received_at == NOW
    assert world.observer.counts == {"EventsStored": 1}


def test_a_repeated_delivery_changes_nothing() -> None:
    world = World()
    world.ingest(event_body())
    world.clock.advance(timedelta(hours=1))

    assert world.ingest(event_body()).result is IngestResult.ALREADY_STORED

    [stored] = world.log.open_events()
    assert stored.received_at == NOW
    assert world.quarantine.entries == []
    assert world.observer.counts == {"EventsStored": 1, "EventsAlreadyStored": 1}


def test_a_repeated_delivery_does_not_open_a_closed_event() -> None:
    world = World()
    world.ingest(event_body())
    world.log.close(REF)

    assert world.ingest(event_body()).result is IngestResult.ALREADY_STORED

    assert list(world.log.open_events()) == []


def test_events_of_one_request_at_one_location_are_kept_apart() -> None:
    world = World()
    bodies = {
        event_body(),
        event_body(logical_timestamp=11),
        event_body(id="ff2"),
        event_body(fulfillment_location_id="NYC"),
        event_body(name="fulfillment_request.assigned"),
    }

    assert {world.ingest(body).result for body in bodies} == {IngestResult.STORED}

    assert {world.log.body_of(ref) for ref in world.log.refs()} == bodies


@pytest.mark.parametrize(
    "again",
    [
        event_body(published_at="2026-03-02T09:59:59Z"),
        event_body(associate_id="later", order_id="filled in", service_level="OTHER"),
        event_body(
            items=[{"id": "item-1", "product_id": "SKU-1", "shipped_at": "2026-03-02T09:00Z"}]
        ),
    ],
)
def test_a_repeat_that_says_the_same_of_what_counts_is_known_and_noted(again: bytes) -> None:
    world = World()
    world.ingest(event_body())

    outcome = world.ingest(again)

    assert (outcome.result, outcome.reason) == (IngestResult.ALREADY_STORED, "")
    assert world.log.body_of(REF) == event_body()
    assert world.quarantine.entries == []
    assert world.observer.counts["EventsAlreadyStored"] == 1
    assert world.observer.notes == [("event stored otherwise", {"event_ref": REF})]


def test_a_repeat_with_its_items_in_another_order_is_known() -> None:
    world = World()
    items = [{"id": "a", "product_id": "SKU-1"}, {"id": "b", "product_id": "SKU-2"}]
    world.ingest(event_body(items=items))

    assert world.ingest(event_body(items=items[::-1])).result is IngestResult.ALREADY_STORED


def test_two_events_of_one_request_and_timestamp_are_both_stored() -> None:
    """NewStore tells them apart by the items' ids."""
    world = World()
    bodies = [event_body(items=[{"id": i, "product_id": "SKU-1"}]) for i in ("a", "b")]

    assert {world.ingest(body).result for body in bodies} == {IngestResult.STORED}
    assert len(world.log.refs()) == 2


def test_another_product_under_a_stored_key_is_quarantined_with_its_event() -> None:
    world = World()
    first, second = event_body(), event_body(products=["SKU-2"])
    world.ingest(first)

    outcome = world.ingest(second)

    assert (outcome.result, outcome.reason) == (IngestResult.QUARANTINED, "conflicting_body")
    assert world.log.body_of(REF) == first
    [entry] = world.quarantine.entries
    assert (entry.reason, entry.ref, entry.body) == ("conflicting_body", REF, second)
    assert entry.received_at == NOW


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"\xff\x00", "unparsable"),
        (b"", "unparsable"),
        (event_body(logical_timestamp="ten"), "unparsable"),
        (event_body(tenant="other"), "wrong_tenant"),
    ],
)
def test_what_cannot_be_read_is_quarantined_whole(body: bytes, reason: str) -> None:
    world = World()

    outcome = world.ingest(body)

    assert (outcome.result, outcome.reason) == (IngestResult.QUARANTINED, reason)
    [entry] = world.quarantine.entries
    assert (entry.reason, entry.detail, entry.body) == (reason, outcome.detail, body)
    assert world.log.refs() == []
    assert world.observer.counts["EventsQuarantined"] == 1
    [(_, figures)] = world.observer.notes
    assert figures["reason"] == reason


@pytest.mark.parametrize(
    ("body", "unstored"),
    [
        (b"not JSON", 1),
        (event_body(logical_timestamp="ten"), 1),
        (event_body(items=[]), 1),
        (event_body() + b" " * PARSED_BYTES_MAX, 1),
        (event_body(name="fulfillment_request.assigned", items=[]), 0),
        (event_body(tenant="other"), 0),
    ],
    ids=["no_json", "no_timestamp", "no_items", "too_large", "assigned", "another_tenant"],
)
def test_what_may_be_a_shipment_alarms_at_once(body: bytes, unstored: int) -> None:
    world = World()

    world.ingest(body)

    assert world.observer.counts["CompletionsUnstored"] == unstored


def test_a_malformed_shipment_stands_under_its_entry_with_what_can_be_read() -> None:
    world = World()

    world.ingest(event_body(published_at="yesterday"))

    [entry] = world.quarantine.entries
    [found] = world.quarantine.unresolved()
    assert found.completion == entry.completion
    assert found.completion.event(found.received_at).ref == REF
    assert found.received_at == NOW


def test_another_body_for_a_stored_event_is_no_unstored_shipment() -> None:
    world = World()
    world.ingest(event_body())

    world.ingest(event_body(products=["SKU-2"]))

    assert world.quarantine.unresolved() == []
    assert world.observer.counts["CompletionsUnstored"] == 0


@pytest.mark.parametrize("name", list(EventName))
def test_an_event_that_is_not_storable_reports_a_shipment_where_it_is_one(name: EventName) -> None:
    world = World()
    world.log.fails_with = RejectedError("the item is too large")

    world.ingest(event_body(name=name.value))

    found = [(one.completion.items, one.completion.whole) for one in world.quarantine.unresolved()]
    assert found == ([(ITEMS, True)] if name is EventName.ITEMS_COMPLETED else [])
    assert world.observer.counts["CompletionsUnstored"] == len(found)


def test_an_event_that_the_store_will_never_take_is_quarantined() -> None:
    world = World()
    world.log.fails_with = RejectedError("the item is too large")

    outcome = world.ingest(event_body())

    assert (outcome.result, outcome.reason) == (IngestResult.QUARANTINED, "not_storable")
    [entry] = world.quarantine.entries
    assert (entry.ref, entry.body) == (REF, event_body())


def test_an_event_of_a_full_location_is_kept_whole_and_stops_no_other() -> None:
    """To refuse it would stop NewStore's stream for all locations."""
    world = World()
    world.log.fails_with = StoreFullError("the location has the 10 GB that DynamoDB takes")

    outcome = world.ingest(event_body())

    assert (outcome.result, outcome.reason) == (IngestResult.QUARANTINED, "location_full")
    [entry] = world.quarantine.entries
    assert (entry.ref, entry.body) == (REF, event_body())
    world.log.fails_with = None
    assert world.ingest(entry.body).result is IngestResult.STORED


def test_other_events_are_named_and_not_kept() -> None:
    world = World()

    outcome = world.ingest(event_body(name="order.completed"))

    assert outcome.result is IngestResult.IGNORED
    assert "order.completed" in outcome.detail
    assert world.log.refs() == []
    assert world.quarantine.entries == []


def test_what_is_too_large_to_be_parsed_is_quarantined_whole() -> None:
    world = World()
    body = event_body()
    longest = body + b" " * (PARSED_BYTES_MAX - len(body))

    assert world.ingest(longest).result is IngestResult.STORED
    outcome = world.ingest(longest + b" ")

    assert (outcome.result, outcome.reason) == (IngestResult.QUARANTINED, "too_large")
    assert str(PARSED_BYTES_MAX) in outcome.detail
    assert world.log.refs() == [REF]
    assert [entry.body for entry in world.quarantine.entries] == [longest + b" "]


@pytest.mark.parametrize("error", [RetriableError("unreachable"), FatalError("denied")])
def test_what_could_not_be_kept_is_not_acknowledged(error: InventorySyncError) -> None:
    world = World()
    world.log.fails_with = world.quarantine.fails_with = error

    for body in (event_body(), b"not JSON"):
        with pytest.raises(type(error)):
            world.ingest(body)

    assert world.observer.counts == {}


def test_nothing_of_a_body_is_noted() -> None:
    world = World()

    world.ingest(event_body(id="secret-id\x00", associate_id="secret-name"))
    world.ingest(b'"secret-text')
    world.ingest(event_body(tenant="secret-tenant"))
    world.ingest(b"secret" * PARSED_BYTES_MAX)

    assert len(world.observer.notes) == 4
    assert "secret" not in repr(world.observer.notes)
