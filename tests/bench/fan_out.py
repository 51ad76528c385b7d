"""Reads by the import itself, and reads that fan out: how old stock gets, and what a read costs.

Ages are on a clock that only the ERP's pages and NewStore's jobs move (tests/bench/reading_rounds);
CPU, requests and memory are of the real adapters over 10,000 rows a location.
"""

from collections.abc import Iterator
from functools import partial

from tests.bench.generated import ROWS_PER_LOCATION
from tests.bench.measuring import Figure, interleaved, medians
from tests.bench.reading_rounds import TICK, RoundFigures, SlowErp, courses
from tests.bench.shipped import build_once

CHAINS = (100, 1_000, 10_000)
ERPS = (
    SlowErp(name="0.25 s a page", page_seconds=0.25, pages=2, at_once=4),
    SlowErp(name="1.5 s a page", page_seconds=1.5, pages=10, at_once=5),
)
"""Of 5,000 rows, as ErpReadsAtOnce is by default; and of 1,000 rows, five at once."""
CPU_GOAL, MEMORY_GOAL = 1.0, 1.2
AGE_FACTOR = 1.2
"""Of the time that reading all takes; an import interval comes on top."""
ROUNDS = 3
ROWS = 700_000
FEW_ROWS, MANY_ROWS = 200_000, 2_000_000


def figures() -> Iterator[Figure]:
    """Ages and requests of whole rounds first, then what one location takes."""
    for erp in ERPS:
        for locations in CHAINS:
            inline, fanned = courses(locations, erp)
            yield from _of_a_chain(f"{locations:,} locations, {erp.name}", inline, fanned)
    yield from _of_a_location()
    few, many = (build_once("fan_out", rows)["peak_bytes"] / 1e6 for rows in (FEW_ROWS, MANY_ROWS))
    yield Figure(
        name=f"reads fanned out, peak memory at {MANY_ROWS:,} rows against {FEW_ROWS:,}",
        value=many,
        unit="MB",
        baseline=few,
        goal=MEMORY_GOAL,
    )


def _of_a_chain(chain: str, inline: RoundFigures, fanned: RoundFigures) -> Iterator[Figure]:
    yield Figure(
        name=f"{chain}: oldest stock, fanned out, against what the ERP's limit allows",
        value=fanned.oldest_seconds,
        unit="s",
        baseline=AGE_FACTOR * inline.read_all_seconds + TICK.total_seconds(),
        goal=1.0,
    )
    yield Figure(
        name=f"{chain}: oldest stock, fanned out against inline",
        value=fanned.oldest_seconds,
        unit="s",
        baseline=inline.oldest_seconds,
    )
    yield Figure(
        name=f"{chain}: ERP seconds from tick to job, fanned out against inline",
        value=fanned.tick_to_job_seconds,
        unit="s",
        baseline=inline.tick_to_job_seconds,
    )
    yield Figure(
        name=f"{chain}: state transitions of a round of reads, computed",
        value=fanned.transitions_a_plan,
        unit="transitions",
    )


def _of_a_location() -> Iterator[Figure]:
    ways = ("delta", "fan_out")
    runs = interleaved({way: partial(build_once, way, ROWS) for way in ways}, ROUNDS)
    inline, fanned = (medians(runs[way]) for way in ways)
    places = ROWS / ROWS_PER_LOCATION
    for name, key, scale, unit, goal in (
        ("CPU of reading and importing a location", "cpu_seconds", 1e3, "ms CPU", CPU_GOAL),
        ("bucket requests of reading and importing a location", "requests", 1, "requests", None),
        ("peak memory", "peak_bytes", 1e-6 * places, "MB", None),
    ):
        yield Figure(
            name=f"{name}, fanned out against inline",
            value=fanned[key] * scale / places,
            unit=unit,
            baseline=inline[key] * scale / places,
            goal=goal,
        )
