"""Build: a ledger that cannot be read leads to no row that promises what the ERP does not have."""

import pytest

from inventory_sync.domain.errors import RetriableError
from inventory_sync.domain.import_run import RunState
from tests.builders import DC, MINUTE, SKU, STORE
from tests.unit.use_cases.import_world import ImportWorld, started

OTHER = "SKU-2"
DOWN = RetriableError("503")


def lose(world: ImportWorld, *, all_of_them: bool = False) -> None:
    """The newest ledger of the location, or each."""
    kept = sorted(key for key in world.files.ledgers if key[0] == DC)
    world.files.broken_ledgers |= set(kept if all_of_them else kept[-1:])


def with_two_ledgers() -> ImportWorld:
    world = started()
    world.stock(4, OTHER)
    world.import_now()
    world.stock(9)
    world.import_now()
    return world


@pytest.mark.parametrize("fresh_start", [False, True])
def test_rows_that_the_erp_dropped_meanwhile_are_sent_as_none(fresh_start: bool) -> None:
    world = with_two_ledgers()
    lose(world)
    world.stock(0, OTHER)
    if fresh_start:
        world.forget_head()

    run = world.import_now()

    assert world.rows(run) == {(DC, SKU): 9, (DC, OTHER): 0}
    assert "ledger lost, all rows sent" in [text for text, _ in world.observer.notes]
    assert world.import_now().rows == 0


def test_a_row_that_fell_meanwhile_is_sent_as_it_is_now() -> None:
    world = with_two_ledgers()
    lose(world)
    world.stock(2)

    world.import_now()

    assert (world.on_hand(), world.atp(OTHER)) == (2, 4)


@pytest.mark.parametrize("fresh_start", [False, True])
def test_without_any_readable_ledger_the_location_is_held_until_one_is_back(
    fresh_start: bool,
) -> None:
    world = with_two_ledgers()
    lose(world, all_of_them=True)
    world.stock(0, OTHER)
    if fresh_start:
        world.forget_head()

    run = world.import_now()

    assert (world.hold_kinds(DC), run.rows) == (["ledger_lost"], 0)
    world.files.broken_ledgers.clear()
    world.import_now()
    assert (world.location_store.holds(), world.on_hand(OTHER)) == ({}, 0)


def test_a_held_location_with_a_lost_ledger_stays_known_and_keeps_the_cut_below_its_events() -> (
    None
):
    world = ImportWorld(DC, STORE)
    for place in (DC, STORE):
        world.stock(10, at=place)
    world.import_now()
    lose(world)
    world.ship(10)
    world.ship(12, at=STORE)
    world.forward()
    world.settle()

    for _ in range(2):
        run = world.import_now()
        assert (run.cut_end, world.hold_kinds(DC)) == (0, ["ledger_lost"])
        assert (world.atp(), world.atp(at=STORE)) == (9, 9)

    world.approve("ledger_lost")
    assert world.import_now().cut_end == 12
    assert (world.atp(), world.unreleased()) == (9, 0)


def test_a_location_that_cannot_be_read_is_not_rolled_forward_from_older_figures() -> None:
    world = with_two_ledgers()
    world.ship(10)
    world.forward()
    world.settle()
    lose(world)
    world.erp.shown[DC] = DOWN

    assert world.import_now().cut_end == 0
    assert world.atp() == 8

    del world.erp.shown[DC]
    world.import_now()
    assert (world.atp(), world.unreleased()) == (8, 0)


def test_rows_of_an_attempted_import_whose_ledger_is_lost_are_sent_once_more() -> None:
    world = started()
    world.stock(14)
    world.newstore_model.jobs.fail_next_job(0)
    assert world.import_now().state is RunState.FAILED
    lose(world)
    world.stock(10)

    run = world.import_now()

    assert world.rows(run) == {(DC, SKU): 10}


def test_what_is_not_listed_promises_none_where_the_last_figures_are_lost() -> None:
    world = ImportWorld(absent_means_zero=False)
    world.stock(10)
    world.stock(4, OTHER)
    world.import_now()
    world.ship(10, OTHER)
    world.forward()
    world.settle()
    world.import_now()
    lose(world)
    world.stock(0, OTHER)
    world.clock.advance(MINUTE)

    world.import_now()

    assert (world.on_hand(), world.on_hand(OTHER)) == (10, 0)


def test_rows_left_under_a_former_node_are_cleared_all_the_same() -> None:
    world = ImportWorld(known=(DC, "DC-new"))
    world.stock(10)
    world.stock(4, OTHER)
    world.import_now()
    world.stock(9)
    world.import_now()
    lose(world)
    world.put_location(DC, fulfillment_node_id="DC-new")

    run = world.import_now()

    left = {product: units for (node, product), units in world.rows(run).items() if node == DC}
    assert left == {SKU: 0, OTHER: 0}
