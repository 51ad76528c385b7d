"""A location with more rows than one archive takes: they go out in several jobs."""

from inventory_sync.domain.import_run import ImportRun
from tests.builders import DC
from tests.unit.use_cases.import_world import ImportWorld, started

PRODUCTS = [f"P{number}" for number in range(7)]
THREE_ROWS = 250
"""Bytes: a row of these takes 62."""


def with_stock(archive_bytes: int = THREE_ROWS) -> ImportWorld:
    """Ten of each product, and nothing imported yet."""
    world = ImportWorld(DC, archive_bytes=archive_bytes)
    for product in PRODUCTS:
        world.stock(10, product)
    return world


def products(world: ImportWorld, run: ImportRun) -> list[str]:
    return sorted(product for _, product in world.rows(run))


def told(world: ImportWorld) -> list[int]:
    return [world.on_hand(product) for product in PRODUCTS]


def test_a_location_goes_out_in_as_many_jobs_as_it_takes() -> None:
    world = with_stock()

    runs = [world.import_now() for _ in range(4)]

    assert [products(world, run) for run in runs[:3]] == [PRODUCTS[:3], PRODUCTS[3:6], PRODUCTS[6:]]
    assert (runs[3].rows, [run.rows_left for run in runs]) == (0, [4, 1, 0, 0])
    assert told(world) == [10] * 7


def test_rows_that_a_range_needs_go_out_though_the_archive_is_full() -> None:
    world = with_stock()
    world.import_now()
    world.ship(10, "P6")
    world.settle()

    run = world.import_now()

    assert "P6" in products(world, run)
    assert world.unreleased("P6") == 0
    assert world.runs.head().watermark == 10


def test_what_ships_while_its_row_still_waits_is_not_taken_off_twice() -> None:
    world = with_stock()
    world.import_now()
    world.ship(10, "P6")
    world.settle()
    world.import_now()
    world.forward()
    for _ in range(3):
        world.import_now()

    assert told(world) == [10] * 6 + [9]
    assert world.atp("P6") == 9


def test_a_row_that_changes_while_it_waits_goes_out_as_it_is_then() -> None:
    world = with_stock()
    world.import_now()
    world.stock(4, "P5")

    world.import_now()
    world.import_now()

    assert told(world) == [10, 10, 10, 10, 10, 4, 10]


def test_a_row_that_the_erp_stops_listing_while_it_waits_is_sent_as_none_in_the_end() -> None:
    world = with_stock(archive_bytes=100_000)
    world.import_now()
    world.build_settings = world.with_archive(THREE_ROWS)
    for product in PRODUCTS:
        world.stock(0, product)
    world.approve("snapshot_empty")

    for _ in range(4):
        world.import_now()

    assert told(world) == [0] * 7


def test_what_has_changed_goes_before_what_is_only_repeated() -> None:
    world = with_stock(archive_bytes=100_000)
    world.import_now()
    world.build_settings = world.with_archive(THREE_ROWS)
    world.stock(3, "P6")

    run = world.import_now(full=True)

    assert products(world, run) == ["P0", "P1", "P6"]
    assert run.rows_left == 4


def test_a_full_refresh_goes_on_where_the_archive_was_full() -> None:
    world = with_stock(archive_bytes=100_000)
    world.import_now()
    world.build_settings = world.with_archive(THREE_ROWS)

    runs = [world.import_now(full=True), *(world.import_now() for _ in range(3))]

    assert [products(world, run) for run in runs[:3]] == [PRODUCTS[:3], PRODUCTS[3:6], PRODUCTS[6:]]
    assert runs[3].rows == 0


def test_an_operator_s_hold_does_not_end_a_refresh() -> None:
    world = with_stock()
    world.import_now()
    world.hold(DC)
    world.import_now()
    world.resume(DC)

    run = world.import_now()

    assert products(world, run) == PRODUCTS[3:6]


def test_rows_of_a_failed_import_of_a_part_are_sent_again() -> None:
    world = with_stock()
    world.newstore_model.jobs.fail_next_job()
    world.import_now()

    for _ in range(4):
        world.import_now()

    assert told(world) == [10] * 7


def test_a_feed_does_not_take_rows_that_wait_for_rows_that_are_known() -> None:
    world = ImportWorld(DC, archive_bytes=THREE_ROWS, change_feed="sequence")
    for product in PRODUCTS:
        world.stock(10, product)

    for _ in range(4):
        world.import_now()

    assert told(world) == [10] * 7


def test_other_locations_are_not_held_up_by_a_large_one() -> None:
    world = started(DC, "S1", archive_bytes=100_000)
    for product in PRODUCTS:
        world.stock(10, product)
    world.build_settings = world.with_archive(THREE_ROWS)
    world.stock(7, at="S1")

    for _ in range(4):
        world.import_now()

    assert world.on_hand(at="S1") == 7
    assert told(world) == [10] * 7
