"""Guards: each holds a location with its reason and figures, and lets through what is sound."""

import pytest

from inventory_sync.domain.guards import APPROVABLE, HoldKind, check_location
from inventory_sync.domain.locations import LocationType, NewStoreLocation, Node
from tests.builders import DC, listed, location

LISTED = listed(DC)


# The location


def test_a_location_that_newstore_lists_is_let_through() -> None:
    assert check_location(location(), LISTED[DC]) == ()


def test_a_location_without_a_row_in_the_map_is_held() -> None:
    [hold] = check_location(None, None)

    assert hold.kind is HoldKind.MAPPING_MISSING
    assert hold.figures == (
        "the location map has no row for it: load one with `make locations FILE=...`"
    )


def test_a_location_that_newstore_does_not_list_is_held() -> None:
    [hold] = check_location(location(fulfillment_node_id="node-9"), None)

    assert hold.kind is HoldKind.UNKNOWN_LOCATION
    assert hold.figures == (
        "NewStore does not list 'node-9'; an import would create it for ever:"
        " set `create` in the location map if that is right"
    )


@pytest.mark.parametrize("told", [None, Node("node-9", ""), Node("node-9", "S1")])
def test_a_location_that_the_map_has_created_is_let_through(told: Node | None) -> None:
    created = location(fulfillment_node_id="node-9", create=True)

    assert check_location(created, None, told) == ()


@pytest.mark.parametrize("create", [True, False])
def test_no_second_node_is_created_for_a_location(create: bool) -> None:
    mistyped = location(fulfillment_node_id="node-9", create=create)

    [hold] = check_location(mistyped, None, Node("node-1", ""))

    assert hold.kind is HoldKind.UNKNOWN_LOCATION
    assert hold.figures == (
        "NewStore does not list 'node-9'; an import would create it for ever:"
        " its imports had 'node-1'"
    )


@pytest.mark.parametrize("node", ["", "x" * 201, "a\tb"])
def test_a_node_that_newstore_might_refuse_is_not_created(node: str) -> None:
    [hold] = check_location(location(fulfillment_node_id=node, create=True), None)

    assert hold.kind is HoldKind.UNKNOWN_LOCATION
    assert hold.figures.startswith(f"NewStore cannot create {node!r}: it ")


def test_a_location_that_newstore_masters_is_held_whatever_the_map_says() -> None:
    [hold] = check_location(location(create=True), listed(DC, inventory_master=True)[DC])

    assert hold.kind is HoldKind.INVENTORY_MASTER
    assert hold.figures == (
        "NewStore is the inventory master of 'DC01': disable it in the location map"
    )


def test_a_disabled_location_may_be_mastered_by_newstore() -> None:
    assert check_location(location(enabled=False), listed(DC, inventory_master=True)[DC]) == ()


@pytest.mark.parametrize(
    ("mapped", "at_newstore", "figures"),
    [
        ("", LISTED[DC], "is a store at NewStore, and in the location map a dc"),
        ("S1", listed(DC, type=LocationType.DC, store_id="")[DC], "is a dc at NewStore"),
    ],
)
def test_a_location_of_the_wrong_type_is_held(
    mapped: str, at_newstore: NewStoreLocation, figures: str
) -> None:
    [hold] = check_location(location(store_id=mapped), at_newstore)

    assert hold.kind is HoldKind.WRONG_TYPE
    assert figures in hold.figures
    assert f"set `store_id` there to {at_newstore.store_id!r}" in hold.figures


def test_a_location_that_is_off_at_newstore_is_imported_all_the_same() -> None:
    assert check_location(location(), listed(DC, enabled=False)[DC]) == ()


# Approval


def test_what_is_wrong_at_its_source_or_an_operators_own_cannot_be_approved() -> None:
    assert frozenset(HoldKind) - APPROVABLE == {
        HoldKind.SNAPSHOT_INCOMPLETE,
        HoldKind.ROW_UNREADABLE,
        HoldKind.SNAPSHOT_OLDER,
        HoldKind.SNAPSHOT_AHEAD,
        HoldKind.SNAPSHOT_STALE,
        HoldKind.UNKNOWN_LOCATION,
        HoldKind.WRONG_TYPE,
        HoldKind.NODE_SHARED,
        HoldKind.INVENTORY_MASTER,
        HoldKind.MAPPING_MISSING,
        HoldKind.COMPLETION_UNREADABLE,
        HoldKind.OPERATOR,
    }
