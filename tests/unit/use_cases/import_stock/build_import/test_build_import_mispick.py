"""A unit that was not found, from NewStore's event to the end of its row's hold."""

from datetime import timedelta

from inventory_sync.domain.events import FulfillmentEvent
from tests.builders import DC, SKU
from tests.unit.use_cases.import_world import ImportWorld

KEY = (DC, SKU)


def mispicked(units: int = 3) -> tuple[ImportWorld, FulfillmentEvent]:
    """One import has seen it, and said 0."""
    world = ImportWorld()
    world.stock(units)
    world.stock(9, "SKU-2")
    world.import_now()
    event = world.mispick()
    world.forward()
    world.import_now()
    return world, event


def test_its_row_is_held_at_0_until_the_erp_is_counted() -> None:
    world, event = mispicked()
    assert (world.atp(), world.is_open(event)) == (0, True)
    assert world.import_now(full=True).rows == 1
    assert world.atp() == 0

    world.stock(2)
    world.import_now()

    assert (world.atp(), world.is_open(event)) == (2, False)


def test_a_log_line_says_how_many_are_in_force() -> None:
    world, _ = mispicked()

    [figures] = [found for message, found in world.observer.notes if "mispick" in message]
    assert (figures["location_id"], figures["rows"], figures["units"]) == (DC, 1, 1)


def test_a_shipped_unit_does_not_end_it_and_is_released_with_a_row_of_0() -> None:
    world, event = mispicked()
    world.ship(50)
    world.forward()
    world.settle()

    run = world.import_now()

    assert world.rows(run) == {KEY: 0}
    assert (world.unreleased(), world.atp(), world.is_open(event)) == (0, 0, True)


def test_an_import_that_was_under_way_does_not_raise_it_for_long() -> None:
    world = ImportWorld()
    world.stock(3)
    world.import_now()
    world.stock(4)
    world.newstore_model.jobs.job_seconds = 400
    world.tick()
    world.mispick()
    world.tick()
    world.tick()
    world.newstore_model.jobs.job_seconds = 0
    assert world.atp() == 4

    world.import_now()

    assert world.atp() == 0


def test_an_operator_who_found_it_has_the_row_sent_again() -> None:
    world, event = mispicked()
    world.ask_resend(SKU, at=DC)

    world.import_now()

    assert (world.atp(), world.is_open(event)) == (3, False)


def test_the_row_moves_again_from_its_end_on_though_its_event_is_not_forwarded_yet() -> None:
    """The count was seen once: the import after it held the row again, and it stayed as it was."""
    world = ImportWorld()
    world.stock(3)
    world.stock(9, "SKU-2")
    world.import_now()
    event = world.mispick()
    world.import_now()
    world.stock(2)
    world.import_now()
    assert (world.atp(), world.is_open(event)) == (2, True)

    world.stock(4)
    world.import_now()

    assert world.atp() == 4
    world.forward()
    world.import_now()
    assert not world.is_open(event)


def test_it_ends_after_a_day() -> None:
    world, event = mispicked()
    world.clock.advance(timedelta(hours=24))

    world.import_now()

    assert (world.atp(), world.is_open(event)) == (3, False)


def test_where_much_is_left_one_lost_unit_takes_no_row_off_sale() -> None:
    world, _ = mispicked(500)

    assert world.atp() == 499


def test_one_of_a_location_that_is_not_imported_waits_for_no_import() -> None:
    world = ImportWorld(DC, "NYC")
    world.stock(3)
    world.put_location("NYC", enabled=False)
    event = world.mispick(at="NYC")
    world.forward()

    world.import_now()

    assert not world.is_open(event)
