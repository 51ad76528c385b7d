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
)
from inventory_sync.domain.events import EventRef
from inventory_sync.use_cases.ingest.ingest_event import IngestEvent, IngestOutcome, IngestResult
from tests.event_bodies import TENANT, event_body
from tests.fakes.clock import FakeClock
from tests.fakes.event_log import FakeEventLog
from tests.fakes.observer import FakeObserver
from tests.fakes.quarantine import FakeQuarantine

NOW = datetime(2026, 3, 2, 9, 0, 1, tzinfo=UTC)
REF = EventRef("DC01", "00000000000000000010#fulfillment_request.items_completed#ff1")


class World:
    """The use case over fakes."""

    def __init__(self, body_bytes_max: int = 10_000) -> None:
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
            body_bytes_max=body_bytes_max,
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


def test_another_body_under_a_stored_key_is_quarantined_with_its_event() -> None:
    world = World()
    first, second = event_body(), event_body(products=["SKU-1", "SKU-2"])
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
        (event_body(logical_timestamp="10"), "unparsable"),
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


def test_an_event_that_the_store_will_never_take_is_quarantined() -> None:
    world = World()
    world.log.fails_with = RejectedError("the item is too large")

    outcome = world.ingest(event_body())

    assert (outcome.result, outcome.reason) == (IngestResult.QUARANTINED, "not_storable")
    [entry] = world.quarantine.entries
    assert (entry.ref, entry.body) == (REF, event_body())


def test_other_events_are_named_and_not_kept() -> None:
    world = World()

    outcome = world.ingest(event_body(name="order.completed"))

    assert outcome.result is IngestResult.IGNORED
    assert "order.completed" in outcome.detail
    assert world.log.refs() == []
    assert world.quarantine.entries == []


def test_the_limit_is_the_longest_body_that_is_taken() -> None:
    body = event_body()

    assert World(len(body)).ingest(body).result is IngestResult.STORED
    small = World(len(body) - 1)
    outcome = small.ingest(body)

    assert outcome.result is IngestResult.TOO_LARGE
    assert str(len(body) - 1) in outcome.detail
    assert small.log.refs() == []
    assert small.quarantine.entries == []


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
    world.ingest(b"secret" * 5_000)

    assert len(world.observer.notes) == 4
    assert "secret" not in repr(world.observer.notes)
