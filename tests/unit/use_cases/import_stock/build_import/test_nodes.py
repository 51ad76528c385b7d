"""Where a location's rows go at NewStore: by what it lists, and by where imports have put them."""

from typing import Any

import pytest

from inventory_sync.domain.errors import RetriableError
from inventory_sync.domain.import_run import RunState
from inventory_sync.domain.locations import Node
from local.newstore.locations import dc, store
from tests.builders import DC, SKU, STORE
from tests.unit.use_cases.import_world import ImportWorld

DOWN = RetriableError("503")
TYPO = "DCO1"
ONLY_DC, ONLY_STORE = "ONLY-DC", "ONLY-STORE"


def started(*places: str, **settings: Any) -> ImportWorld:
    """10 units of SKU-1 everywhere, and a first import finished."""
    world = ImportWorld(*places, **settings)
    for place in world.places:
        world.stock(10, at=place)
    assert world.import_now().state is RunState.FINALIZED
    return world


def nodes_sent(world: ImportWorld) -> set[str]:
    """All that NewStore was ever sent rows for."""
    jobs = world.newstore_model.jobs.by_id.values()
    found: set[str] = set()
    for job in jobs:
        run = next(r for r in world.runs.history.values() if r.job_id == job.import_id)
        found |= {node for node, _ in world.rows(run)}
    return found


def told(world: ImportWorld, location_id: str) -> Node:
    """Where the last finished import had the location."""
    run_id = world.runs.head().finished_run_id
    assert run_id is not None
    return world.files.manifest(run_id).locations[location_id].node


# A typing error


@pytest.mark.parametrize("create", [False, True])
def test_after_a_typing_error_units_leave_where_they_are_and_nothing_is_created(
    create: bool,
) -> None:
    world = started()
    world.put_location(DC, fulfillment_node_id=TYPO, create=create)
    world.ship(12)
    world.settle()

    run = world.import_now()

    assert (run.state, run.cut_end) == (RunState.FINALIZED, 12)
    assert world.rows(run) == {(DC, SKU): 9}
    assert world.hold_kinds() == ["unknown_location"]
    assert world.newstore_model.created_locations == []
    assert told(world, DC) == Node(DC, DC)

    world.put_location(DC, fulfillment_node_id=DC)
    world.forward()
    world.import_now()
    assert (world.atp(), world.location_store.holds()) == (9, {})
    assert nodes_sent(world) == {DC}


def test_a_typing_error_in_a_new_location_sends_nothing_and_releases_nothing_of_it() -> None:
    world = started()
    world.erp_model.add_location(STORE)
    world.put_location(STORE, fulfillment_node_id=TYPO)
    world.stock(10, at=STORE)
    world.ship(11, at=STORE)
    world.ship(12)
    world.settle()

    run = world.import_now()

    assert (run.cut_end, world.hold_kinds(STORE)) == (0, ["unknown_location"])
    assert nodes_sent(world) == {DC}
    assert world.newstore_model.created_locations == []


# A node that changes


def swapped() -> ImportWorld:
    """Two locations were imported, each under the other's node."""
    world = ImportWorld(DC, STORE)
    world.put_location(DC, fulfillment_node_id=STORE)
    world.put_location(STORE, fulfillment_node_id=DC)
    world.stock(7)
    world.stock(3, at=STORE)
    world.stock(5, ONLY_DC)
    world.stock(6, ONLY_STORE, at=STORE)
    assert world.import_now().state is RunState.FINALIZED
    assert (world.on_hand(at=STORE), world.on_hand()) == (7, 3)
    world.put_location(DC)
    world.put_location(STORE)
    return world


def put_right(world: ImportWorld) -> None:
    stock = {
        (place, product): world.on_hand(product, at=place)
        for place in (DC, STORE)
        for product in (SKU, ONLY_DC, ONLY_STORE)
    }
    assert stock == {
        (DC, SKU): 7, (DC, ONLY_DC): 5, (DC, ONLY_STORE): 0,
        (STORE, SKU): 3, (STORE, ONLY_DC): 0, (STORE, ONLY_STORE): 6,
    }  # fmt: skip


def test_two_nodes_that_were_swapped_are_put_right_whole() -> None:
    world = swapped()

    run = world.import_now()

    assert run.state is RunState.FINALIZED
    put_right(world)
    assert (told(world, DC), told(world, STORE)) == (Node(DC, DC), Node(STORE, STORE))
    assert world.import_now().rows == 0


