"""How the benchmarks count, and that what they measure still runs."""

from functools import partial

import pytest

from tests.bench.__main__ import main, tell
from tests.bench.measuring import Figure, in_a_process, interleaved, medians, percentile


@pytest.mark.parametrize(
    ("value", "baseline", "goal", "met"),
    [
        (115.0, 100.0, 1.15, True),
        (116.0, 100.0, 1.15, False),
        (0.0, None, 0, True),
        (1.0, None, 0, False),
        (116.0, 100.0, None, None),
    ],
)
def test_a_goal_is_for_the_ratio_where_there_is_a_baseline(
    value: float, baseline: float | None, goal: float | None, met: bool | None
) -> None:
    figure = Figure(name="x", value=value, unit="ms", baseline=baseline, goal=goal)

    assert figure.met is met
    assert figure.entry()["met"] is met
    assert ("NOT MET" in tell(figure)) is (met is False)


def test_ways_take_turns() -> None:
    order: list[str] = []

    interleaved({name: partial(order.append, name) for name in "ab"}, 2)

    assert order == ["a", "b", "a", "b"]


def test_each_figure_has_its_own_median() -> None:
    runs = [{"cpu": 3.0, "peak": 1.0}, {"cpu": 1.0, "peak": 3.0}, {"cpu": 2.0, "peak": 9.0}]

    assert medians(runs) == {"cpu": 2.0, "peak": 3.0}


@pytest.mark.parametrize(("share", "value"), [(0.5, 50), (0.99, 99), (1.0, 100)])
def test_a_percentile_is_a_value_that_was_measured(share: float, value: int) -> None:
    assert percentile(list(range(100, 0, -1)), share) == value


def test_an_unknown_section_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["speed"]) == 2

    said = capsys.readouterr().err
    assert "speed" in said
    assert "cold_start" in said


@pytest.mark.slow
@pytest.mark.sweep(sample=2)
@pytest.mark.parametrize(
    ("way", "rows"),
    [
        ("usual", 20_000),
        ("floor", 20_000),
        ("full", 20_000),
        ("delta", 1_500),
        ("feed", 1_500),
        ("pages", 20_000),
        ("open_events", 20_000),
    ],
)
def test_every_way_sends_or_reads_the_rows_it_says(way: str, rows: int) -> None:
    assert in_a_process("tests.bench.builds", way, 20_000)["rows"] == rows
