"""Units, and the movements and allocations that the ERP is asked to book."""

from decimal import Decimal

import pytest

from inventory_sync.domain.events import FulfillmentEvent, FulfillmentItem
from inventory_sync.domain.stock import (
    AllocationState,
    MovementLine,
    StockMovement,
    Units,
    allocation_change_of,
    movement_of,
    totals_of,
)
from inventory_sync.domain.units import UnitId
from tests.builders import (
    DC,
    HOUR,
    ITEMS_ASSIGNED,
    ITEMS_COMPLETED,
    ITEMS_FAILED,
    NOW,
    event,
    snapshot,
)


def test_units_are_whole_and_a_negative_row_counts_as_none() -> None:
    assert totals_of({"A": 3, "B": -5, "C": Decimal("1.9"), "D": 1}).units == 5
    assert totals_of({"A": Decimal("-0.1"), "B": 0}).units == 0
    assert totals_of({"A": Decimal("-0.5"), "B": 3}).units == 3
    assert totals_of({"A": 3, "B": 4}).units == 7
    assert totals_of({}).units == 0


def booked(found: FulfillmentEvent) -> StockMovement:
    """The movement of an event that owns all it lists."""
    return movement_of(found, frozenset(item.item_id for item in found.items))


def test_a_completed_event_books_a_line_for_each_of_its_units() -> None:
    movement = booked(
        event(12, "B", "A", "B", fulfillment_request_id="ff1", order_id="o1", published_at=NOW)
    )

    assert movement.lines == (
        MovementLine(UnitId("ff1", "ff1-1"), "B"),
        MovementLine(UnitId("ff1", "ff1-2"), "A"),
        MovementLine(UnitId("ff1", "ff1-3"), "B"),
    )
    assert (movement.location_id, movement.occurred_at) == (DC, NOW)
    assert (movement.order_id, movement.fulfillment_request_id) == ("o1", "ff1")
    assert movement.logical_timestamp == 12
    assert movement.movement_id.startswith("DC01:12:ff1:")


def test_an_event_books_only_the_units_it_owns() -> None:
    movement = movement_of(event(12, "A", "B"), frozenset({"ff12-2"}))

    assert movement.lines == (MovementLine(UnitId("ff12", "ff12-2"), "B"),)


def test_an_item_that_stands_in_an_event_twice_is_booked_once() -> None:
    item = FulfillmentItem("i1", "A")

    assert len(booked(event(12, items=(item, item))).lines) == 1


def test_the_same_event_always_books_the_same_movement() -> None:
    assert booked(event(12, "A", "B")) == booked(event(12, "A", "B"))


def test_parts_of_one_request_have_movements_of_their_own() -> None:
    ids = {
        booked(found).movement_id
        for found in (
            event(12, fulfillment_request_id="ff1"),
            event(13, fulfillment_request_id="ff1"),
            event(12, fulfillment_request_id="ff2"),
            event(12, fulfillment_request_id="ff1", at="NYC"),
        )
    }

    assert len(ids) == 4


def test_the_movement_id_does_not_depend_on_when_it_was_delivered() -> None:
    early, late = event(12, published_at=NOW), event(12, published_at=NOW + HOUR)

    assert booked(early).movement_id == booked(late).movement_id


def test_assigned_items_are_set_aside() -> None:
    change = allocation_change_of(event(9, "A", "B", name=ITEMS_ASSIGNED))

    assert change.state is AllocationState.ALLOCATED
    assert change.items == (("ff9-1", "A"), ("ff9-2", "B"))
    assert (change.fulfillment_request_id, change.location_id) == ("ff9", DC)
    assert change.logical_timestamp == 9


def test_completed_and_failed_items_are_given_back() -> None:
    for name in (ITEMS_COMPLETED, ITEMS_FAILED):
        assert allocation_change_of(event(name=name)).state is AllocationState.RELEASED


@pytest.mark.parametrize(
    ("quantities", "is_plain"),
    [
        ({}, True),
        ({"A": 0, "B": 1000}, True),
        ({"A": 3, "B": 4}, True),
        ({"A": -1, "B": 5}, False),
        ({"A": Decimal("1"), "B": 5}, False),
    ],
)
def test_quantities_are_plain_if_all_are_whole_and_none_is_negative(
    quantities: dict[str, Units], is_plain: bool
) -> None:
    assert totals_of(quantities).plain is is_plain


def test_the_highest_row_is_found_among_fractions_too() -> None:
    assert totals_of({"A": 3, "B": Decimal("7.5"), "C": -9}).highest == Decimal("7.5")
    assert totals_of({"A": -3}).highest == -3
    assert totals_of({}).highest == 0


def test_a_snapshot_does_not_show_what_follows_from_its_rows() -> None:
    assert "totals" not in repr(snapshot())
