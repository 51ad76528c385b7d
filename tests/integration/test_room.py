"""The control room over the local stack: what it shows is what the story knows."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import requests

from cli.room.history import History
from cli.room.picture import picture
from local.demo import GUIDE_EXAMPLE, main
from local.room.__main__ import main as room
from local.room.recording import keep_watching, local_reader
from local.room.stack_reader import StackReader
from local.scenario import read_scenario
from local.stack import StackPlan, local_stack
from local.story import Story, plan_of
from local.template import ROOT
from tests.integration.test_local_stack import DC

STORIES = sorted(GUIDE_EXAMPLE.parent.glob("*.json"))
HELD = GUIDE_EXAMPLE.parent / "erp_down_and_location_held.json"


@cache
def moments_of(path: Path) -> list[dict[str, Any]]:
    """Every moment of a story, with the watched row's figures as the story itself has them."""
    scenario = read_scenario(path)
    found: list[dict[str, Any]] = []
    with local_stack(plan_of(scenario)) as stack:
        reader = local_reader(stack)

        def watch(told: str) -> None:
            shown = picture(reader.read(), told).to_json()
            found.append({"shown": shown, "known": story.figures().named()})

        story = Story(stack, scenario, lambda _: None, watch)
        story.play()
    return found


@pytest.mark.sweep(sample=1)
@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)
def test_every_moment_of_a_story_shows_what_the_story_knows(path: Path) -> None:
    key = read_scenario(path).key
    moments = moments_of(path)

    assert len(moments) > 5
    for moment in moments:
        known = moment["known"]
        [row] = [r for r in moment["shown"]["rows"] if (r["location"], r["product"]) == key]
        assert row["shelf_units"] == known["physical"]
        assert row["atp_units"] == known["newstore_atp"]
        assert row["on_hand_units"] == known["newstore_on_hand"]
        assert row["erp_units"] == known["erp_shown"]
        assert moment["shown"]["watermark"] == known["watermark"]
        assert len(moment["shown"]["holds"]) == known["locations_held"]
        stored = [e for e in moment["shown"]["events"] if e["stage"] != "under_way"]
        assert len(stored) == known["events_stored"]


def test_each_fault_of_the_failing_story_is_told_while_it_lasts() -> None:
    levels = [moment["shown"]["status"]["level"] for moment in moments_of(HELD)]
    reasons = [" ".join(moment["shown"]["status"]["reasons"]) for moment in moments_of(HELD)]

    assert (levels[0], levels[-1]) == ("flowing", "flowing")
    assert "wrong" not in levels
    down = [number for number, text in enumerate(reasons) if "The ERP does not answer" in text]
    held = [number for number, text in enumerate(reasons) if "NYC is held" in text]
    assert down
    assert held
    assert down == list(range(down[0], down[-1] + 1))
    assert held == list(range(held[0], held[-1] + 1))
    assert down[-1] < held[0]


def test_an_event_is_seen_on_its_way_before_it_is_stored() -> None:
    moments = moments_of(GUIDE_EXAMPLE.parent / "delivered_twice_out_of_order.json")

    under_way = [
        sum(event["stage"] == "under_way" for event in moment["shown"]["events"])
        for moment in moments
    ]
    assert max(under_way) == 8
    assert under_way[-1] == 0


def test_the_demo_ends_with_the_same_picture_as_a_file(tmp_path: Path) -> None:
    assert main([str(HELD)], tmp_path) == 0

    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    data = re.search(r'<script type="application/json"[^>]*>(.*?)</script>', page, re.DOTALL)
    assert data is not None
    written = json.loads(data[1])
    fresh = [moment["shown"] for moment in moments_of(HELD)]
    assert [m["told"] for m in written] == [m["told"] for m in fresh]
    assert [m["rows"] for m in written] == json.loads(json.dumps([m["rows"] for m in fresh]))


def test_watching_adds_a_moment_only_when_something_has_changed() -> None:
    history = History()
    with local_stack(StackPlan(locations=[DC])) as stack:
        reader = local_reader(stack)
        watching = threading.Thread(target=keep_watching, args=(reader, history, 0.01, print))
        watching.start()
        history.wait(0, seconds=10)
        stack.clock.sleep(60)
        stack.erp.set_stock(("DC01", "SKU-1"), 5)
        history.wait(1, seconds=10)
        history.close()
        watching.join(timeout=10)

    rows = [json.loads(moment.text)["rows"] for moment in history.moments()]
    assert [len(each) for each in rows] == [0, 1]


def test_a_stack_that_cannot_be_read_is_told_once_and_tried_again() -> None:
    history, warnings = History(), list[str]()
    with local_stack(StackPlan(locations=[DC])) as stack:
        whole = local_reader(stack)
        gone = StackReader(whole.tables, "http://127.0.0.1:1", whole.erp_url, whole.now)

        def warn(text: str) -> None:
            warnings.append(text)
            threading.Timer(0.1, history.close).start()

        keep_watching(gone, history, 0.01, warn)

    assert [text.partition(":")[0] for text in warnings] == ["cannot read the stack, trying on"]


def test_the_room_serves_a_story_until_it_is_ended() -> None:
    command = [sys.executable, "-m", "local.room", "--port", "0", "--pace", "0"]
    environment = {**os.environ, "PYTHONPATH": "layers/inventory_sync", "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        ["sh", "-c", 'trap "" INT; exec "$@"', "deaf", *command],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        try:
            url = re.search(r"http://127\.0\.0\.1:\d+", first)
            assert url is not None, first
            assert "Control room" in requests.get(url[0], timeout=10).text
            assert "has ended" in process.stdout.readline()
        finally:
            process.send_signal(signal.SIGINT)
        assert process.wait(timeout=10) == 0


def test_what_is_no_story_is_refused_with_its_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "story.json").write_text("{}")

    assert room([str(tmp_path / "story.json"), "--port", "0"]) == 2
    assert "is not a scenario" in capsys.readouterr().err


def test_a_stack_without_its_simulators_addresses_is_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit, match="2"):
        room(["--stack", "local"])

    assert "--newstore-url and --erp-url" in capsys.readouterr().err


def test_a_taken_port_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with local_stack(StackPlan(locations=[DC])) as stack:
        port = stack.erp_url.rpartition(":")[2]

        assert room([str(GUIDE_EXAMPLE), "--port", port]) == 2

    assert "in use" in capsys.readouterr().err
