"""Figures of docs/benchmarks.md, by their names."""

import re
from pathlib import Path

BENCHMARKS = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"
_ROW = re.compile(r"\| (?P<name>[^|]+?) \| (?P<value>[0-9.,]+) (?P<unit>[^|]*?) ?\|")


class FigureMissingError(Exception):
    """The benchmarks have no such figure; the text names it."""


class Measured:
    """`unit` is checked, so that a figure whose unit changes is not taken for another size."""

    def __init__(self, text: str) -> None:
        rows = map(_ROW.match, text.splitlines())
        self._rows = {row["name"]: (row["value"], row["unit"]) for row in rows if row}

    def __call__(self, name: str, unit: str) -> float:
        value, found = self._rows.get(name, ("", ""))
        if not value or found != unit:
            raise FigureMissingError(f"docs/benchmarks.md: no figure {name!r} in {unit!r}")
        return float(value.replace(",", ""))


def read_measured() -> Measured:
    """As the document stands."""
    return Measured(BENCHMARKS.read_text(encoding="utf-8"))
