"""`make demo`: the stories end as they say, and whoever says otherwise is told so."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from local.demo import GUIDE_EXAMPLE, main

SCENARIOS = GUIDE_EXAMPLE.parent
FILES = sorted(path.name for path in SCENARIOS.glob("*.json"))
AS_EXPECTED = "As expected, after every step."

STORY: dict[str, Any] = {
    "title": "One unit",
    "why": ["5 - 1 = 4"],
    "locations": [{"location": "DC01"}],
    "stock": [{"location": "DC01", "product": "SKU-1", "units": 5}],
    "steps": [{"do": "order", "request": "ff1"}, {"do": "ship", "request": "ff1"}],
    "expect": {"erp_on_hand": 4},
}


def play(tmp_path: Path, **changes: Any) -> int:
    """The exit code of the little story above, changed."""
    file = tmp_path / "story.json"
    file.write_text(json.dumps({**STORY, **changes}))
    return main([str(file)], tmp_path / "out")


def test_the_guide_s_example_comes_out_as_newstore_documents_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([], tmp_path) == 0

    assert AS_EXPECTED in capsys.readouterr().out
    assert json.loads((tmp_path / "summary.json").read_text()) == {
        "imported_quantity": 17,
        "range_start": 10,
        "range_end": 12,
        "newstore_on_hand": 17,
        "newstore_open_allocations": 1,
        "newstore_atp": 16,
        "erp_on_hand": 17,
        "events_stored": 7,
    }


@pytest.mark.sweep(sample=1)
@pytest.mark.parametrize("name", [name for name in FILES if name != GUIDE_EXAMPLE.name])
def test_each_story_ends_as_its_file_says(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(SCENARIOS / name)], tmp_path) == 0

    assert AS_EXPECTED in capsys.readouterr().out


def test_the_six_stories_are_shipped() -> None:
    assert FILES == [
        "delivered_twice_out_of_order.json",
        "erp_down_and_location_held.json",
        "erp_lags.json",
        "guide_example.json",
        "import_fails_and_repeats.json",
        "shadow.json",
    ]


def test_a_figure_that_differs_is_shown_and_the_exit_code_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert play(tmp_path, expect={"erp_on_hand": 5, "events_stored": 2}) == 1

    out = capsys.readouterr().out
    differing = [line for line in out.splitlines() if "the end" in line and "erp_on_hand" in line]
    assert [line.split()[-2:] for line in differing] == [["5", "4"]]
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["erp_on_hand"] == 4


def test_a_shadow_reports_what_the_simulators_know(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(SCENARIOS / "shadow.json")], tmp_path) == 0

    told = {line[:44].strip(): line[44:].split() for line in capsys.readouterr().out.splitlines()}
    assert told["in all, too much"] == ["1.50", "1.50"]
    assert told["in all, too little"] == ["0.83", "0.83"]
    assert told["of these certain by the report"] == ["0.75"]
    assert "SKU-3 at NYC" in (tmp_path / "shadow-report.html").read_text()


def test_a_report_that_says_otherwise_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The setting says that the other system books at once, and it takes its time."""
    story = json.loads((SCENARIOS / "shadow.json").read_text())
    story["parameters"]["OtherSystemLagSeconds"] = "0"
    file = tmp_path / "story.json"
    file.write_text(json.dumps(story))

    assert main([str(file)], tmp_path / "out") == 1

    assert "<- differs" in capsys.readouterr().out


def test_a_check_on_the_way_counts_too(tmp_path: Path) -> None:
    check = {"do": "check", "expect": {"newstore_atp": 3}}

    assert play(tmp_path, steps=[check, *STORY["steps"]]) == 1


LATE = [
    {"do": "order", "request": "ff1"},
    {"do": "order", "request": "ff2"},
    {"do": "ship", "request": "ff1", "delivered": False},
    {"do": "ship", "request": "ff2"},
    {"do": "wait", "minutes": 16},
    {"do": "tick"},
]


@pytest.mark.parametrize(("breaks_delivery_promise", "code"), [(False, 1), (True, 0)])
def test_a_story_that_oversells_is_told_so_unless_newstore_broke_its_promise(
    tmp_path: Path, breaks_delivery_promise: bool, code: int
) -> None:
    story = {"steps": LATE, "breaks_delivery_promise": breaks_delivery_promise}

    assert play(tmp_path, **story) == code


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"steps": [{"do": "ship"}]}, "steps.0.ship.request"),
        ({"steps": [{"do": "teleport"}]}, "steps.0"),
        ({"steps": [{"do": "wait", "minutes": "long"}]}, "steps.0.wait.minutes"),
        ({"steps": []}, "steps"),
        ({"expect": {"newstore_apt": 1}}, "newstore_apt"),
        ({"stock": [{"location": "DC01", "product": "SKU-1", "units": -1}]}, "stock.0.units"),
        ({"extra": 1}, "extra"),
        ({"parameters": {"SettleWindow": "60"}}, "SettleWindow"),
        ({"steps": [{"do": "ship", "request": "ff9"}]}, "step 1 (ship)"),
        ({"steps": [{"do": "deliver", "events": ["ff1 lost"]}]}, "ff1 lost"),
    ],
)
def test_what_is_no_scenario_is_refused_with_the_field_s_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], changes: dict[str, Any], named: str
) -> None:
    assert play(tmp_path, **changes) == 2

    assert named in capsys.readouterr().err


def test_a_file_that_is_not_there_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path / "none.json")], tmp_path) == 2

    told = capsys.readouterr().err
    assert "none.json: No such file" in told
    assert all(f"local/scenarios/{name}" in told for name in FILES)


def test_who_reads_no_further_ends_it_quietly(tmp_path: Path) -> None:
    """As `make demo | head -1` does."""
    file = tmp_path / "story.json"
    file.write_text(json.dumps(STORY))
    process = subprocess.Popen(
        [sys.executable, "-m", "local.demo", str(file)],
        cwd=GUIDE_EXAMPLE.parents[2],
        env={**os.environ, "PYTHONPATH": "layers/inventory_sync", "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "One unit\n"
    process.stdout.close()

    assert process.stderr is not None
    assert (process.stderr.read(), process.wait(60)) == ("", 0)
    process.stderr.close()


def test_a_story_that_breaks_off_says_why_and_where_to_look(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = {"parameters": {"SettleWindowSeconds": "soon"}, "steps": [{"do": "tick"}]}

    assert play(tmp_path, **wrong) == 1

    err = capsys.readouterr().err
    assert "SETTLE_WINDOW_SECONDS='soon'" in err
    assert "log.jsonl" in err
