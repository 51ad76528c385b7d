"""EventLog: what the use cases rely on, held by every implementation."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from hashlib import sha512

import pytest

from inventory_sync.adapters.dynamodb.event_log import NOTE_BYTES_MAX, DynamoEventLog
from inventory_sync.domain.errors import FatalError, RejectedError
from inventory_sync.domain.events import (
    EventName,
    EventRef,
    FulfillmentEvent,
    FulfillmentItem,
    OpenEvent,
)
from inventory_sync.domain.inbound import AppendResult, ClaimResult
from inventory_sync.domain.stock import Acknowledgement
from inventory_sync.ports.events import EventLog
from tests.contract.builders import MINUTE, NOON, RETENTION, event
from tests.contract.conftest import Database
from tests.contract.engines import ENGINES
from tests.fakes.event_log import FakeEventLog

ALL = frozenset({"item-1"})
ITEMS = (FulfillmentItem("a", "SKU-1"), FulfillmentItem("b", "SKU-2"))
STRICT = [name for name in ENGINES if name != "moto"]
"""Engines that refuse what can be no key (docs/engines.md)."""
LONG_AGO = NOON - 2 * RETENTION


@dataclass(frozen=True)
class Store:
    """The port, and a look at what is behind it."""

    log: EventLog
    body_of: Callable[[EventRef], bytes | None]

    def holding(self, *events: FulfillmentEvent) -> "Store":
        for one in events:
            assert self.log.append(one, b"{}", NOON) is AppendResult.APPENDED
        return self

    def state(self, ref: EventRef) -> OpenEvent:
        [found] = [e for e in self.log.open_events() if e.event.ref == ref]
        return found


@pytest.fixture(params=["fake", *ENGINES])
def store(request: pytest.FixtureRequest, open_database: Callable[[str], Database]) -> Store:
    if request.param == "fake":
        fake = FakeEventLog()
        return Store(fake, fake.body_of)
    database = open_database(request.param)
    table = database.table("EventsTable")

    def body_of(ref: EventRef) -> bytes | None:
        key = {"location_id": {"S": ref.location_id}, "event_key": {"S": ref.event_key}}
        answer = database.client.get_item(TableName=table, Key=key, ConsistentRead=True)
        return bytes(answer["Item"]["body"]["B"]) if "Item" in answer else None

    return Store(DynamoEventLog(database.client, table, RETENTION), body_of)


def refs(events: Iterable[OpenEvent]) -> list[EventRef]:
    return [open_event.event.ref for open_event in events]


ODD_BODIES = [
    b"{}",
    b'{"a": 1}\x00\x00',
    b"\xff\xfe\x80not UTF-8\xc3",
    bytes(range(256)),
    "Grüße 🚚 \u2028".encode(),
    b" \r\n\t{} ",
    b"\xef\xbb\xbf{}",
]


@pytest.mark.parametrize("body", ODD_BODIES, ids=range(len(ODD_BODIES)))
def test_a_body_is_stored_byte_for_byte(store: Store, body: bytes) -> None:
    assert store.log.append(event(), body, NOON) is AppendResult.APPENDED

    assert store.body_of(event().ref) == body
    assert store.log.append(event(), body, NOON + MINUTE) is AppendResult.ALREADY_STORED


def test_an_event_is_there_once_it_is_stored_and_after_it_is_closed(store: Store) -> None:
    assert not store.log.has(event().ref)

    store.log.append(event(), b"{}", NOON)

    assert store.log.has(event().ref)
    store.log.close(event().ref)
    assert store.log.has(event().ref)


@pytest.mark.parametrize("store", ["fake", *STRICT], indirect=True)
@pytest.mark.parametrize(
    "ref",
    [
        EventRef("", event().ref.event_key),
        EventRef("DC01", ""),
        EventRef("x" * 2049, event().ref.event_key),
        EventRef("DC01", "x" * 1025),
    ],
    ids=["no_location", "no_event_key", "long_location", "long_event_key"],
)
def test_what_can_be_no_key_of_an_event_is_an_error_of_the_caller(
    store: Store, ref: EventRef
) -> None:
    with pytest.raises(FatalError):
        store.log.has(ref)
    with pytest.raises(FatalError):
        store.log.close(ref)


def test_the_first_body_of_a_key_stands(store: Store) -> None:
    store.log.append(event(), b"first", NOON)

    assert store.log.append(event(), b"second", NOON) is AppendResult.STORED_OTHERWISE
    assert store.log.append(event(), b"first\x00", NOON) is AppendResult.STORED_OTHERWISE

    assert store.body_of(event().ref) == b"first"
    assert store.log.append(event(), b"first", NOON) is AppendResult.ALREADY_STORED


def test_blanks_and_the_order_of_members_make_no_other_body(store: Store) -> None:
    store.log.append(event(), b'{"a": 1, "b": [2, 3]}', NOON)

    again = store.log.append(event(), b'{"b":[2,3],"a":1}', NOON)

    assert again is AppendResult.ALREADY_STORED
    assert store.log.append(event(), b'{"b":[3,2],"a":1}', NOON) is AppendResult.STORED_OTHERWISE


def test_other_products_for_the_same_items_conflict_and_the_first_stand(store: Store) -> None:
    first = replace(event(), items=ITEMS)
    swapped = tuple(
        FulfillmentItem(one.item_id, other.product_id)
        for one, other in zip(ITEMS, ITEMS[::-1], strict=True)
    )
    store.log.append(first, b"{}", NOON)

    assert store.log.append(replace(first, items=swapped), b"{}", NOON) is AppendResult.CONFLICTING

    again = replace(first, items=ITEMS[::-1], published_at=NOON)
    assert store.log.append(again, b"{}", NOON) is AppendResult.ALREADY_STORED
    assert store.state(first.ref).event == first


def test_an_open_event_reads_back_as_it_came(store: Store) -> None:
    items = (
        FulfillmentItem("i-1", 'Größe "M" \\ 🧦'),
        FulfillmentItem("i-2", "SKU-1", shipped_at=NOON - MINUTE),
        FulfillmentItem("i-3", "SKU-1", rejection_reason="no_inventory"),
    )
    came = event(10**18, location_id="Köln/1#2", fulfillment_request_id="ff#1", items=items)

    store.log.append(came, b"{}", NOON)

    assert list(store.log.open_events()) == [OpenEvent(event=came, received_at=NOON)]


def test_events_that_differ_in_name_request_or_location_are_kept_apart(store: Store) -> None:
    apart = [
        event(),
        event(11),
        event(name=EventName.ASSIGNED),
        event(name=EventName.ITEMS_FAILED),
        event(fulfillment_request_id="ff2"),
        event(location_id="NYC"),
    ]

    store.holding(*apart)

    assert sorted(refs(store.log.open_events())) == sorted(one.ref for one in apart)


def test_open_events_of_a_location_come_by_logical_timestamp(store: Store) -> None:
    """As numbers, not as texts; and nothing of another location whose name begins alike."""
    store.holding(event(100), event(9), event(10), event(1, location_id="DC011"))

    found = store.log.open_events_of("DC01")

    assert [e.event.logical_timestamp for e in found] == [9, 10, 100]
    assert store.log.open_events_of("DC0") == []


def test_a_late_event_is_found_below_those_already_closed(store: Store) -> None:
    store.holding(event(10), event(11))
    store.log.close(event(10).ref)
    store.log.close(event(11).ref)

    store.holding(event(3))

    assert refs(store.log.open_events()) == [event(3).ref]
    assert refs(store.log.open_events_of("DC01")) == [event(3).ref]


def test_what_was_just_written_is_read(store: Store) -> None:
    for number in range(8):
        store.holding(event(number))
        assert len(store.log.open_events_of("DC01")) == number + 1
    for number in range(8):
        store.log.close(event(number).ref)
        assert len(store.log.open_events_of("DC01")) == 7 - number


def test_the_first_acknowledgement_stands(store: Store) -> None:
    ref = event().ref
    store.holding(event())

    store.log.mark_applied(ref, NOON, "DOC-1")
    store.log.mark_applied(ref, NOON + MINUTE, "DOC-2")

    assert store.state(ref).applied_at == NOON


def test_an_acknowledgement_ends_a_rejection(store: Store) -> None:
    ref = event().ref
    store.holding(event())
    store.log.mark_rejected(ref, "unknown SKU")
    assert store.state(ref).rejected_reason == "unknown SKU"

    store.log.mark_applied(ref, NOON, "")

    assert store.state(ref).rejected_reason is None
    assert store.state(ref).applied_at == NOON


def test_a_rejected_event_stays_open(store: Store) -> None:
    store.holding(event())

    store.log.mark_rejected(event().ref, "")

    assert store.state(event().ref).rejected_reason == ""


@pytest.mark.parametrize("reason", ["x" * 500_000, "ü" * 300_000, "half a pair \ud83d"])
def test_a_reason_of_any_length_and_kind_can_be_noted(store: Store, reason: str) -> None:
    store.holding(event())

    store.log.mark_rejected(event().ref, reason)

    noted = store.state(event().ref).rejected_reason
    assert noted
    assert len(noted.encode()) <= NOTE_BYTES_MAX
    assert reason.startswith(noted[:10])


def test_the_first_forwarding_stands_and_may_leave_the_event_open(store: Store) -> None:
    ref = event().ref
    store.holding(event())

    store.log.mark_forwarded(ref, NOON, close=False)
    store.log.mark_forwarded(ref, NOON + MINUTE, close=False)

    assert store.state(ref).forwarded_at == NOON


def test_forwarding_may_note_the_acknowledgement_in_the_same_step(store: Store) -> None:
    ref = event().ref
    store.holding(event())
    store.log.mark_rejected(ref, "unknown SKU")

    store.log.mark_forwarded(ref, NOON, close=False, applied=Acknowledgement(NOON, "DOC-1"))
    store.log.mark_forwarded(
        ref, NOON + MINUTE, close=False, applied=Acknowledgement(NOON + MINUTE, "DOC-2")
    )

    assert store.state(ref) == OpenEvent(
        event=event(), received_at=NOON, applied_at=NOON, forwarded_at=NOON, owned=ALL
    )


def test_everything_may_happen_in_one_step(store: Store) -> None:
    store.holding(event())

    store.log.mark_forwarded(event().ref, NOON, close=True, applied=Acknowledgement(NOON, ""))

    assert store.log.open_events_of("DC01") == []


def test_forwarding_may_close_the_event_in_the_same_step(store: Store) -> None:
    store.holding(event())

    store.log.mark_forwarded(event().ref, NOON, close=True)

    assert store.log.open_events_of("DC01") == []


def test_the_first_run_that_counts_an_event_stands(store: Store) -> None:
    ref = event().ref
    store.holding(event())

    store.log.mark_counted(ref, "run-1")
    store.log.mark_counted(ref, "run-2")

    assert store.state(ref).counted_by == "run-1"


def test_notes_add_up_in_any_order(store: Store) -> None:
    ref = event().ref
    store.holding(event())

    store.log.mark_counted(ref, "run-1")
    store.log.mark_forwarded(ref, NOON + MINUTE, close=False)
    store.log.mark_applied(ref, NOON, "DOC-1")

    assert store.state(ref) == OpenEvent(
        event=event(),
        received_at=NOON,
        applied_at=NOON,
        forwarded_at=NOON + MINUTE,
        counted_by="run-1",
        owned=ALL,
    )


def test_which_units_an_event_owns_is_open_until_it_is_marked_or_done(store: Store) -> None:
    marked, done = event(3), event(4)
    store.holding(marked, done)
    assert store.state(marked.ref).owned is None

    store.log.mark_owned(marked, frozenset())
    store.log.mark_forwarded(done.ref, NOON, close=False)

    assert store.state(marked.ref).owned == frozenset()
    assert store.state(done.ref).owned == frozenset(item.item_id for item in done.items)


@pytest.mark.parametrize("owned", [{0}, {2}, {0, 2}, {1}, {0, 1, 2}, set(), set(range(100, 300))])
def test_the_units_an_event_owns_read_back(store: Store, owned: set[int]) -> None:
    many = event(items=tuple(FulfillmentItem(f"i{n}", "SKU-1") for n in range(300)))
    store.holding(many)
    ids = frozenset(f"i{n}" for n in owned)

    store.log.mark_owned(many, ids)
    store.log.mark_applied(many.ref, NOON, "DOC-1")

    assert store.state(many.ref).owned == ids


def test_closing_takes_one_event_out_and_may_be_repeated(store: Store) -> None:
    store.holding(event(10), event(11))

    store.log.close(event(10).ref)
    store.log.close(event(10).ref)

    assert refs(store.log.open_events()) == [event(11).ref]


def test_a_closed_event_keeps_its_body(store: Store) -> None:
    store.holding(event())

    store.log.close(event().ref)

    assert store.body_of(event().ref) == b"{}"


def test_a_note_does_not_open_a_closed_event(store: Store) -> None:
    ref = event().ref
    store.holding(event())
    store.log.close(ref)

    store.log.mark_applied(ref, NOON, "DOC-1")
    store.log.mark_forwarded(ref, NOON, close=False)
    store.log.mark_counted(ref, "run-1")
    store.log.mark_rejected(ref, "too late")

    assert list(store.log.open_events()) == []


def test_a_redelivery_does_not_open_a_closed_event(store: Store) -> None:
    store.holding(event())
    store.log.close(event().ref)

    assert store.log.append(event(), b"{}", NOON + MINUTE) is AppendResult.ALREADY_STORED

    assert list(store.log.open_events()) == []


def test_an_expired_event_that_is_still_there_is_stored_but_not_open(store: Store) -> None:
    """DynamoDB deletes what has expired within days, not at once."""
    store.log.append(event(), b"{}", LONG_AGO)
    store.log.close(event().ref)

    assert store.log.append(event(), b"{}", NOON) is AppendResult.ALREADY_STORED

    assert store.body_of(event().ref) == b"{}"
    assert list(store.log.open_events()) == []


def test_notes_on_an_event_that_is_gone_make_nothing(store: Store) -> None:
    gone = event().ref

    store.log.mark_applied(gone, NOON, "DOC-1")
    store.log.mark_forwarded(gone, NOON, close=True)
    store.log.mark_rejected(gone, "why")
    store.log.mark_counted(gone, "run-1")
    store.log.close(gone)

    assert store.body_of(gone) is None
    assert list(store.log.open_events()) == []
    assert store.log.append(event(), b"{}", NOON) is AppendResult.APPENDED


def claim(store: Store, after: int = 0) -> ClaimResult:
    """For one minute, so many minutes after noon."""
    now = NOON + after * MINUTE
    return store.log.claim(event().ref, now=now, until=now + MINUTE)


def test_one_writer_at_a_time_may_post_an_event(store: Store) -> None:
    store.holding(event())

    assert claim(store) is ClaimResult.FIRST
    assert claim(store) is ClaimResult.TAKEN


def test_a_claim_that_ran_out_is_taken_again_as_a_repeat(store: Store) -> None:
    store.holding(event())

    assert [claim(store, after=minute) for minute in (0, 1, 2)] == [
        ClaimResult.FIRST,
        ClaimResult.AGAIN,
        ClaimResult.AGAIN,
    ]


@pytest.mark.parametrize(
    "finish",
    [
        lambda log: log.mark_applied(event().ref, NOON, "DOC-1"),
        lambda log: log.mark_forwarded(event().ref, NOON, close=False),
        lambda log: log.mark_forwarded(event().ref, NOON, close=True),
    ],
    ids=["applied", "forwarded", "closed"],
)
def test_what_is_done_cannot_be_claimed(store: Store, finish: Callable[[EventLog], None]) -> None:
    store.holding(event())
    finish(store.log)

    assert claim(store, after=5) is ClaimResult.TAKEN


def test_what_was_rejected_can_be_claimed_by_a_replay(store: Store) -> None:
    store.holding(event())
    claim(store)
    store.log.mark_rejected(event().ref, "unknown SKU")

    assert claim(store, after=1) is ClaimResult.AGAIN


def test_what_is_not_stored_cannot_be_claimed(store: Store) -> None:
    assert claim(store) is ClaimResult.TAKEN

    assert store.log.append(event(), b"{}", NOON) is AppendResult.APPENDED


def test_claims_are_each_event_s_own(store: Store) -> None:
    store.holding(event(), event(11))
    claim(store)

    other = store.log.claim(event(11).ref, now=NOON, until=NOON + MINUTE)

    assert other is ClaimResult.FIRST


def test_an_event_that_cannot_be_stored_is_rejected_and_leaves_nothing(store: Store) -> None:
    """What does not fit is its items twice, in the table and the index, packed as they are."""
    many = tuple(FulfillmentItem(sha512(b"%d" % n).hexdigest(), "SKU-1") for n in range(4000))
    huge = replace(event(), items=many)

    with pytest.raises(RejectedError, match="bytes"):
        store.log.append(huge, b"{}", NOON)

    assert store.body_of(huge.ref) is None
