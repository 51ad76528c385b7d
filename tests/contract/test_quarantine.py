"""Quarantine: what was taken is kept whole, and the same thing once."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from inventory_sync.adapters.dynamodb.quarantine import (
    DETAIL_CHARACTERS_MAX,
    DynamoQuarantine,
)
from inventory_sync.adapters.dynamodb.quarantine_review import QuarantineReview
from inventory_sync.adapters.dynamodb.state_table import StateTable
from inventory_sync.adapters.dynamodb.unstored_completions import DynamoUnstoredCompletions
from inventory_sync.adapters.s3.event_bodies import INLINE_BYTES_MAX, SMALL_BODIES
from inventory_sync.domain.errors import FatalError
from inventory_sync.domain.events import EventRef, FulfillmentItem
from inventory_sync.domain.inbound import QuarantineEntry, UnstoredCompletion, quarantine_id
from inventory_sync.ports.events import Quarantine, UnstoredCompletions
from tests.builders import OPERATOR
from tests.contract.builders import MINUTE, NOON, RETENTION
from tests.contract.conftest import Database
from tests.contract.engines import ENGINES
from tests.fakes.quarantine import FakeQuarantine

REF = EventRef("DC01", "00000000000000000010#fulfillment_request.items_completed#ff1")
ENTRY = QuarantineEntry(
    reason="conflicting_body", detail="why", body=b"\x00\xffbody", received_at=NOON, ref=REF
)
COMPLETION = UnstoredCompletion(
    location_id="Köln #1",
    logical_timestamp=10**18,
    fulfillment_request_id="ff1",
    items=(FulfillmentItem("i1", "Ü-1", NOON, ""), FulfillmentItem("i2", "SKU-2")),
    whole=True,
    published_at=NOON,
)
SHIPMENT = replace(ENTRY, reason="unparsable", completion=COMPLETION)
Kept = tuple[str, str, bytes, EventRef | None]


@dataclass(frozen=True)
class Store:
    """The port, and what is in it."""

    quarantine: Quarantine
    completions: UnstoredCompletions
    kept: Callable[[], list[Kept]]
    resolve: Callable[[str], None]

    def keeping(self, *entries: QuarantineEntry) -> list[Kept]:
        for entry in entries:
            self.quarantine.add(entry)
        return self.kept()


@pytest.fixture(params=["fake", *ENGINES])
def store(request: pytest.FixtureRequest, open_database: Callable[[str], Database]) -> Store:
    if request.param == "fake":
        fake = FakeQuarantine()
        return Store(fake, fake, lambda: [kept(entry) for entry in fake.entries], fake.resolve)
    database = open_database(request.param)
    table = database.table("QuarantineTable")

    def stored() -> list[Kept]:
        return [
            (
                item["reason"]["S"],
                item["detail"]["S"],
                bytes(item["body"]["B"]),
                EventRef(item["location_id"]["S"], item["event_key"]["S"])
                if "location_id" in item
                else None,
            )
            for item in database.client.scan(TableName=table)["Items"]
        ]

    state = StateTable(database.client, database.table("StateTable"))
    completions = DynamoUnstoredCompletions(state)
    quarantine = DynamoQuarantine(database.client, table, RETENTION, SMALL_BODIES, completions)
    review = QuarantineReview(database.client, table, state, SMALL_BODIES)
    return Store(quarantine, completions, stored, lambda e: review.resolve(e, "done", OPERATOR))


def kept(entry: QuarantineEntry) -> Kept:
    return entry.reason, entry.detail, entry.body, entry.ref


ODD = [
    replace(ENTRY, body=b""),
    replace(ENTRY, body=bytes(range(256))),
    replace(ENTRY, ref=None),
    replace(ENTRY, detail=""),
    replace(ENTRY, body=b"x" * INLINE_BYTES_MAX, detail="ü" * 2_000),
]


@pytest.mark.parametrize("entry", ODD, ids=["empty", "bytes", "no_ref", "no_detail", "longest"])
def test_an_entry_is_kept_byte_for_byte(store: Store, entry: QuarantineEntry) -> None:
    assert store.keeping(entry) == [kept(entry)]


def test_the_same_entry_is_kept_once_whenever_it_comes(store: Store) -> None:
    assert len(store.keeping(ENTRY, ENTRY, replace(ENTRY, received_at=NOON + MINUTE))) == 1


def test_entries_that_differ_in_reason_event_or_body_are_kept_apart(store: Store) -> None:
    """Also where the parts, put one after the other, read the same."""
    entries = [
        ENTRY,
        replace(ENTRY, reason="not_storable"),
        replace(ENTRY, ref=None),
        replace(ENTRY, ref=EventRef("NYC", REF.event_key)),
        replace(ENTRY, ref=EventRef("DC010", REF.event_key.removeprefix("0"))),
        replace(ENTRY, body=b"\x00\xffbody\x00"),
    ]

    found = store.keeping(*entries)

    assert sorted(map(repr, found)) == sorted(repr(kept(entry)) for entry in entries)


@pytest.mark.parametrize("detail", ["x" * 500_000, "🧦" * 500_000, "half a pair \ud83d"])
def test_a_detail_of_any_length_and_kind_is_kept_by_its_beginning(
    store: Store, detail: str
) -> None:
    [(_, found, _, _)] = store.keeping(replace(ENTRY, detail=detail))

    assert found[:10] == detail[:10]
    assert len(found) <= DETAIL_CHARACTERS_MAX


def test_its_depth_is_the_number_of_entries(store: Store) -> None:
    assert store.quarantine.depth() == 0

    store.keeping(ENTRY, ENTRY, replace(ENTRY, ref=None))

    assert store.quarantine.depth() == 2


def test_its_depth_is_counted_past_what_is_resolved_over_so_many_pages(
    database: Database,
) -> None:
    table = database.table("QuarantineTable")
    quarantine = DynamoQuarantine(database.client, table, RETENTION)
    state = StateTable(database.client, database.table("StateTable"))
    review = QuarantineReview(database.client, table, state, SMALL_BODIES)
    for number in range(60):
        body = b"%02d" % number + b"x" * (INLINE_BYTES_MAX - 2)
        entry = replace(ENTRY, body=body)
        quarantine.add(entry)
        if number % 2:
            review.resolve(quarantine_id(entry), "dropped", OPERATOR)

    assert quarantine.depth() == 30
    assert 0 < quarantine.depth(pages_max=2) < 15


def test_an_entry_ends_its_retention_after_it_last_came(database: Database) -> None:
    table = database.table("QuarantineTable")
    quarantine = DynamoQuarantine(database.client, table, RETENTION)

    quarantine.add(ENTRY)
    quarantine.add(replace(ENTRY, received_at=NOON + MINUTE))

    [item] = database.client.scan(TableName=table)["Items"]
    assert item["expires_at"] == {"N": str(int((NOON + MINUTE + RETENTION).timestamp()))}


@pytest.mark.parametrize(
    "completion",
    [
        COMPLETION,
        replace(COMPLETION, location_id="", items=(), whole=False, published_at=None),
        UnstoredCompletion(location_id="DC01", logical_timestamp=0),
    ],
)
def test_a_completion_stands_as_it_was_until_it_is_resolved(
    store: Store, completion: UnstoredCompletion
) -> None:
    store.keeping(ENTRY, replace(SHIPMENT, completion=completion))

    [found] = store.completions.unresolved()

    assert (found.completion, found.received_at) == (completion, NOON)
    store.resolve(found.entry_id)
    assert list(store.completions.unresolved()) == []


def test_a_completion_that_comes_again_stands_since_it_first_came(store: Store) -> None:
    store.keeping(SHIPMENT, replace(SHIPMENT, received_at=NOON + MINUTE))

    assert [found.received_at for found in store.completions.unresolved()] == [NOON]


def test_a_completion_that_comes_again_after_it_was_resolved_stands_anew(store: Store) -> None:
    store.keeping(SHIPMENT)
    [first] = store.completions.unresolved()
    store.resolve(first.entry_id)

    store.keeping(replace(SHIPMENT, received_at=NOON + MINUTE))

    assert [found.received_at for found in store.completions.unresolved()] == [NOON + MINUTE]


Shipments = tuple[
    DynamoQuarantine, DynamoUnstoredCompletions, QuarantineReview, Callable[[], list[Any]]
]


@pytest.fixture
def shipments(database: Database) -> Shipments:
    table = database.table("QuarantineTable")
    state = StateTable(database.client, database.table("StateTable"))
    completions = DynamoUnstoredCompletions(state)
    quarantine = DynamoQuarantine(database.client, table, RETENTION, SMALL_BODIES, completions)
    review = QuarantineReview(database.client, table, state, SMALL_BODIES)
    return quarantine, completions, review, lambda: database.client.scan(TableName=table)["Items"]


def test_an_entry_with_a_completion_does_not_expire_before_it_is_resolved(
    shipments: Shipments,
) -> None:
    quarantine, _, review, items = shipments

    quarantine.add(SHIPMENT)

    [item] = items()
    assert "expires_at" not in item
    review.resolve(item["quarantine_id"]["S"], "done", OPERATOR)
    [item] = items()
    assert item["expires_at"] == {"N": str(int((NOON + RETENTION).timestamp()))}


def test_units_of_which_there_are_too_many_for_an_item_count_as_not_readable(
    shipments: Shipments,
) -> None:
    items = tuple(FulfillmentItem(f"{n}" * 40, "P" * 200) for n in range(3_000))
    quarantine, completions, *_ = shipments

    quarantine.add(replace(SHIPMENT, completion=replace(COMPLETION, items=items)))

    [found] = completions.unresolved()
    assert found.completion == replace(COMPLETION, items=(), whole=False)


def test_a_completion_is_never_lost_for_want_of_a_table(database: Database) -> None:
    quarantine = DynamoQuarantine(database.client, database.table("QuarantineTable"), RETENTION)

    with pytest.raises(FatalError):
        quarantine.add(SHIPMENT)
