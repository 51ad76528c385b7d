"""Unit owners: each unit of a request is booked by one event, whatever comes first or at once."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from inventory_sync.adapters.dynamodb.unit_owners import ITEMS_PER_UPDATE_MAX, DynamoUnitOwners
from inventory_sync.domain.errors import RejectedError
from inventory_sync.domain.events import FulfillmentEvent, FulfillmentItem
from inventory_sync.domain.units import Ownership, is_owner_mark, owner_mark, owner_of, ownership
from inventory_sync.ports.events import UnitOwners
from tests import builders
from tests.contract.builders import NOON, THREADS, at_once
from tests.contract.conftest import Database
from tests.contract.engines import ENGINES
from tests.fakes.unit_owners import FakeUnitOwners

KEPT = timedelta(days=400)


def event(logical_timestamp: int, *items: str, request: str = "ff1", **fields: Any) -> Any:
    """A completed event of a request that lists these items."""
    listed = tuple(FulfillmentItem(item, "SKU-1") for item in items)
    return builders.event(
        logical_timestamp, **({"fulfillment_request_id": request, "items": listed} | fields)
    )


@pytest.fixture(params=["fake", *ENGINES])
def owners(request: pytest.FixtureRequest, open_database: Callable[[str], Database]) -> UnitOwners:
    if request.param == "fake":
        return FakeUnitOwners()
    database = open_database(request.param)
    return DynamoUnitOwners(database.client, database.table("RequestsTable"), KEPT)


def owned(owners: UnitOwners, found: FulfillmentEvent) -> set[str]:
    return set(owners.own(found, NOON).owned)


def test_the_first_event_owns_all_it_lists(owners: UnitOwners) -> None:
    assert owners.own(event(10, "a", "b"), NOON) == Ownership(frozenset("ab"), lowers=False)


def test_a_later_event_owns_only_what_is_new(owners: UnitOwners) -> None:
    owners.own(event(10, "a"), NOON)

    assert owners.own(event(20, "a", "b"), NOON) == Ownership(frozenset("b"), lowers=False)


def test_a_repeat_owns_the_same(owners: UnitOwners) -> None:
    first, second = event(10, "a"), event(20, "a", "b")
    for _ in range(2):
        assert owned(owners, first) == {"a"}
        assert owned(owners, second) == {"b"}


def test_an_event_that_comes_late_owns_nothing_of_it_and_lowers_its_timestamp(
    owners: UnitOwners,
) -> None:
    owners.own(event(20, "a", "b"), NOON)

    found = owners.own(event(10, "a"), NOON)

    assert found == Ownership(frozenset(), lowers=True)


def test_an_event_that_lists_nothing_new_brings_nothing(owners: UnitOwners) -> None:
    owners.own(event(10, "a"), NOON)

    assert owners.own(event(20, "a"), NOON) == Ownership(frozenset(), lowers=False)


def test_the_same_item_of_another_request_is_another_unit(owners: UnitOwners) -> None:
    owners.own(event(10, "a"), NOON)

    assert owned(owners, event(10, "a", request="ff2")) == {"a"}


def test_two_events_of_a_request_may_share_a_logical_timestamp(owners: UnitOwners) -> None:
    owners.own(event(10, "a"), NOON)

    assert owned(owners, event(10, "a", "b")) == {"b"}


def test_the_same_event_at_another_location_is_another_event(owners: UnitOwners) -> None:
    owners.own(event(10, "a"), NOON)

    assert owned(owners, replace(event(10, "a"), location_id="ELSEWHERE")) == set()


def test_a_unit_that_another_location_s_event_owns_is_named(owners: UnitOwners) -> None:
    owners.own(event(10, "a", location_id="DC#01"), NOON)

    found = owners.own(event(20, "b", "a", location_id="NYC"), NOON)

    assert found.owned == {"b"}
    assert found.conflict == "unit ff1/a left DC#01 by an event that came before"


def test_a_unit_of_another_product_than_its_owner_says_is_named(owners: UnitOwners) -> None:
    owners.own(event(20, "a", "b"), NOON)
    other = (FulfillmentItem("a", "SKU-1"), FulfillmentItem("b", "SKU-2"))

    for _ in range(2):
        found = owners.own(event(10, items=other), NOON)

        assert (found.owned, found.lowers) == (frozenset(), True)
        assert found.conflict == "unit ff1/b is of another product by event 20, which came before"


def test_events_that_agree_have_no_conflict(owners: UnitOwners) -> None:
    for listed in (event(20, "a", "b"), event(10, "a"), event(30, "a", "b", "c")):
        assert owners.own(listed, NOON).conflict == ""


def test_an_owner_of_a_former_version_says_no_product() -> None:
    later = event(20, "a")
    text = owner_mark(event(10, "a"), "SKU-1")
    former = owner_of(text)

    assert former != text
    assert is_owner_mark(former)
    assert ownership(later, {"a": former}) == Ownership(frozenset(), lowers=False)
    assert ownership(event(10, "a"), {"a": former}).owned == {"a"}


def test_an_item_that_is_listed_twice_is_one_unit(owners: UnitOwners) -> None:
    assert owned(owners, event(10, "a", "a")) == {"a"}


@pytest.mark.parametrize("more", [-1, 0, 1, 2 * ITEMS_PER_UPDATE_MAX])
def test_an_event_may_list_more_items_than_one_write_takes(owners: UnitOwners, more: int) -> None:
    items = [f"item-{n:05}" for n in range(ITEMS_PER_UPDATE_MAX + more)]
    owners.own(event(10, items[0]), NOON)

    assert owned(owners, event(20, *items)) == set(items[1:])


def test_any_id_can_be_kept(owners: UnitOwners) -> None:
    odd = ["#", "a.b[0]", ":mark", "ä", "x" * 255, "unit#a"]

    assert owned(owners, event(10, *odd)) == set(odd)


# What only the table shows


@dataclass
class Table:
    """The requests table of one test."""

    owners: DynamoUnitOwners
    item: Callable[[str], dict[str, Any]]


@pytest.fixture
def table(database: Database) -> Table:
    name = database.table("RequestsTable")

    def item(request_id: str) -> dict[str, Any]:
        found: Any = database.client.get_item(
            TableName=name, Key={"fulfillment_request_id": {"S": request_id}}, ConsistentRead=True
        )
        return found["Item"]

    return Table(DynamoUnitOwners(database.client, name, KEPT), item)


def test_a_request_is_kept_from_its_last_event_on(table: Table) -> None:
    table.owners.own(event(10, "a"), NOON)
    later = NOON + timedelta(days=90)

    table.owners.own(event(20, "a", "b"), later)

    assert table.item("ff1")["expires_at"] == {"N": str(int((later + KEPT).timestamp()))}


def test_the_item_of_a_request_of_one_unit_costs_one_write_unit(table: Table) -> None:
    uuid = "5f0c7f64-8f5e-4d0a-9f0e-0a8e3c1c9a11"
    table.owners.own(event(10**13, uuid, request=uuid, location_id="x" * 36), NOON)

    assert len(str(table.item(uuid))) < 1_000


def test_a_request_of_more_units_than_an_item_has_room_for_is_refused_by_name(
    table: Table,
) -> None:
    items = [f"{n:0>250}" for n in range(1_500)]

    with pytest.raises(RejectedError, match="request ff1: the requests table does not take"):
        table.owners.own(event(10, *items), NOON)


def test_of_events_at_once_each_unit_goes_to_one(parallel_database: Database) -> None:
    name = parallel_database.table("RequestsTable")
    owners = DynamoUnitOwners(parallel_database.client, name, KEPT)

    found = at_once(lambda n: owners.own(event(10 + n, "a", f"own-{n}"), NOON).owned)

    assert len(found) == THREADS
    assert sum("a" in items for items in found) == 1
    assert all(f"own-{n}" in items for n, items in enumerate(found))
