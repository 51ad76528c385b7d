"""CPU and memory of building an import of 1,000,000 rows, and of a delta in as many."""

from collections.abc import Iterator
from functools import partial

from tests.bench.measuring import Figure, in_a_process, interleaved, medians

ROUNDS = 5
ROWS = 1_000_000
CHANGED = 1_000


def figures() -> Iterator[Figure]:
    """Every way in a process of its own, by turns."""
    ways = {
        way: partial(in_a_process, "tests.bench.builds", way, ROWS)
        for way in ("usual", "ours", "floor", "delta")
    }
    runs = interleaved(ways, ROUNDS)
    usual, ours, floor, delta = (medians(runs[way]) for way in ways)
    cpu, peak = ours["cpu_seconds"], ours["peak_bytes"] / 1e6

    def line(name: str, value: float, unit: str, baseline: float, goal: float | None) -> Figure:
        return Figure(name=name, value=value, unit=unit, baseline=baseline, goal=goal)

    what = f"full build of {ROWS:,} rows"
    yield line(f"{what} against the usual way", cpu, "s CPU", usual["cpu_seconds"], 1.0)
    yield line(f"{what} against the floor", cpu, "s CPU", floor["cpu_seconds"], 2.0)
    yield line(f"{what}, peak memory", peak, "MB", usual["peak_bytes"] / 1e6, 0.25)
    what = f"delta of {CHANGED:,} changes in {ROWS:,} rows"
    yield line(f"{what}, rows sent", delta["rows"], "rows", CHANGED, 1.01)
    yield line(f"{what} against the full build", delta["cpu_seconds"], "s CPU", cpu, None)