@pytest.mark.parametrize("down", [DC, STORE])
def test_swapped_nodes_are_put_right_though_one_location_is_read_later(down: str) -> None:
    world = swapped()
    world.erp.shown[down] = DOWN
    world.ship(11, ONLY_DC)
    world.settle()

    assert world.import_now().cut_end == (0 if down == DC else 11)
    world.erp.shown.clear()
    world.forward()
    world.stock(6, ONLY_DC)
    world.erp_model.set_stock((DC, ONLY_DC), 5)
    assert world.import_now().state is RunState.FINALIZED
    put_right(world)


def test_what_is_left_under_a_former_node_is_sent_as_none() -> None:
    world = ImportWorld(DC, known=(DC, TYPO))
    world.put_location(DC, fulfillment_node_id=TYPO)
    world.stock(10)
    world.stock(4, "SKU-2")
    world.import_now()
    world.put_location(DC)

    run = world.import_now()

    assert world.rows(run) == {
        (DC, SKU): 10, (DC, "SKU-2"): 4, (TYPO, SKU): 0, (TYPO, "SKU-2"): 0,
    }  # fmt: skip
    assert world.import_now().rows == 0


def test_nothing_is_sent_to_a_former_node_that_newstore_masters_by_now() -> None:
    world = ImportWorld(DC, known=(DC, TYPO))
    world.put_location(DC, fulfillment_node_id=TYPO)
    world.stock(10)
    world.import_now()
    world.put_location(DC)
    world.newstore_model.locations.add(store(TYPO, is_inventory_master=True))

    assert world.rows(world.import_now()) == {(DC, SKU): 10}
    assert world.newstore_model.imports_into_master == []


def test_while_a_moved_location_cannot_be_read_its_units_leave_where_they_are() -> None:
    world = started(known=(DC, "NEW"))
    world.put_location(DC, fulfillment_node_id="NEW")
    world.erp.shown[DC] = DOWN
    world.ship(12)
    world.settle()

    run = world.import_now()

    assert (world.rows(run), told(world, DC)) == ({(DC, SKU): 9}, Node(DC, DC))


def test_two_locations_with_one_node_are_both_held() -> None:
    world = started(DC, STORE)
    world.put_location(STORE, fulfillment_node_id=DC)
    world.ship(11, at=STORE)
    world.ship(12)
    world.settle()

    run = world.import_now()

    assert (world.hold_kinds(), world.hold_kinds(STORE)) == (["node_shared"], ["node_shared"])
    assert world.rows(run) == {(DC, SKU): 9, (STORE, SKU): 9}


# What NewStore says


def test_a_store_is_named_as_newstore_has_it() -> None:
    world = ImportWorld()
    world.newstore_model.locations.add(store(DC, store_id="S-9"))
    world.stock(10)

    assert world.import_now().state is RunState.FINALIZED
    assert told(world, DC) == Node(DC, "S-9")


@pytest.mark.parametrize("before", [True, False])
def test_a_location_of_the_wrong_type_is_held_and_its_units_leave_as_what_it_is(
    before: bool,
) -> None:
    world = ImportWorld(DC, STORE)
    world.newstore_model.locations.add(dc(DC))
    world.put_location(DC, store_id="" if before else DC)
    world.stock(10)
    world.stock(10, at=STORE)
    world.import_now()
    world.put_location(DC, store_id=DC)
    world.ship(12)
    world.settle()

    run = world.import_now()

    assert (run.state, world.hold_kinds()) == (RunState.FINALIZED, ["wrong_type"])
    assert world.on_hand() == (9 if before else 0)
    assert run.cut_end == (12 if before else 0)


def test_a_location_that_newstore_has_become_the_master_of_is_not_written_to_any_more() -> None:
    world = started(DC, STORE)
    world.newstore_model.locations.add(store(STORE, is_inventory_master=True))
    world.ship(11, at=STORE)
    world.ship(12)
    world.settle()

    run = world.import_now()

    assert (run.cut_end, world.rows(run)) == (12, {(DC, SKU): 9})
    assert world.hold_kinds(STORE) == ["inventory_master"]
    assert world.newstore_model.imports_into_master == []


def test_the_map_creates_a_location_once_and_explicitly() -> None:
    world = ImportWorld(DC, known=())
    world.stock(10)
    assert world.import_now().state is RunState.HELD

    world.put_location(DC, create=True)
    world.import_now()
    assert (world.newstore_model.created_locations, world.on_hand()) == ([DC], 10)

    del world.newstore_model.locations.by_id[DC]  # it may take a day to show
    world.stock(11)
    world.import_now()
    assert (world.on_hand(), world.location_store.holds()) == (11, {})


def test_a_location_that_is_off_is_imported_like_any_other() -> None:
    world = ImportWorld()
    world.newstore_model.locations.add(store(DC, is_enabled=False))
    world.stock(10)

    assert world.import_now().state is RunState.FINALIZED
    assert (world.on_hand(), world.atp(), world.location_store.holds()) == (10, 0, {})
