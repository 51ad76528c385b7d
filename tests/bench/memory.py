"""Peak memory of a full build by its rows: it may not grow with them."""

from collections.abc import Iterator

from tests.bench.measuring import Figure
from tests.bench.shipped import build_once

SMALLEST = 100_000
LARGER = (1_000_000, 10_000_000)
GOAL = 1.2
OPEN_EVENTS = (1_000, 101_000)
EXPORTED = (200_000, 2_000_000)


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
    exports = f"{EXPORTED[1]:,} rows against {EXPORTED[0]:,}"
    yield Figure(
        name=f"reading NewStore's export, peak memory at {exports}",
        value=_peak(EXPORTED[1], "exported"),
        unit="MB",
        baseline=_peak(EXPORTED[0], "exported"),
        goal=GOAL,
    )
    few, many = (_peak(events, "open_events") for events in OPEN_EVENTS)
    each = (many - few) * 1000 / (OPEN_EVENTS[1] - OPEN_EVENTS[0])
    yield Figure(name="memory of an open event that an import holds", value=each, unit="KB")


def _peak(rows: int, way: str = "full") -> float:
    return build_once(way, rows)["peak_bytes"] / 1e6
