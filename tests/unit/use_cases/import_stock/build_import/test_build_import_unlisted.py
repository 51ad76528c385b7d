"""An ERP that does not list all it has: what it leaves out keeps its quantity at NewStore."""

from functools import partial
from typing import Any

import pytest

from inventory_sync.domain.errors import RetriableError
from inventory_sync.domain.import_run import RunState
from inventory_sync.domain.stock import StockSnapshot
from tests.builders import DC, SKU
from tests.unit.use_cases.import_world import ImportWorld, started

OTHER = "SKU-2"


def listing(world: ImportWorld, **rows: int) -> None:
    """From now on the ERP lists these rows only, as of whenever it is asked."""
    on_hand: dict[str, Any] = {name.replace("_", "-"): units for name, units in rows.items()}
    world.erp.shown[DC] = StockSnapshot(DC, world.clock.now(), on_hand)


partly_listed = partial(started, units={SKU: 10, OTHER: 10, "SKU-3": 30}, absent_means_zero=False)
"""The first import has finished; the ERP leaves out rows it says nothing of."""


def test_a_row_that_is_left_out_is_not_sent_and_stays() -> None:
    world = partly_listed()
    listing(world, SKU_1=8)

    assert world.rows(world.import_now()) == {(DC, SKU): 8}
    assert world.on_hand(OTHER) == 10


def test_a_full_refresh_sends_what_is_left_out_as_it_was() -> None:
    world = partly_listed()
    listing(world, SKU_1=8)

    run = world.import_now(full=True)

    assert world.rows(run) == {(DC, SKU): 8, (DC, OTHER): 10, (DC, "SKU-3"): 30}


@pytest.mark.parametrize("booked", [True, False])
def test_what_is_shipped_of_it_is_taken_off_once(booked: bool) -> None:
    world = partly_listed()
    world.ship(10, OTHER)
    if booked:
        world.forward()
    world.settle()
    listing(world, SKU_1=10)

    for _ in range(3):
        world.import_now()
        assert (world.on_hand(OTHER), world.unreleased(OTHER)) == (9, 0)
        listing(world, SKU_1=10)


def test_once_it_is_listed_again_the_listed_figure_counts() -> None:
    world = partly_listed()
    world.ship(10, OTHER)
    world.forward()
    world.settle()
    listing(world, SKU_1=10)
    world.import_now()
    listing(world, SKU_1=10, SKU_2=4)

    world.import_now()

    assert world.on_hand(OTHER) == 4


def test_rows_that_are_left_out_have_not_fallen() -> None:
    world = partly_listed()
    listing(world, SKU_1=10)

    assert world.import_now().state is RunState.FINALIZED
    assert world.hold_kinds() == []


def test_rows_that_are_listed_may_still_have() -> None:
    world = partly_listed()
    listing(world, SKU_1=0, SKU_2=0, SKU_3=0)

    world.import_now()

    assert world.hold_kinds() == ["units_fell"]


def test_a_snapshot_without_any_row_says_nothing_whatever_an_operator_approves() -> None:
    world = partly_listed()
    listing(world)
    world.approve("snapshot_empty", "snapshot_incomplete")

    run = world.import_now()

    assert (world.hold_kinds(), list(run.left_out)) == (["snapshot_incomplete"], [DC])


def test_what_an_import_that_failed_had_read_and_counted_stands() -> None:
    world = partly_listed()
    world.ship(10, OTHER)
    world.settle()
    listing(world, SKU_2=4)
    world.newstore_model.jobs.fail_next_job(0)
    assert world.import_now().state is RunState.FAILED
    listing(world, SKU_1=10)

    run = world.import_now()

    assert world.rows(run)[DC, OTHER] == 3
    assert (world.on_hand(OTHER), world.unreleased(OTHER)) == (3, 0)


def test_after_a_fresh_start_too() -> None:
    world = partly_listed()
    world.forget_head()
    listing(world, SKU_1=8)

    world.import_now()

    assert (world.on_hand(), world.on_hand(OTHER)) == (8, 10)


def test_a_product_that_was_never_listed_promises_none_though_it_is_shipped() -> None:
    world = partly_listed()
    world.ship(10, "SKU-9")
    world.forward()
    world.settle()
    listing(world, SKU_1=10)

    run = world.import_now()

    assert world.rows(run) == {(DC, "SKU-9"): 0}
    assert run.clamped == 1


def test_what_a_feed_names_and_a_read_leaves_out_keeps_its_quantity() -> None:
    world = partly_listed(change_feed="sequence")
    world.erp_model.unlisted.add((DC, OTHER))
    world.erp_model.receive((DC, OTHER), 5)

    world.import_now()

    assert world.on_hand(OTHER) == 10


def test_a_location_that_cannot_be_read_is_rolled_forward_as_ever() -> None:
    world = partly_listed()
    world.ship(10, OTHER)
    world.settle()
    world.erp.shown[DC] = RetriableError("503")

    world.import_now()

    assert world.on_hand(OTHER) == 9
