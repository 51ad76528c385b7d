"""Guards: each holds a location with its reason and figures, and lets through what is sound."""

from decimal import Decimal

import pytest

from inventory_sync.domain.guards import (
    APPROVABLE,
    GuardLimits,
    Hold,
    HoldKind,
    LastFigures,
    check_location,
    check_snapshot,
)
from inventory_sync.domain.locations import LocationType, NewStoreLocation, Node
from inventory_sync.domain.stock import Units
from tests.builders import DC, listed, location, snapshot

LIMITS = GuardLimits(fall_share_max=0.5, fall_units_min=20, quantity_units_max=1000)
LISTED = listed(DC)


def held(
    rows: dict[str, Units], last: LastFigures | None = None, limits: GuardLimits = LIMITS
) -> tuple[Hold, ...]:
    return check_snapshot(snapshot(rows), last, limits)


def kinds(holds: tuple[Hold, ...]) -> list[HoldKind]:
    return [hold.kind for hold in holds]


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


# The rows


def test_sound_rows_are_let_through() -> None:
    assert held({"A": 0, "B": 1000, "C": Decimal("3.0")}) == ()


@pytest.mark.parametrize(
    ("quantity", "kind"),
    [
        (-1, HoldKind.NEGATIVE),
        (Decimal("2.5"), HoldKind.FRACTIONAL),
        (1001, HoldKind.ABSURD),
    ],
)
def test_a_bad_row_holds_the_location_with_the_first_of_them(
    quantity: Units, kind: HoldKind
) -> None:
    holds = held({"Z": quantity, "A": 5, "M": quantity})

    assert holds == (Hold(kind, f"2 of 3 rows, the first 'M': {quantity}"),)


def test_every_guard_that_trips_is_named_once() -> None:
    holds = held({"A": Decimal("-0.5"), "B": 5000, "C": -3})

    assert kinds(holds) == [HoldKind.NEGATIVE, HoldKind.FRACTIONAL, HoldKind.ABSURD]


# The whole


def test_an_empty_snapshot_is_held_where_nothing_was_known() -> None:
    assert held({}) == (Hold(HoldKind.SNAPSHOT_EMPTY, "the ERP listed no row"),)


@pytest.mark.parametrize("last", [LastFigures(rows=1, units=20), LastFigures(rows=20, units=1)])
def test_an_empty_snapshot_is_held_where_there_was_stock(last: LastFigures) -> None:
    assert kinds(held({}, last)) == [HoldKind.SNAPSHOT_EMPTY]


def test_a_small_location_may_sell_out() -> None:
    assert held({}, LastFigures(rows=19, units=19)) == ()


def test_an_empty_snapshot_is_let_through_where_there_was_no_stock() -> None:
    assert held({}, LastFigures(rows=300, units=0)) == ()


def rows_of(count: int, units: int = 1) -> dict[str, Units]:
    return {f"SKU-{number}": units for number in range(count)}


def test_rows_that_fell_by_more_than_the_share_are_held() -> None:
    assert held(rows_of(49), LastFigures(rows=100, units=0)) == (
        Hold(HoldKind.ROWS_FELL, "49 now, 100 at the last import; allowed fall 50%"),
    )
    assert held(rows_of(50), LastFigures(rows=100, units=0)) == ()


def test_units_that_fell_by_more_than_the_share_are_held() -> None:
    assert held({"A": 49}, LastFigures(rows=1, units=100)) == (
        Hold(HoldKind.UNITS_FELL, "49 now, 100 at the last import; allowed fall 50%"),
    )
    assert held({"A": 50}, LastFigures(rows=1, units=100)) == ()


def test_a_small_fall_is_nobodys_business_whatever_its_share() -> None:
    assert held({"A": 1}, LastFigures(rows=1, units=20)) == ()
    assert kinds(held({"A": 1}, LastFigures(rows=1, units=21))) == [HoldKind.UNITS_FELL]


def test_both_falls_are_named() -> None:
    holds = held(rows_of(10), LastFigures(rows=100, units=100))

    assert kinds(holds) == [HoldKind.ROWS_FELL, HoldKind.UNITS_FELL]


def test_a_rise_is_no_fall() -> None:
    assert held(rows_of(100, 9), LastFigures(rows=10, units=10)) == ()


def test_negative_rows_do_not_hide_or_make_a_fall() -> None:
    holds = held({"A": 60, "B": -500}, LastFigures(rows=2, units=100))

    assert kinds(holds) == [HoldKind.NEGATIVE]


def test_rows_that_keep_their_last_quantity_have_not_fallen() -> None:
    kept = {**rows_of(100), "Q": -5}
    last = LastFigures(rows=101, units=100)

    assert check_snapshot(snapshot(rows_of(1)), last, LIMITS, kept) == ()
    assert kinds(check_snapshot(snapshot(rows_of(60, units=0)), last, LIMITS, kept)) == [
        HoldKind.UNITS_FELL
    ]
    assert kinds(check_snapshot(snapshot({}), last, LIMITS, kept)) == [HoldKind.SNAPSHOT_INCOMPLETE]


def test_the_first_snapshot_has_nothing_to_fall_from() -> None:
    assert held({"A": 1}, None) == ()


def test_a_share_of_nothing_is_exceeded_by_the_least_fall_that_counts() -> None:
    limits = GuardLimits(fall_share_max=0.0, fall_units_min=1)

    assert kinds(held({"A": 9}, LastFigures(1, 10), limits)) == [HoldKind.UNITS_FELL]
    assert held({"A": 10}, LastFigures(1, 10), limits) == ()


def test_unless_told_otherwise_half_may_go_and_a_million_is_absurd() -> None:
    assert GuardLimits() == GuardLimits(
        fall_share_max=0.5, fall_units_min=20, quantity_units_max=1_000_000
    )


# Approval


def test_what_is_wrong_at_its_source_or_an_operators_own_cannot_be_approved() -> None:
    assert frozenset(HoldKind) - APPROVABLE == {
        HoldKind.SNAPSHOT_INCOMPLETE,
        HoldKind.SNAPSHOT_OLDER,
        HoldKind.SNAPSHOT_AHEAD,
        HoldKind.UNKNOWN_LOCATION,
        HoldKind.WRONG_TYPE,
        HoldKind.NODE_SHARED,
        HoldKind.INVENTORY_MASTER,
        HoldKind.MAPPING_MISSING,
        HoldKind.COMPLETION_UNREADABLE,
        HoldKind.OPERATOR,
    }
