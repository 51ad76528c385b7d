"""`make scale`: brings the tables of docs/benchmarks.md and docs/scale.md up to date.

The first from build/bench.json where `make bench` has left one, the second from the first.
"""

import sys
from pathlib import Path

from tools.scale.figures import REPORT, figure_table
from tools.scale.measured import BENCHMARKS, FigureMissingError, Measured
from tools.scale.tables import cost_table, fan_out_table, standing_table, work_table

SCALE = BENCHMARKS.with_name("scale.md")


def main() -> int:
    """2 where a figure is missing."""
    if REPORT.exists():
        replace_table(BENCHMARKS, "figures", figure_table(REPORT.read_text()))
    measured = Measured(BENCHMARKS.read_text(encoding="utf-8"))
    try:
        replace_table(SCALE, "work", work_table(measured))
        replace_table(SCALE, "costs", cost_table(measured))
        replace_table(SCALE, "fan_out", fan_out_table(measured))
        replace_table(SCALE, "standing", standing_table())
    except FigureMissingError as error:
        print(f"{error}: run `make bench`, then this again", file=sys.stderr)
        return 2
    return 0


def replace_table(path: Path, name: str, rows: list[str]) -> None:
    """What stands between the marks of that name."""
    begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->"
    text = path.read_text(encoding="utf-8")
    before, found, rest = text.partition(begin)
    _, found_end, after = rest.partition(end)
    if not found or not found_end:
        raise ValueError(f"{path.name} has no marks for {name}")
    whole = before + begin + "\n".join(rows) + "\n" + end + after
    path.write_text(whole, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
