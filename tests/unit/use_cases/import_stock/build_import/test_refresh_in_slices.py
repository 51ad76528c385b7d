"""A full refresh of a chain that no archive takes: it fills what room each import has left."""

from collections import Counter
from itertools import chain as chain_of

from inventory_sync.domain.refresh import RefreshProgress
from tests.unit.use_cases.import_world import ImportWorld, started

PLACES = [f"S{number}" for number in range(6)]
THREE_ROWS = 260
"""Bytes of an archive whose four fifths take three of these rows; one more may have changed."""


def chain(archive_bytes: int = THREE_ROWS) -> ImportWorld:
    """All locations are imported, ten of one product each."""
    world = started(*PLACES)
    world.build_settings = world.with_archive(archive_bytes)
    return world


def sent(world: ImportWorld, *, full: bool = False) -> list[str]:
    """The locations of which the next import sends a row."""
    run = world.import_now(full=full)
    return sorted(place for place, _ in world.rows(run)) if run.rows else []


def progress(world: ImportWorld) -> RefreshProgress:
    manifest = world.files.manifest(str(world.runs.head().finished_run_id))
    return RefreshProgress.of(manifest, PLACES, world.clock.now())


def test_each_import_takes_the_next_slice_until_all_have_been_in_it() -> None:
    world = chain()

    slices = [sent(world, full=True), *(sent(world) for _ in range(3))]

    assert list(chain_of(*slices)) == PLACES
    assert max(map(len, slices)) < len(PLACES)
    assert progress(world).done


def test_what_has_changed_goes_out_at_once_whoever_s_turn_it_is() -> None:
    world = chain()
    world.stock(4, at="S5")

    first = sent(world, full=True)

    assert "S5" in first
    assert world.on_hand(at="S5") == 4


def test_the_next_refresh_begins_with_those_that_the_last_one_did_not_reach() -> None:
    """As it is where a refresh takes longer than a day: each location has its turn all the same."""
    world = chain()

    turns = Counter(place for _ in range(6) for place in sent(world, full=True))

    assert set(turns) == set(PLACES)
    assert max(turns.values()) - min(turns.values()) <= 1


def test_a_location_that_cannot_be_read_does_not_hold_up_the_refresh() -> None:
    world = chain()
    world.hold("S0")
    world.hold("S1")
    world.hold("S2")

    slices = [sent(world, full=True), sent(world)]

    assert list(chain_of(*slices)) == ["S3", "S4", "S5"]
    assert progress(world).refreshed == 3
    for place in ("S0", "S1", "S2"):
        world.resume(place)
    assert [*sent(world), *sent(world)] == ["S0", "S1", "S2"]


def test_a_slice_of_an_import_that_failed_is_sent_again() -> None:
    world = chain()
    world.newstore_model.jobs.fail_next_job()
    failed = world.import_now(full=True)

    slices = [sent(world, full=True), *(sent(world) for _ in range(3))]

    assert failed.failure
    assert set(chain_of(*slices)) == set(PLACES)
    assert progress(world).done


def test_progress_of_a_first_import_counts_those_that_are_in() -> None:
    world = started(*PLACES, archive_bytes=THREE_ROWS)

    first = progress(world)
    while not progress(world).done:
        world.import_now()

    assert 0 < first.first < len(PLACES)
    assert first.time_left is not None
    assert [world.on_hand(at=place) for place in PLACES] == [10] * 6
