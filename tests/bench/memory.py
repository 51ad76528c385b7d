"""Peak memory of a full build by its rows: it may not grow with them."""

from collections.abc import Iterator

from tests.bench.measuring import Figure
from tests.bench.shipped import build_once

SMALLEST = 100_000
LARGER = (1_000_000, 10_000_000)
GOAL = 1.2


def figures() -> Iterator[Figure]:
    """One run each: memory, unlike time, does not depend on what else the machine does.

    Of the largest stock an archive takes about half; the other locations are rolled forward.
    """
    baseline = _peak(SMALLEST)
    for rows in LARGER:
        yield Figure(
            name=f"peak memory at {rows:,} rows against {SMALLEST:,}",
            value=_peak(rows),
            unit="MB",
            baseline=baseline,
            goal=GOAL,
        )


def _peak(rows: int) -> float:
    return build_once("full", rows)["peak_bytes"] / 1e6
