"""The watermark moves back where nothing open may be released above it, and nowhere else."""

from collections.abc import Callable

import pytest

from inventory_sync.domain.errors import RejectedError
from inventory_sync.domain.import_run import RunState
from tests.builders import DC, HOUR, MINUTE, SKU, STORE
from tests.unit.use_cases.import_world import ImportWorld

FAR = 900_000
"""By mistake, and not so far that the cut would stay below: past it every event is late."""


def imported(*timestamps: int) -> ImportWorld:
    """A world whose events are applied, released and done with."""
    world = ImportWorld(DC, STORE)
    for place in world.places:
        world.stock(50, at=place)
    world.import_now()
    for timestamp in timestamps:
        world.ship(timestamp)
    world.forward()
    world.settle()
    world.import_now()
    return world


def test_the_next_import_releases_from_there_once_more() -> None:
    world = imported(3, 7)
    world.ship(8)
    world.settle()

    before = world.watermark()(3)
    run = world.import_now()

    assert (before.value, world.sent(run)[0].released) == (7, (3, 8))
    assert (world.on_hand(), world.unreleased(), world.atp()) == (47, 0, 47)
    assert world.runs.head().watermark == 8


def test_a_watermark_that_ran_away_is_brought_back_and_new_events_are_not_late() -> None:
    world = imported(3, FAR)
    world.clock.advance(HOUR)
    world.ship(5)
    world.settle()

    world.watermark()(4)
    world.import_now()

    assert world.runs.head().watermark == 5
    assert world.observer.counts["LateEvents"] == 0
    assert (world.on_hand(), world.unreleased()) == (47, 0)


def test_it_stays_above_events_that_are_released_and_not_applied_yet() -> None:
    """Counted and open: with a lower end they would be added back once they are applied."""
    world = imported(3)
    world.ship(7)
    world.settle()
    world.import_now()

    shown = world.watermark().show()
    with pytest.raises(RejectedError, match="event 7 of DC01 is open"):
        world.watermark()(6)

    assert shown is not None
    assert (shown.value, shown.lowest) == (7, 7)
    assert world.runs.head().watermark == 7


def test_it_stays_above_events_that_the_last_job_may_have_released_unseen() -> None:
    """They were delivered after the run had read the events, and published before its job ended."""
    world = imported(3, FAR)
    world.clock.advance(-7 * MINUTE)
    world.ship(5)
    world.clock.advance(7 * MINUTE)

    with pytest.raises(RejectedError, match="event 5 of DC01 is open"):
        world.watermark()(4)
    world.watermark()(5)

    assert world.runs.head().watermark == 5


def test_an_event_that_came_since_is_no_hindrance() -> None:
    world = imported(3, FAR)
    world.clock.advance(HOUR)
    world.ship(5)

    assert world.watermark()(4).value == FAR


@pytest.mark.parametrize("value", [7, 8])
def test_it_is_never_moved_ahead(value: int) -> None:
    with pytest.raises(RejectedError, match="imports alone move it forward"):
        imported(3, 7).watermark()(value)


def test_before_the_first_import_there_is_none() -> None:
    world = ImportWorld()

    assert world.watermark().show() is None
    with pytest.raises(RejectedError, match="FIRST_LOGICAL_TIMESTAMP"):
        world.watermark()(0)


def tick_at_work(world: ImportWorld) -> None:
    world.take_lease()


def run_under_way(world: ImportWorld) -> None:
    world.stock(45)
    world.newstore_model.jobs.job_seconds = 600
    world.tick()


def rows_in_doubt(world: ImportWorld) -> None:
    world.ship(8)
    world.settle()
    world.newstore_model.jobs.fail_next_job(1)
    assert world.import_now().state is RunState.FAILED


@pytest.mark.parametrize(
    ("happens", "told"),
    [
        (tick_at_work, "tick is at work"),
        (run_under_way, "STARTED"),
        (rows_in_doubt, "are to be sent again"),
    ],
)
def test_it_waits_for_imports_that_are_not_over(
    happens: Callable[[ImportWorld], None], told: str
) -> None:
    world = imported(3, 7)
    happens(world)

    with pytest.raises(RejectedError, match=told):
        world.watermark()(3)

    assert world.runs.head().watermark == 7


def test_the_lease_is_given_back_either_way() -> None:
    world = imported(3, 7)
    with pytest.raises(RejectedError):
        world.watermark()(9)
    world.watermark()(3)

    assert world.take_lease() is not None
    assert world.on_hand(SKU) == 48
