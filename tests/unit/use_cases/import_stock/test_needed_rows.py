"""Where NewStore takes a shipped unit off at once, an import sends a row only if it has to."""

from dataclasses import replace

import pytest

from inventory_sync.adapters.newstore.event_body import parse_event
from inventory_sync.domain.errors import RetriableError
from inventory_sync.domain.events import FulfillmentEvent
from inventory_sync.domain.import_run import ImportRun
from inventory_sync.domain.reading import ReleaseReading
from local.newstore.events import event_bytes
from local.newstore.truth import Release
from tests.builders import DC, HOUR, MINUTE, SKU
from tests.unit.use_cases.import_world import TENANT, ImportWorld

RANGE, IMMEDIATE = ReleaseReading.RANGE, ReleaseReading.IMMEDIATE
FIND_OUT = ReleaseReading.FIND_OUT
OTHER = "OTHER"


def shop(release: Release = "immediate", reading: ReleaseReading = IMMEDIATE) -> ImportWorld:
    """Ten of a product and twenty of another, imported."""
    world = ImportWorld(DC)
    world.newstore_model.release = release
    world.build_settings = replace(world.build_settings, reading=reading)
    world.stock(10)
    world.stock(20, OTHER)
    world.import_now()
    world.clock.advance(MINUTE)
    return world


def test_a_unit_that_shipped_sends_no_row() -> None:
    world = shop()
    world.ship(10)
    world.forward()
    world.settle()

    run = world.import_now()

    assert run.cut_end == 10
    assert SKU not in sent(world, run)
    assert world.atp() == 9


def test_nothing_is_added_back_and_nothing_taken_off_twice_however_the_erp_lags() -> None:
    world = shop()
    world.ship(10)
    world.settle()
    before = world.import_now()
    world.forward()
    after = world.import_now()

    assert SKU not in {**sent(world, before), **sent(world, after)}
    assert world.atp() == 9


def test_what_the_erp_counts_otherwise_is_sent_less_what_shipped() -> None:
    world = shop()
    world.ship(10)
    world.erp_model.receive((DC, SKU), 5)

    run = world.import_now()

    assert sent(world, run)[SKU] == 14
    assert world.atp() == 14


@pytest.mark.parametrize("forwarded", [True, False])
def test_a_unit_that_a_job_crossed_is_put_right_by_the_next_import(forwarded: bool) -> None:
    world = shop()
    world.erp_model.receive((DC, SKU), 5)
    world.newstore_model.jobs.job_seconds = 120
    run = world.tick().run
    assert run is not None
    assert not run.ended
    world.newstore_model.jobs.job_seconds = 0
    world.ship(10)
    world.clock.advance(3 * MINUTE)
    world.import_now()
    assert world.atp() == 15, "the job has overwritten what NewStore took off"
    if forwarded:
        world.forward()

    crossed = world.import_now()

    assert sent(world, crossed)[SKU] == 14
    assert world.atp() == 14
    assert SKU not in sent(world, world.import_now()), "it is put right once"


def test_what_crossed_a_job_is_put_right_where_the_map_names_another_node_by_then() -> None:
    world = shop()
    world.erp_model.receive((DC, SKU), 5)
    world.newstore_model.jobs.job_seconds = 120
    world.tick()
    world.newstore_model.jobs.job_seconds = 0
    world.ship(10)
    world.clock.advance(3 * MINUTE)
    world.import_now()
    world.put_location(DC, fulfillment_node_id="mistyped")

    run = world.import_now()

    assert run.left_out
    assert world.atp() == 14


def test_a_unit_whose_event_came_after_two_more_imports_was_crossed_all_the_same() -> None:
    world = shop()
    world.erp_model.receive((DC, SKU), 5)
    event = world.ship(10, delivered=False)
    world.import_now()
    world.import_now()
    assert world.atp() == 15
    world.deliver(event)

    world.import_now()

    assert world.atp() == 14


def test_a_unit_whose_event_came_when_the_job_it_crossed_was_long_over_is_put_right() -> None:
    """Simulation seed 21416: two units stayed on sale for ever."""
    world = shop()
    world.erp_model.receive((DC, SKU), 5)
    event = world.ship(10, delivered=False)
    world.import_now()
    world.clock.advance(2 * HOUR)
    world.erp_model.receive((DC, OTHER), 1)
    world.import_now()
    assert world.atp() == 15
    world.deliver(event)

    world.import_now()

    assert world.atp() == 14
    assert SKU not in sent(world, world.import_now()), "it is put right once"


def test_a_job_is_remembered_for_units_that_a_slow_one_after_it_could_not_know_of() -> None:
    """Simulation seed 21794: the second job took an hour, and nothing was left of the first."""
    world = shop()
    world.erp_model.receive((DC, SKU), 5)
    event = world.ship(10, delivered=False)
    world.import_now()
    world.clock.advance(6 * MINUTE)
    world.erp_model.receive((DC, OTHER), 1)
    world.newstore_model.jobs.job_seconds = 4200
    world.tick()
    world.newstore_model.jobs.job_seconds = 0
    world.deliver(event)
    world.clock.advance(71 * MINUTE)
    world.import_now()
    assert world.atp() == 15

    world.import_now()

    assert world.atp() == 14


