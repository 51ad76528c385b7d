"""Snapshots, changes and partial reads: what they show, and as of when."""

from __future__ import annotations

from uuid import uuid4

import pytest

from inventory_sync.domain.erp import ChangeFeed
from inventory_sync.domain.errors import RejectedError
from inventory_sync.domain.stock import Acknowledgement
from tests.connector.bench import Bench, movement, post


def ship(bench: Bench, product: str, units: int = 1) -> Acknowledgement:
    wanted = movement(1, {product: units}, at=bench.location_id, request=f"ff-{uuid4()}")
    [outcome] = post(bench, wanted)
    assert isinstance(outcome, Acknowledgement)
    return outcome


def test_capabilities_are_within_what_the_core_can_use(bench: Bench) -> None:
    found = bench.connector().capabilities()
    assert found.bulk_max >= 1
    assert found.reference_length_max >= 16
    assert 0 <= found.apply_lag.total_seconds() <= 172_800


def test_snapshot_lists_every_product_with_stock(bench: Bench) -> None:
    figures = {bench.product(): units for units in range(1, 31)}
    for product, units in figures.items():
        bench.set_stock(product, units)
    bench.let_it_show()
    snapshot = bench.connector().snapshot(bench.location_id)
    assert snapshot.location_id == bench.location_id
    assert snapshot.as_of.tzinfo is not None
    assert {p: snapshot.on_hand_units[p] for p in figures} == figures


def test_product_that_sold_out_is_at_zero_or_absent(bench: Bench) -> None:
    product = bench.product()
    bench.set_stock(product, 3)
    ship(bench, product, 3)
    bench.let_it_show()
    found = bench.connector().snapshot(bench.location_id).on_hand_units
    if bench.connector().capabilities().absent_means_zero:
        assert found.get(product, 0) == 0
    else:
        assert found[product] == 0


def test_negative_stock_is_shown_as_it_is(bench: Bench) -> None:
    product = bench.product()
    ship(bench, product, 2)
    bench.let_it_show()
    assert bench.connector().snapshot(bench.location_id).on_hand_units[product] == -2


def test_what_was_acknowledged_in_time_is_in_the_snapshot(bench: Bench) -> None:
    product = bench.product()
    bench.set_stock(product, 10)
    booked = ship(bench, product)
    lag = bench.connector().capabilities().apply_lag
    bench.let_it_show()
    snapshot = bench.connector().snapshot(bench.location_id)
    assert booked.applied_at + lag <= snapshot.as_of
    assert snapshot.on_hand_units[product] == 9


def test_what_is_acknowledged_later_counts_as_not_shown(bench: Bench) -> None:
    product = bench.product()
    bench.set_stock(product, 10)
    bench.let_it_show()
    snapshot = bench.connector().snapshot(bench.location_id)
    booked = ship(bench, product)
    assert booked.applied_at > snapshot.as_of
    assert snapshot.on_hand_units[product] == 10


def test_location_the_erp_does_not_know_is_rejected(bench: Bench) -> None:
    with pytest.raises(RejectedError):
        bench.connector().snapshot("no such location")


def feeding(bench: Bench) -> None:
    if bench.connector().capabilities().change_feed is ChangeFeed.NONE:
        pytest.skip("it has no change feed")


def test_feed_names_what_changed_since_its_cursor(bench: Bench) -> None:
    feeding(bench)
    ours, others = bench.product(), bench.product()
    bench.set_stock(ours, 5)
    bench.let_it_show()
    start = bench.connector().changes(bench.location_id, None)
    assert (start.product_ids, start.complete) == (frozenset(), True)
    bench.set_stock(others, 4)
    ship(bench, ours)
    bench.let_it_show()
    found = bench.connector().changes(bench.location_id, start.cursor)
    assert found.complete
    assert {ours, others} <= found.product_ids
    assert found.as_of >= start.as_of


def test_rows_that_are_read_are_those_of_a_snapshot(bench: Bench) -> None:
    feeding(bench)
    products = [bench.product() for _ in range(3)]
    for units, product in enumerate(products):
        bench.set_stock(product, units)
    bench.let_it_show()
    whole = bench.connector().snapshot(bench.location_id)
    part = bench.connector().read(bench.location_id, frozenset(products[1:]))
    assert part.on_hand_units == {p: whole.on_hand_units[p] for p in products[1:]}
    assert part.as_of >= whole.as_of
    assert not bench.connector().read(bench.location_id, frozenset()).on_hand_units


def test_cursor_that_is_none_asks_for_everything(bench: Bench) -> None:
    feeding(bench)
    found = bench.connector().changes(bench.location_id, "no cursor of yours")
    assert (found.complete, found.product_ids) == (False, frozenset())
    assert bench.connector().changes(bench.location_id, found.cursor).complete
