"""The documents' pictures are those that the real code makes today, in both colour schemes."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from local.pictures.__main__ import OUT, STORY, drawings
from local.pictures.drawing import PALETTES
from local.pictures.example import Example, NoImportError, play
from local.pictures.page import NoBrowserError, take_pictures
from local.scenario import read_scenario
from local.template import ROOT
from tests.integration.test_demo import STORY as WITHOUT_IMPORT

KILOBYTES_MAX = 120
SHOWN_IN = {"flow": "README.md", "page": "README.md", "sum": "docs/design.md"}


@pytest.fixture(scope="module")
def example() -> Example:
    found, _ = play(read_scenario(STORY))
    return found


def words(svg: str) -> list[str]:
    return [text for element in ET.fromstring(svg).iter() if (text := (element.text or "").strip())]


def test_the_drawings_are_what_the_story_comes_to_today(example: Example) -> None:
    for name, drawn in drawings(example).items():
        assert (OUT / name).read_text("utf-8") == drawn, f"{name}: run `make pictures`"


def test_the_drawn_sum_adds_up(example: Example) -> None:
    shown = words(drawings(example)["sum-light.svg"])

    signed = [int(text.replace("\u2212", "-")) for text in shown if re.match("[+\u2212]", text)]
    assert (example.row.base, sorted(signed), example.row.sent) == (18, [-1, -1, 1], 17)
    assert {"18", "17", "E = 8", "\u00b10"} <= set(shown)


def test_the_flow_shows_the_figures_of_the_moment(example: Example) -> None:
    figures = replace(example.figures, newstore_atp=1, erp_shown=40, events_stored=3)

    shown = words(drawings(replace(example, figures=figures))["flow-dark.svg"])

    assert {"1 unit", "40 units", "3 events", "17 units as of 8", "range 0\u20138"} <= set(shown)


def test_the_schemes_differ_in_nothing_but_colours(example: Example) -> None:
    made = drawings(example)

    for name in ("flow", "sum"):
        light, dark = (made[f"{name}-{scheme}.svg"] for scheme in PALETTES)
        assert light != dark
        assert re.sub("#[0-9a-f]{6}", "", light) == re.sub("#[0-9a-f]{6}", "", dark)


@pytest.mark.parametrize("name", SHOWN_IN)
def test_a_picture_is_shown_in_both_schemes_and_is_small(name: str) -> None:
    text = (ROOT / SHOWN_IN[name]).read_text("utf-8")

    for scheme in PALETTES:
        [path] = OUT.glob(f"{name}-{scheme}.*")
        assert text.count(f"pictures/{path.name}") == 1
        assert path.stat().st_size < 1000 * KILOBYTES_MAX


def test_a_story_without_an_import_is_not_drawn(tmp_path: Path) -> None:
    story = tmp_path / "story.json"
    content: dict[str, Any] = WITHOUT_IMPORT
    story.write_text(json.dumps(content))

    with pytest.raises(NoImportError):
        play(read_scenario(story))


@pytest.fixture
def no_programs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.mark.usefixtures("no_programs")
def test_without_a_browser_the_page_is_not_pictured(tmp_path: Path) -> None:
    with pytest.raises(NoBrowserError):
        take_pictures(tmp_path / "report.html", {"light": tmp_path / "page.png"})

    assert not list(tmp_path.iterdir())