def test_a_row_that_newstore_has_taken_below_nothing_is_brought_back_to_nothing() -> None:
    world = shop()
    world.stock(1)
    world.import_now()
    world.clock.advance(MINUTE)
    world.ship(10, SKU, SKU, SKU)
    assert world.on_hand() == -2

    assert sent(world, world.import_now())[SKU] == 0

    world.forward()
    world.erp_model.receive((DC, SKU), 2)
    world.import_now()
    assert world.atp() == 0


def test_a_row_without_a_unit_that_was_counted_before_is_sent_once_that_is_known() -> None:
    """Simulation seed 23671: an event that was not forwarded listed a unit again. The ledger was a
    unit below NewStore, and what the ERP showed next was none for both."""
    world = shop()
    world.stock(2)
    world.import_now()
    world.clock.advance(MINUTE)
    world.newstore_model.cumulative_events = True
    world.newstore_model.assign("ff", "order", DC, [("a", SKU), ("b", OTHER)])
    complete(world, "a", 10)
    world.forward()
    world.clock.advance(MINUTE)
    world.settle()
    world.import_now()
    world.import_now()
    assert not list(world.event_log.open_events())
    complete(world, "b", 20)

    assert SKU not in sent(world, world.import_now())
    assert world.atp() == 1
    world.forward()
    world.erp_model.sell_at_counter((DC, SKU), 1)
    world.import_now()

    assert world.atp() == 0


def complete(world: ImportWorld, item_id: str, logical_timestamp: int) -> None:
    """The event lists what its request shipped before, too."""
    raw = world.newstore_model.complete("ff", [item_id], logical_timestamp=logical_timestamp)
    event = parse_event(event_bytes(raw), TENANT)
    assert isinstance(event, FulfillmentEvent)
    world.deliver(event)


def test_a_full_refresh_leaves_out_a_row_of_which_a_unit_has_just_left() -> None:
    world = shop()

    def ship(location_id: str) -> None:
        world.ship(10)

    world.erp.on_read = ship
    run = world.import_now(full=True)
    world.erp.on_read = lambda location_id: None
    assert (SKU in sent(world, run), OTHER in sent(world, run)) == (False, True)

    world.clock.advance(6 * MINUTE)
    assert SKU in sent(world, world.import_now(full=True))
    assert world.atp() == 9


def test_a_switch_sends_every_row_once_and_takes_no_unit_off_twice() -> None:
    world = shop("range", RANGE)
    world.ship(10)
    world.forward()
    world.import_now()
    assert world.on_hand() == 10, "added back: the unit left after the range"
    world.newstore_model.release = "immediate"
    world.build_settings = replace(world.build_settings, reading=IMMEDIATE)

    switched = world.import_now()

    assert sent(world, switched)[SKU] == 9
    assert OTHER in sent(world, switched)
    world.import_now()
    assert sent(world, world.import_now()) == {}


def test_a_switch_back_sends_every_row_since_some_were_left_to_newstore() -> None:
    world = shop()
    world.ship(10)
    world.forward()
    world.settle()
    world.import_now()
    world.build_settings = replace(world.build_settings, reading=FIND_OUT)

    run = world.import_now()

    assert sent(world, run) == {SKU: 9, OTHER: 20}


def test_a_unit_that_crossed_the_one_row_of_a_range_is_put_right_too() -> None:
    world = shop()
    world.ship(10, OTHER)
    world.settle()
    world.newstore_model.jobs.job_seconds = 120
    run = world.tick().run
    assert run is not None
    assert sent(world, run) == {SKU: 10}, "a range is not sent without a row"
    world.newstore_model.jobs.job_seconds = 0
    world.ship(11)
    world.clock.advance(3 * MINUTE)
    world.import_now()
    assert world.atp() == 10

    world.import_now()

    assert world.atp() == 9


def test_a_held_location_sends_no_row_for_what_newstore_has_taken_off_itself() -> None:
    world = shop()
    world.ship(10)
    world.erp.shown[DC] = RetriableError("503")
    world.settle()

    run = world.import_now()

    assert run.left_out
    assert SKU not in sent(world, run)
    assert world.atp() == 9


def test_a_held_location_too_is_brought_back_to_nothing() -> None:
    """Simulation seed 20665: the ledger had it below nothing by then, and no import sent it."""
    world = shop()
    world.stock(1)
    world.import_now()
    world.clock.advance(MINUTE)
    world.ship(10, SKU, SKU, SKU)
    world.erp.shown[DC] = RetriableError("503")

    run = world.import_now()

    assert run.left_out
    assert (world.on_hand(), sent(world, run)[SKU]) == (0, 0)


def test_what_a_held_location_is_without_is_told_while_the_reading_is_not_known() -> None:
    """Simulation seed 20496: what only the ledger knew stayed on sale when the row did not move."""
    world = shop("range", FIND_OUT)
    world.ship(10)
    world.erp.shown[DC] = RetriableError("503")

    run = world.import_now()

    assert (run.left_out, run.cut_end) == ({DC: "the ERP could not be read: 503"}, 0)
    assert sent(world, run) == {SKU: 9}
    assert sent(world, world.import_now()) == {}


def sent(world: ImportWorld, run: ImportRun) -> dict[str, int]:
    """Units by product."""
    if not run.source_uri:
        return {}
    return {product: units for (_, product), units in world.rows(run).items()}
