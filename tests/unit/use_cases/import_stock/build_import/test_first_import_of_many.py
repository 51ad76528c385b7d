"""Build: the first import of a chain that one invocation cannot read, with events everywhere."""

import pytest

from tests.unit.use_cases.import_world import ImportWorld

READ_SECONDS = 100.0
PLACES = tuple(f"S{number:02d}" for number in range(12))


def chain(*, reads_at_once: int = 1) -> ImportWorld:
    """Ten units everywhere, of which one was completed and settled before the first import."""
    world = ImportWorld(*PLACES, reads_at_once=reads_at_once)
    world.erp.on_read = lambda _: spend(world)
    for number, place in enumerate(PLACES, start=1):
        world.stock(10, at=place)
        world.ship(number, at=place)
    world.forward()
    world.settle()
    return world


def spend(world: ImportWorld) -> None:
    world.seconds_left -= READ_SECONDS


def run_once(world: ImportWorld) -> int:
    """One invocation of 15 minutes; how many locations NewStore has been told of by then."""
    world.seconds_left = 900.0
    world.import_now()
    finished = world.runs.head().finished_run_id
    return len(world.files.manifest(finished).locations) if finished else 0


@pytest.mark.parametrize("reads_at_once", [1, 4])
def test_every_invocation_brings_some_locations_in(reads_at_once: int) -> None:
    world = chain(reads_at_once=reads_at_once)

    told = [run_once(world) for _ in range(6)]

    assert told == sorted(told)
    assert 0 < told[0] < len(PLACES)
    assert told[-1] == len(PLACES)


def test_the_cut_end_stays_below_the_events_of_those_that_are_not_in_yet() -> None:
    world = chain()

    for _ in range(6):
        told, end = run_once(world), world.runs.head().watermark
        assert end is not None
        assert end <= told

    assert world.runs.head().watermark == len(PLACES)
    for place in PLACES:
        assert (world.on_hand(at=place), world.unreleased(at=place)) == (9, 0)


def test_no_location_promises_more_than_it_has_meanwhile() -> None:
    world = chain()

    for _ in range(6):
        told = run_once(world)
        assert [world.atp(at=place) for place in PLACES[:told]] == [9] * told


def test_a_chain_that_can_be_read_in_half_the_time_releases_at_once() -> None:
    world = ImportWorld(*PLACES[:4])
    world.erp.on_read = lambda _: spend(world)
    for number, place in enumerate(PLACES[:4], start=1):
        world.stock(10, at=place)
        world.ship(number, at=place)
    world.forward()
    world.settle()

    assert run_once(world) == 4
    assert world.runs.head().watermark == 4
