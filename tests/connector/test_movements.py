"""Movements: booked once, whole, whatever the ERP thinks it has, and found again."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from uuid import uuid4

import pytest

from inventory_sync.domain.erp import Dedupe
from inventory_sync.domain.stock import Acknowledgement, Rejection, StockMovement
from tests.connector.bench import Bench, book, movement, post

Make = Callable[..., StockMovement]
NUMBERS = count(1)


@pytest.fixture
def make(bench: Bench) -> Make:
    """A movement at the bench's location, under a request of its own."""

    def made(units: dict[str, int], request: str | None = None, item: str = "") -> StockMovement:
        request = request or f"ff-{uuid4()}"
        return movement(next(NUMBERS), units, at=bench.location_id, request=request, item=item)

    return made


def stocked(bench: Bench, units: int = 10) -> str:
    product = bench.product()
    bench.set_stock(product, units)
    return product


def test_goods_that_left_are_booked_whole(bench: Bench, make: Make) -> None:
    one, two = stocked(bench), stocked(bench)
    [outcome] = post(bench, make({one: 3, two: 1}))
    assert isinstance(outcome, Acknowledgement)
    assert outcome.applied_at.tzinfo is not None
    assert outcome.document_id
    assert (bench.on_hand(one), bench.on_hand(two)) == (7, 9)


def test_goods_the_erp_does_not_think_it_has_are_booked_all_the_same(
    bench: Bench, make: Make
) -> None:
    product = bench.product()
    [outcome] = post(bench, make({product: 2}))
    assert isinstance(outcome, Acknowledgement)
    assert bench.on_hand(product) == -2


def test_each_movement_has_an_outcome_of_its_own_in_order(bench: Bench, make: Make) -> None:
    product = stocked(bench)
    good = [make({product: 1}) for _ in range(4)]
    bad = make({"no such product": 1})
    outcomes = post(bench, *good[:2], bad, *good[2:])
    kinds = [type(outcome) for outcome in outcomes]
    assert kinds == [Acknowledgement] * 2 + [Rejection] + [Acknowledgement] * 2
    assert bench.on_hand(product) == 6


def test_nothing_to_post_is_nothing_posted(bench: Bench) -> None:
    assert bench.connector().post_movements([]) == []


def test_what_is_booked_is_found_at_once_by_anybody(bench: Bench, make: Make) -> None:
    wanted = make({stocked(bench): 1})
    assert bench.connector().look_up(wanted.movement_id) is None
    [booked] = post(bench, wanted)
    found = bench.connector().look_up(wanted.movement_id)
    assert isinstance(booked, Acknowledgement)
    assert isinstance(found, Acknowledgement)
    assert found.document_id == booked.document_id
    assert found.applied_at >= booked.applied_at


def test_two_movements_of_one_request_are_both_booked(bench: Bench, make: Make) -> None:
    """Events are cumulative, movements are not: the second has the units that are new."""
    product, request = stocked(bench), f"ff-{uuid4()}"
    first, second = make({product: 1}, request), make({product: 2}, request)
    outcomes = post(bench, first, second)
    assert [type(outcome) for outcome in outcomes] == [Acknowledgement] * 2
    assert bench.on_hand(product) == 7


def test_repeat_is_booked_once_and_names_the_same_document(bench: Bench, make: Make) -> None:
    if bench.connector().capabilities().dedupe is not Dedupe.NATIVE:
        pytest.skip("its repeats book twice: the core looks first")
    product = stocked(bench)
    wanted = make({product: 2})
    [first] = post(bench, wanted)
    [again] = post(bench, wanted)
    assert isinstance(first, Acknowledgement)
    assert isinstance(again, Acknowledgement)
    assert again.document_id == first.document_id
    assert again.applied_at >= first.applied_at
    assert bench.on_hand(product) == 8


def test_other_content_under_a_booked_reference_is_rejected(bench: Bench, make: Make) -> None:
    if bench.connector().capabilities().dedupe is not Dedupe.NATIVE:
        pytest.skip("its repeats book twice: the core looks first")
    one, two = stocked(bench), stocked(bench)
    first = make({one: 1})
    other = movement(
        first.logical_timestamp,
        {two: 1},
        at=bench.location_id,
        request=first.fulfillment_request_id,
    )
    post(bench, first)
    [outcome] = post(bench, other)
    assert isinstance(outcome, Rejection)
    assert (bench.on_hand(one), bench.on_hand(two)) == (9, 10)


def test_other_units_under_a_booked_reference_are_rejected(bench: Bench, make: Make) -> None:
    """Though they are as many, of the same products: units are counted, not quantities."""
    if bench.connector().capabilities().dedupe is not Dedupe.NATIVE:
        pytest.skip("its repeats book twice: the core looks first")
    product = stocked(bench)
    first = make({product: 2})
    other = movement(
        first.logical_timestamp,
        {product: 2},
        at=bench.location_id,
        request=first.fulfillment_request_id,
        item="other",
    )
    post(bench, first)
    [outcome] = post(bench, other)
    assert isinstance(outcome, Rejection)
    assert bench.on_hand(product) == 8


@pytest.mark.parametrize(
    "any_id",
    ["a/b?c=d&e", "with space", "per%20cent", "ümlaut-🎁", "quote'\"<b>", "x" * 140, "50%_off"],
)
def test_any_id_is_booked_and_found(bench: Bench, make: Make, any_id: str) -> None:
    product = stocked(bench)
    wanted = make({product: 1}, any_id, item=any_id)
    assert isinstance(book(bench, wanted), Acknowledgement)
    erp = bench.connector()
    assert isinstance(erp.look_up(wanted.movement_id), Acknowledgement)
    assert erp.look_up(wanted.movement_id + "x") is None


def test_long_ids_that_differ_only_at_their_ends_are_two_bookings(bench: Bench, make: Make) -> None:
    product = stocked(bench)
    stem = f"{uuid4()}-{'y' * 60}"
    for end in "ab":
        assert isinstance(book(bench, make({product: 1}, stem + end)), Acknowledgement)
    assert bench.on_hand(product) == 8


def test_lost_answers_end_in_one_booking(bench: Bench, make: Make) -> None:
    product = stocked(bench)
    for lost in (1, 2, 3):
        wanted = make({product: 1})
        with bench.losing_answers(lost):
            outcome = book(bench, wanted)
        assert isinstance(outcome, Acknowledgement)
    assert bench.on_hand(product) == 7


def test_simultaneous_posts_of_one_reference_book_once(bench: Bench, make: Make) -> None:
    if bench.connector().capabilities().dedupe is not Dedupe.NATIVE:
        pytest.skip("the core sees to one writer for each reference")
    product = stocked(bench)
    wanted = make({product: 1})
    connectors = [bench.connector() for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda erp: erp.post_movements([wanted]), connectors))
    assert isinstance(book(bench, wanted), Acknowledgement)
    assert bench.on_hand(product) == 9
