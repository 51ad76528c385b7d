"""CPU and memory of building an import of 700,000 rows, and of deltas in as many."""

from collections.abc import Iterator
from functools import partial

from tests.bench.generated import CHANGED_ROWS, ROWS_PER_LOCATION, SHIPPED_UNITS
from tests.bench.measuring import Figure, interleaved, medians
from tests.bench.shipped import build_once

ROUNDS = 3
ROWS = 700_000
"""As many as one archive holds (docs/newstore.md, Import): of more, some would wait."""
WAYS = ("usual", "full", "floor", "rows", "pages", "delta", "feed")


def figures() -> Iterator[Figure]:
    """Every way in a process of its own, by turns."""
    runs = interleaved({way: partial(build_once, way, ROWS) for way in WAYS}, ROUNDS)
    usual, full, floor, alone, pages, delta, feed = (medians(runs[way]) for way in WAYS)
    cpu, peak = full["cpu_seconds"], full["peak_bytes"] / 1e6
    what = f"full build of {ROWS:,} rows"
    yield _cpu(f"{what} against the usual way", cpu, usual["cpu_seconds"], 1.0)
    yield _cpu(f"{what} against the floor", cpu, floor["cpu_seconds"], 2.0)
    yield _cpu(f"{what}, of which making the rows", alone["cpu_seconds"], cpu)
    name = f"reading {ROWS:,} rows from the ERP's pages, against building them"
    yield _cpu(name, pages["cpu_seconds"], cpu)
    yield Figure(
        name=f"{what}, peak memory",
        value=peak,
        unit="MB",
        baseline=usual["peak_bytes"] / 1e6,
        goal=0.25,
    )
    yield _size(f"{what}, its archive", full["archive_bytes"] / 1e6, "MB")
    yield _size("ledger of 10,000 products", full["ledger_bytes"] / 1e3, "KB")
    places = ROWS / ROWS_PER_LOCATION
    yield _size("manifest, for each location", full["manifest_bytes"] / places, "bytes")
    concerned = CHANGED_ROWS + SHIPPED_UNITS
    what = f"delta of {CHANGED_ROWS:,} changes and {SHIPPED_UNITS} shipped units in {ROWS:,} rows"
    for name, found in ((what, delta), (f"{what}, by change feed", feed)):
        yield Figure(
            name=f"{name}, rows sent",
            value=found["rows"],
            unit="rows",
            baseline=concerned,
            goal=1.01,
        )
        yield _cpu(f"{name}, against the full build", found["cpu_seconds"], cpu)


def _size(name: str, value: float, unit: str) -> Figure:
    return Figure(name=name, value=value, unit=unit)


def _cpu(name: str, value: float, baseline: float, goal: float | None = None) -> Figure:
    return Figure(name=name, value=value, unit="s CPU", baseline=baseline, goal=goal)
