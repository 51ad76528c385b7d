"""Quarantine: what was taken is kept whole, and the same thing once."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from inventory_sync.adapters.dynamodb.quarantine import (
    DEPTH_PAGES_MAX,
    DETAIL_CHARACTERS_MAX,
    DynamoQuarantine,
)
from inventory_sync.adapters.s3.event_bodies import INLINE_BYTES_MAX
from inventory_sync.domain.events import EventRef
from inventory_sync.domain.inbound import QuarantineEntry
from inventory_sync.ports.events import Quarantine
from tests.contract.builders import MINUTE, NOON, RETENTION
from tests.contract.conftest import Database
from tests.contract.engines import ENGINES
from tests.fakes.quarantine import FakeQuarantine

REF = EventRef("DC01", "00000000000000000010#fulfillment_request.items_completed#ff1")
ENTRY = QuarantineEntry(
    reason="conflicting_body", detail="why", body=b"\x00\xffbody", received_at=NOON, ref=REF
)
Kept = tuple[str, str, bytes, EventRef | None]


@dataclass(frozen=True)
class Store:
    """The port, and what is in it."""

    quarantine: Quarantine
    kept: Callable[[], list[Kept]]

    def keeping(self, *entries: QuarantineEntry) -> list[Kept]:
        for entry in entries:
            self.quarantine.add(entry)
        return self.kept()


@pytest.fixture(params=["fake", *ENGINES])
def store(request: pytest.FixtureRequest, open_database: Callable[[str], Database]) -> Store:
    if request.param == "fake":
        fake = FakeQuarantine()
        return Store(fake, lambda: [kept(entry) for entry in fake.entries])
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

    return Store(DynamoQuarantine(database.client, table, RETENTION), stored)


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


def test_its_depth_is_counted_over_so_many_pages_only(database: Database) -> None:
    table = database.table("QuarantineTable")
    quarantine = DynamoQuarantine(database.client, table, RETENTION)
    longest = INLINE_BYTES_MAX - 2
    for number in range(10 * DEPTH_PAGES_MAX):
        quarantine.add(replace(ENTRY, body=b"%d" % number + b"x" * longest))

    assert 7 * DEPTH_PAGES_MAX <= quarantine.depth() < 10 * DEPTH_PAGES_MAX


def test_an_entry_ends_its_retention_after_it_last_came(database: Database) -> None:
    table = database.table("QuarantineTable")
    quarantine = DynamoQuarantine(database.client, table, RETENTION)

    quarantine.add(ENTRY)
    quarantine.add(replace(ENTRY, received_at=NOON + MINUTE))

    [item] = database.client.scan(TableName=table)["Items"]
    assert item["expires_at"] == {"N": str(int((NOON + MINUTE + RETENTION).timestamp()))}
