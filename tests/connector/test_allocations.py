"""Allocations: the last writer by logical timestamp wins, and stock on hand stays as it is."""

from __future__ import annotations

from itertools import permutations
from uuid import uuid4

import pytest

from inventory_sync.domain.stock import Accepted, AllocationState
from tests.connector.bench import Bench, change

ALLOCATED, RELEASED = AllocationState.ALLOCATED, AllocationState.RELEASED


@pytest.fixture
def product(bench: Bench) -> str:
    if not bench.connector().capabilities().reservations:
        pytest.skip("it keeps no allocations")
    product = bench.product()
    bench.set_stock(product, 10)
    return product


def test_allocations_settle_and_leave_the_stock_on_hand(bench: Bench, product: str) -> None:
    request = f"ff-{uuid4()}"
    items = {"i1": product, "i2": product}
    steps = [
        change(7, ALLOCATED, items, at=bench.location_id, request=request),
        change(9, RELEASED, {"i1": product}, at=bench.location_id, request=request),
    ]
    assert bench.connector().change_allocations(steps) == [Accepted()] * 2
    assert bench.on_hand(product) == 10


def test_repeats_and_any_order_settle(bench: Bench, product: str) -> None:
    for order in permutations((7, 9, 11)):
        request = f"ff-{uuid4()}"
        for number in (*order, *order):
            state = RELEASED if number == 9 else ALLOCATED
            wanted = change(number, state, {"i1": product}, at=bench.location_id, request=request)
            assert bench.connector().change_allocations([wanted]) == [Accepted()]
    assert bench.on_hand(product) == 10


def test_releasing_what_was_never_seen_settles(bench: Bench, product: str) -> None:
    wanted = change(5, RELEASED, {"i1": product}, at=bench.location_id, request=f"ff-{uuid4()}")
    assert bench.connector().change_allocations([wanted]) == [Accepted()]


def test_more_than_stock_may_be_allocated_without_an_error(bench: Bench, product: str) -> None:
    items = {f"i{number}": product for number in range(12)}
    wanted = change(5, ALLOCATED, items, at=bench.location_id, request=f"ff-{uuid4()}")
    [outcome] = bench.connector().change_allocations([wanted])
    assert outcome == Accepted()
    assert bench.on_hand(product) == 10
