"""The ERP's books: movements once, allocations by the last writer."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from typing import Literal

import pytest

from local.erp.model import ErpModel
from local.erp.records import Allocation, AllocationItem, Dedupe, Movement, MovementLine
from local.http_server import AnswerLostError, CallRefusedError
from tests.unit.local.clock import Clock

DC = "DC01"
KEY = (DC, "SKU-1")


def erp_with(units: int = 10, dedupe: Dedupe = "native") -> ErpModel:
    erp = ErpModel(Clock(), dedupe=dedupe)
    erp.set_stock(KEY, units)
    return erp


def movement(
    movement_id: str = "ff1:10", units: int = 1, product: str = "SKU-1", location: str = DC
) -> Movement:
    """Under another movement id with the same units."""
    lines = tuple(MovementLine(f"i{number}", product) for number in range(units))
    return shipping(lines, movement_id, location)


def shipping(
    lines: tuple[MovementLine, ...], movement_id: str = "ff1:10", location: str = DC
) -> Movement:
    return Movement(movement_id, location, "2026-01-15T10:00:00Z", "order-1", "ff1", 10, lines)


def allocation(
    logical_timestamp: int,
    state: Literal["allocated", "released"],
    items: tuple[str, ...] = ("i1",),
    location: str = DC,
) -> Allocation:
    units = tuple(AllocationItem(item, "SKU-1") for item in items)
    return Allocation("ff1", location, logical_timestamp, state, units)


def outcome(erp: ErpModel, sent: Movement) -> str:
    return erp.calls.post_movements([sent])[0].outcome


def test_a_movement_takes_its_units_away_at_once() -> None:
    erp = erp_with(10)
    (result,) = erp.calls.post_movements([movement(units=3)])
    assert (result.outcome, result.document_id) == ("applied", "DOC-000001")
    assert erp.on_hand(KEY) == 7


def test_goods_that_left_are_booked_below_zero() -> None:
    erp = erp_with(1)
    assert outcome(erp, movement(units=3)) == "applied"
    assert erp.on_hand(KEY) == -2


def test_native_dedupe_books_once_and_gives_the_first_answer_again() -> None:
    erp = erp_with(10)
    first, again = (erp.calls.post_movements([movement()])[0] for _ in range(2))
    assert again.outcome == "repeated"
    assert (again.applied_at, again.document_id) == (first.applied_at, first.document_id)
    assert (erp.on_hand(KEY), erp.double_bookings) == (9, 0)


def test_native_dedupe_books_once_within_one_post() -> None:
    erp = erp_with(10)
    results = erp.calls.post_movements([movement(), movement()])
    assert [result.outcome for result in results] == ["applied", "repeated"]


@pytest.mark.parametrize(
    "other",
    [
        movement(units=2),
        movement(product="SKU-2"),
        shipping((MovementLine("another", "SKU-1"),)),
        replace(movement(), fulfillment_request_id="ff2"),
    ],
    ids=["more units", "another product", "another unit", "another request"],
)
def test_the_same_movement_id_with_other_units_is_a_conflict(other: Movement) -> None:
    erp = erp_with(10)
    erp.calls.post_movements([movement()])
    assert outcome(erp, other) == "conflict"
    assert erp.on_hand(KEY) == 9


def test_a_repeated_movement_with_the_same_lines_in_another_order_is_repeated() -> None:
    erp = erp_with(10)
    sent = movement(units=2)
    erp.calls.post_movements([sent])
    again = replace(sent, occurred_at="another time", lines=sent.lines[::-1])
    assert outcome(erp, again) == "repeated"


def test_without_native_dedupe_a_second_post_books_twice_and_is_counted() -> None:
    erp = erp_with(10, "lookup")
    assert [outcome(erp, movement()) for _ in range(2)] == ["applied", "applied"]
    assert (erp.on_hand(KEY), erp.double_bookings, erp.double_booked_units) == (8, 1, 1)
    assert len(erp.booked("ff1:10")) == 2


def test_a_unit_that_two_movements_list_is_booked_twice_and_counted() -> None:
    erp = erp_with(10)
    assert [outcome(erp, movement(name, units)) for name, units in (("a", 1), ("b", 3))] == [
        "applied"
    ] * 2
    assert (erp.double_bookings, erp.double_booked_units) == (0, 1)
    assert erp.booked_units == {("ff1", "i0"): 2, ("ff1", "i1"): 1, ("ff1", "i2"): 1}
    assert erp.on_hand(KEY) == 6


@pytest.mark.parametrize("dedupe", ["native", "lookup"])
def test_a_lookup_finds_what_was_booked_and_nothing_else(dedupe: Dedupe) -> None:
    erp = erp_with(10, dedupe)
    with pytest.raises(CallRefusedError, match="404"):
        erp.calls.get_movement("ff1:10")
    (result,) = erp.calls.post_movements([movement()])
    booked = erp.calls.get_movement("ff1:10")
    assert (booked.applied_at, booked.document_id) == (result.applied_at, result.document_id)


@pytest.mark.parametrize(("applied", "on_hand"), [(True, 9), (False, 10)])
def test_after_a_lost_answer_only_a_lookup_tells(applied: bool, on_hand: int) -> None:
    erp = erp_with(10, "lookup")
    erp.faults.lose_next_answer(call="post_movements", applied=applied)
    with pytest.raises(AnswerLostError):
        erp.calls.post_movements([movement()])
    assert erp.on_hand(KEY) == on_hand
    assert len(erp.booked("ff1:10")) == applied


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (movement(product="SKU-X"), "discontinued"),
        (movement(units=0), "another item_id"),
        (shipping((MovementLine("i1", "A"), MovementLine("i1", "B"))), "another item_id"),
        (movement(location="NOWHERE"), "unknown location"),
        (movement(movement_id="x" * 129), "too long"),
    ],
)
def test_a_rejected_movement_says_why_and_spares_the_others(sent: Movement, reason: str) -> None:
    erp = erp_with(10)
    erp.rejected_products["SKU-X"] = "discontinued"
    rejected, applied = erp.calls.post_movements([sent, movement("ff1:11")])
    assert (rejected.outcome, applied.outcome) == ("rejected", "applied")
    assert reason in str(rejected.reason)
    assert erp.on_hand(KEY) == 9


def test_a_busy_product_is_retryable_and_then_applied_once() -> None:
    erp = erp_with(10)
    erp.busy_products["SKU-1"] = "document is locked"
    assert outcome(erp, movement()) == "retryable"
    erp.busy_products.clear()
    assert outcome(erp, movement()) == "applied"
    assert erp.on_hand(KEY) == 9


def test_more_than_bulk_max_is_refused_whole() -> None:
    erp = erp_with(10)
    with pytest.raises(CallRefusedError, match="413"):
        erp.calls.post_movements([movement(f"ff{number}") for number in range(101)])
    assert erp.on_hand(KEY) == 10


def test_receipts_corrections_and_counter_sales_move_the_stock() -> None:
    erp = erp_with(10)
    erp.receive(KEY, 10)
    erp.correct(KEY, -2)
    erp.sell_at_counter(KEY, 1)
    assert erp.on_hand(KEY) == 17


def test_allocations_end_the_same_in_every_order() -> None:
    writes = [allocation(7, "allocated"), allocation(9, "released"), allocation(8, "allocated")]
    for order in permutations(writes):
        erp = erp_with()
        for write in order:
            erp.calls.post_allocations([write])
        assert erp.allocated(KEY) == 0


def test_an_older_allocation_does_not_come_back_after_an_unknown_release() -> None:
    erp = erp_with()
    results = erp.calls.post_allocations([allocation(9, "released"), allocation(7, "allocated")])
    assert [result.outcome for result in results] == ["applied", "superseded"]
    assert erp.allocated(KEY) == 0


def test_a_repeated_allocation_counts_once() -> None:
    erp = erp_with()
    results = erp.calls.post_allocations([allocation(7, "allocated")] * 2)
    assert [result.outcome for result in results] == ["applied", "applied"]
    assert erp.allocated(KEY) == 1


@pytest.mark.parametrize("first", ["allocated", "released"])
def test_at_equal_logical_timestamps_released_wins(first: Literal["allocated", "released"]) -> None:
    erp = erp_with()
    second: Literal["allocated", "released"] = "released" if first == "allocated" else "allocated"
    erp.calls.post_allocations([allocation(7, first), allocation(7, second)])
    assert erp.allocated(KEY) == 0


def test_the_last_writer_wins_item_by_item() -> None:
    erp = erp_with()
    erp.calls.post_allocations([allocation(7, "allocated", ("i1", "i2", "i3"))])
    erp.calls.post_allocations([allocation(9, "released", ("i1",))])
    (result,) = erp.calls.post_allocations([allocation(8, "released", ("i1", "i2"))])
    assert result.outcome == "applied"
    assert erp.allocated(KEY) == 1


def test_an_allocation_at_an_unknown_location_is_rejected() -> None:
    (result,) = erp_with().calls.post_allocations([allocation(7, "allocated", location="NOWHERE")])
    assert result.outcome == "rejected"


def test_an_erp_without_reservations_rejects_allocations() -> None:
    erp = ErpModel(Clock(), reservations=False)
    (result,) = erp.calls.post_allocations([allocation(7, "allocated")])
    assert result.outcome == "rejected"
