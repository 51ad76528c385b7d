"""`make pictures`: draws docs/pictures anew. Exit code 2 where there is nothing to draw with."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from cli.room.page import report_page
from local.pictures.drawing import PALETTES
from local.pictures.example import Example, NoImportError, play
from local.pictures.flow import draw_flow
from local.pictures.page import NoBrowserError, take_pictures
from local.pictures.row_sum import draw_sum
from local.scenario import ScenarioError, read_scenario
from local.template import ROOT, TemplateError

STORY = ROOT / "local" / "scenarios" / "erp_lags.json"
"""Of its first import the sum has every kind of term."""
OUT = ROOT / "docs" / "pictures"


def main(out: Path = OUT) -> int:
    """The drawings come first: they need no browser."""
    out.mkdir(parents=True, exist_ok=True)
    try:
        scenario = read_scenario(STORY)
        example, history = play(scenario)
        for name, text in drawings(example).items():
            (out / name).write_text(text, encoding="utf-8")
        _picture_page(report_page(scenario.title, history.moments()), out)
    except (ScenarioError, TemplateError, NoImportError, NoBrowserError) as error:
        print(error, file=sys.stderr)
        return 2
    for path in sorted(out.iterdir()):
        print(f"{path.name:18} {path.stat().st_size / 1000:6.1f} kB")
    return 0


def drawings(example: Example) -> Mapping[str, str]:
    """By file name."""
    return {
        f"{name}-{scheme}.svg": draw(example, scheme)
        for name, draw in (("flow", draw_flow), ("sum", draw_sum))
        for scheme in PALETTES
    }


def _picture_page(page: str, out: Path) -> None:
    with TemporaryDirectory() as folder:
        report = Path(folder) / "report.html"
        report.write_text(page, encoding="utf-8")
        take_pictures(report, {scheme: out / f"page-{scheme}.png" for scheme in PALETTES})


if __name__ == "__main__":
    sys.exit(main())
