"""The ERP's books: movements once, allocations by the last writer."""

from __future__ import annotations

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
    movement_id: str = "ff1:10", quantity: int = 1, product: str = "SKU-1", location: str = DC
) -> Movement:
    lines = (MovementLine(product, quantity),)
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
    (result,) = erp.calls.post_movements([movement(quantity=3)])
    assert (result.outcome, result.document_id) == ("applied", "DOC-000001")
    assert erp.on_hand(KEY) == 7


def test_goods_that_left_are_booked_below_zero() -> None:
    erp = erp_with(1)
    assert outcome(erp, movement(quantity=3)) == "applied"
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


def test_native_dedupe_refuses_other_content_under_a_known_id() -> None:
    erp = erp_with(10)
    erp.calls.post_movements([movement(quantity=1)])
    assert outcome(erp, movement(quantity=2)) == "conflict"
    assert erp.on_hand(KEY) == 9


def test_the_same_units_in_other_lines_are_the_same_content() -> None:
    erp = erp_with(10)
    erp.calls.post_movements([movement(quantity=2)])
    lines = (MovementLine("SKU-1", 1), MovementLine("SKU-1", 1))
    split = Movement("ff1:10", DC, "another time", "order-1", "ff1", 10, lines)
    assert outcome(erp, split) == "repeated"


def test_without_native_dedupe_a_second_post_books_twice_and_is_counted() -> None:
    erp = erp_with(10, "lookup")
    assert [outcome(erp, movement()) for _ in range(2)] == ["applied", "applied"]
    assert (erp.on_hand(KEY), erp.double_bookings) == (8, 1)
    assert len(erp.booked("ff1:10")) == 2


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
        (movement(quantity=0), "above 0"),
        (movement(quantity=-1), "above 0"),
        (movement(location="NOWHERE"), "unknown location"),
        (movement(movement_id="x" * 129), "too long"),
    ],
)
def test_a_rejected_movement_says_why_and_spares_the_others(sent: Movement, reason: str) -> None:
    erp = erp_with(10)
    erp.rejected_products["SKU-X"] = "discontinued"
    rejected, applied = erp.calls.post_movements([sent, movement("ff2:11")])
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
