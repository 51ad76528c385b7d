"""The table of docs/benchmarks.md, from what `make bench` left behind."""

import json
from pathlib import Path
from typing import Any

REPORT = Path(__file__).resolve().parents[2] / "build" / "bench.json"
_HEAD = ["| figure | value | against | ratio | goal | met |", "|---|---|---|---|---|---|"]


def figure_table(report: str) -> list[str]:
    """One line for each entry, section by section."""
    return [*_HEAD, *(_line(entry) for entry in json.loads(report))]


def _line(entry: dict[str, Any]) -> str:
    unit, compared = entry["unit"], entry["ratio"] is not None
    cells = [
        entry["name"],
        f"{number(entry['value'])} {unit}",
        f"{number(entry['baseline'])} {unit}" if compared else "",
        f"{entry['ratio']:.3g}" if compared else "",
        "" if entry["goal"] is None else f"{entry['goal']:g}",
        {None: "", True: "yes", False: "**no**"}[entry["met"]],
    ]
    return f"| {' | '.join(cells)} |"


def number(value: float) -> str:
    """Four digits, no exponent."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{float(f'{value:.4g}'):g}"
