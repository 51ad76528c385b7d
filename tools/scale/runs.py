"""Imports of a large chain, run by run: how old its stock gets, how long its first import takes.

A model of `use_cases/import_stock/build_import/`: tests/unit/tools/test_scale.py holds it to that
code.
"""

import math
from dataclasses import dataclass

from tools.scale.chain import DAY_SECONDS

TICK_SECONDS = 300
"""ImportSchedule, and NewStore's distance between two jobs."""
DAYS_MAX = 90
BLOCKS_MAX = 1_000
"""Locations are simulated in so many blocks at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Throughput:
    """What one invocation can do: `reading_seconds` are those in which a read may begin."""

    locations: int
    read_seconds: float
    archive_locations: int
    reading_seconds: float = 540.0
    job_seconds: float = 60.0


def first_import(pace: Throughput) -> list[int]:
    """Locations that NewStore was told of, after each run; all have events from the start."""
    told = [0]
    while told[-1] < pace.locations:
        told.append(told[-1] + _first_run(pace, pace.locations - told[-1]))
        if told[-1] == told[-2]:
            raise ArithmeticError(f"stalls at {told[-1]} of {pace.locations} locations")
    return told[1:]


def _first_run(pace: Throughput, left: int) -> int:
    """How many of those that are left it brings in."""
    fit = min(left, pace.archive_locations)
    half = pace.reading_seconds / 2
    read = min(fit, int(half // pace.read_seconds) + 1)
    if read == left:
        return left
    spent = read * pace.read_seconds
    again = int(max(-1.0, pace.reading_seconds - spent) // pace.read_seconds) + 1
    return min(fit, again)


@dataclass(frozen=True, slots=True)
class Course:
    """What came out of some days: seconds between two imports, the oldest stock, busy seconds.

    `full_days` is how long it took until every location was in a full refresh; infinite where some
    were in none for DAYS_MAX days.
    """

    period_seconds: float
    oldest_seconds: float
    busy_seconds_a_day: float
    full_days: float


def simulate(pace: Throughput, days_min: int = 2) -> Course:
    """Ticks from the end of the first import on; those that waited longest are read first.

    A refresh begins once a day, with those that the last one did not reach.
    """
    size = max(1, pace.locations // BLOCKS_MAX)
    places = range(math.ceil(pace.locations / size))
    last_read, refreshed = dict.fromkeys(places, 0.0), dict.fromkeys(places, -1.0)
    now = busy = oldest = began = 0.0
    runs, full_days, share = 0, 0.0, 1.0
    while now < days_min * DAY_SECONDS or (not full_days and now < DAYS_MAX * DAY_SECONDS):
        began += DAY_SECONDS * (now >= began + DAY_SECONDS)
        room = pace.archive_locations
        waiting = sorted((refreshed[place], place) for place in places if refreshed[place] < began)
        turn = {place for _, place in waiting[: math.ceil(room / share / size)]}
        took = 0.0
        order = sorted(places, key=lambda place: (last_read[place], place))
        for read, place in enumerate(order):
            if took > pace.reading_seconds:
                share = read / len(order)
                break
            took += size * pace.read_seconds
            oldest = max(oldest, now + took - last_read[place])
            last_read[place] = now + took
            if place in turn and room >= size:
                room -= size
                refreshed[place] = now
        if not full_days and min(refreshed.values()) >= 0:
            full_days = now // DAY_SECONDS + 1
        busy += took
        runs += 1
        now += max(1, math.ceil((took + pace.job_seconds) / TICK_SECONDS)) * TICK_SECONDS
    days = now / DAY_SECONDS
    return Course(now / runs, oldest, busy / days, full_days or math.inf)
