"""docs/scale.md says what the model computes, and the model does what the import's code does."""

import json
import math

import pytest

from tests.unit.use_cases.import_world import ImportWorld
from tools.scale.__main__ import SCALE, replace_table
from tools.scale.chain import Chain
from tools.scale.figures import figure_table
from tools.scale.load import Load
from tools.scale.measured import FigureMissingError, Measured, read_measured
from tools.scale.runs import Throughput, first_import, simulate
from tools.scale.standing import standing, standing_dollars
from tools.scale.tables import cost_table, fan_out_table, standing_table, work_table

READ_SECONDS = 100.0
SPARE_SECONDS = 120.0


@pytest.mark.parametrize("table", [work_table, cost_table, fan_out_table])
def test_the_tables_are_those_of_the_model(table: object) -> None:
    rows = table(read_measured())  # type: ignore[operator]

    assert "\n".join(rows) in SCALE.read_text(encoding="utf-8")


@pytest.mark.parametrize("page", ["README.md", "docs/design.md", "docs/scale.md"])
def test_the_events_a_second_that_a_location_bears_are_those_of_its_partition(page: str) -> None:
    """DynamoDB's 1,000 write units; of an event's own one is the requests table's."""
    units = read_measured()("write units of an event (items_completed), stored to closed", "units")
    events = 1_000 / (units - 1)

    text = (SCALE.parents[1] / page).read_text(encoding="utf-8")
    assert f"ome {math.floor(events / 10) * 10} events a second" in text


def test_what_stands_is_counted_and_stays_below_25_dollars() -> None:
    assert "\n".join(standing_table()) in SCALE.read_text(encoding="utf-8")
    assert all(item.number for item in standing())
    assert standing_dollars() < 25


def told_by_the_code(places: int, *, archive_bytes: int = 400_000_000) -> list[int]:
    """How many locations NewStore was told of after each run of a first import."""
    names = tuple(f"S{number:02d}" for number in range(places))
    world = ImportWorld(*names, archive_bytes=archive_bytes)

    def spend(_: str) -> None:
        world.seconds_left -= READ_SECONDS

    world.erp.on_read = spend
    for number, place in enumerate(names, start=1):
        world.stock(10, at=place)
        world.ship(number, at=place)
    world.forward()
    world.settle()
    told: list[int] = []
    while not told or told[-1] < places:
        world.seconds_left = 900.0
        world.import_now()
        told.append(sum(world.on_hand(at=place) > 0 for place in names))
        assert len(told) <= places
    return told


@pytest.mark.parametrize("places", [1, 4, 5, 8, 12, 13])
def test_a_first_import_takes_as_many_runs_as_the_model_says(places: int) -> None:
    pace = Throughput(
        locations=places,
        read_seconds=READ_SECONDS,
        archive_locations=1000,
        reading_seconds=900.0 - SPARE_SECONDS,
    )

    assert told_by_the_code(places) == first_import(pace)


@pytest.mark.parametrize("places", [3, 6])
def test_so_it_does_where_an_archive_takes_no_more(places: int) -> None:
    pace = Throughput(
        locations=places,
        read_seconds=READ_SECONDS,
        archive_locations=3,
        reading_seconds=900.0 - SPARE_SECONDS,
    )

    assert told_by_the_code(places, archive_bytes=215) == first_import(pace)


def test_what_is_read_in_one_run_is_as_old_as_the_time_between_two() -> None:
    course = simulate(Throughput(locations=10, read_seconds=1.0, archive_locations=1000))

    assert course.period_seconds == 300
    assert 300 <= course.oldest_seconds <= 310
    assert course.full_days == 1


def test_what_is_not_read_in_one_run_waits_for_the_next() -> None:
    course = simulate(Throughput(locations=100, read_seconds=10.0, archive_locations=1000))

    assert course.period_seconds == 900
    assert 900 < course.oldest_seconds <= 1900


def test_a_full_refresh_goes_on_with_the_runs_after() -> None:
    for read_seconds, archive_locations in ((0.1, 30), (10.0, 5)):
        course = simulate(
            Throughput(
                locations=100, read_seconds=read_seconds, archive_locations=archive_locations
            )
        )
        assert course.full_days == 1


def test_a_full_refresh_of_a_large_chain_takes_days() -> None:
    course = simulate(Throughput(locations=100, read_seconds=0.1, archive_locations=0))
    slow = simulate(Throughput(locations=250, read_seconds=400.0, archive_locations=2))

    assert course.full_days == math.inf
    assert slow.full_days == 2


def test_a_pace_at_which_nothing_is_read_is_refused() -> None:
    with pytest.raises(ArithmeticError, match="stalls"):
        first_import(Throughput(locations=2, read_seconds=1.0, archive_locations=0))


def test_a_busier_chain_costs_more_of_everything() -> None:
    measured = read_measured()
    quiet, busy = (Load(Chain(locations=10, requests_a_day=n), measured) for n in (10, 1000))

    assert busy.hot_writes_a_second > 50 * quiet.hot_writes_a_second
    assert busy.open_events_megabytes > 50 * quiet.open_events_megabytes
    assert busy.ledgers_a_day > quiet.ledgers_a_day


def test_a_figure_is_found_by_name_and_unit() -> None:
    measured = Measured("| a | 1,234.5 us CPU | 2 us CPU | 3 | 4 | yes |\n| b | 7 MB | | | | |")

    assert measured("a", "us CPU") == 1234.5
    assert measured("b", "MB") == 7
    for name, unit in (("a", "MB"), ("c", "MB")):
        with pytest.raises(FigureMissingError, match=name):
            measured(name, unit)


def test_a_line_of_the_benchmarks_says_what_was_not_met() -> None:
    one: dict[str, object] = {"name": "x", "value": 3000.4, "unit": "MB", "goal": 2, "met": False}
    two = {**one, "value": 0.123456, "goal": None, "met": None}
    entries = [
        {**one, "baseline": 1, "ratio": 3000.4},
        {**two, "baseline": None, "ratio": None},
    ]

    _, _, missed, plain = figure_table(json.dumps(entries))

    assert missed == "| x | 3,000 MB | 1 MB | 3e+03 | 2 | **no** |"
    assert plain == "| x | 0.1235 MB |  |  |  |  |"


def test_a_table_is_replaced_between_its_marks(tmp_path: object) -> None:
    path = tmp_path / "doc.md"  # type: ignore[operator]
    path.write_text("a\n<!-- t: begin -->\nold\n<!-- t: end -->\nz\n")

    replace_table(path, "t", ["| new |"])

    assert path.read_text() == "a\n<!-- t: begin -->\n| new |\n<!-- t: end -->\nz\n"
    with pytest.raises(ValueError, match="no marks for u"):
        replace_table(path, "u", [])
