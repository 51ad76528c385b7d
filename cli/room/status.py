"""The one line an operator reads first: does stock flow, is some of it stuck, is it wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from cli.room.reading import PAUSED, Drift, Reading, Truth
from cli.shadow_now import ShadowNow
from inventory_sync.domain.import_run import RunState
from inventory_sync.domain.stock import StockKey

Level = Literal["flowing", "stuck", "wrong", "shadow"]

HEADLINES: dict[Level, str] = {
    "flowing": "Stock is flowing",
    "stuck": "Some stock is stuck",
    "wrong": "A figure is wrong",
    "shadow": "A shadow: nothing is posted",
}
SHADOW_STUCK = "A shadow, and something needs a person"
FLOWING_SHORT = "Stock is flowing; some of it is not promised yet"
NAMED_MAX = 3
"""Locations or rows named in one sentence; the tables have the others."""
BOOKING_MAX = timedelta(minutes=15)
"""An event that the ERP has not booked for so long is stuck; the sweep comes every five minutes."""


@dataclass(frozen=True, slots=True)
class Status:
    """`reasons` are sentences, the most pressing first; at least one."""

    level: Level
    headline: str
    reasons: tuple[str, ...]


def status_of(reading: Reading) -> Status:
    """Wrong before stuck before flowing; every reason of the worse levels is told."""
    if reading.concerns is not None:
        return _of_concerns(reading, reading.concerns)
    wrong, stuck = list(_wrong(reading)), list(_stuck(reading))
    level: Level = "wrong" if wrong else "stuck" if stuck else "flowing"
    reasons = [*wrong, *stuck, *_short(reading)] or [_flowing(reading)]
    short = level == "flowing" and reading.truth is not None and any(_short(reading))
    return Status(level, FLOWING_SHORT if short else HEADLINES[level], tuple(reasons))


def _of_concerns(reading: Reading, concerns: tuple[str, ...]) -> Status:
    """As `inventory-sync status` says it; units promised too many are what is wrong.

    In a shadow it is another system that promises them: the page shows them, and nothing is wrong.
    """
    if reading.shadow is not None:
        return _of_shadow(reading.shadow, concerns)
    over = [drift for drift in reading.drifts if drift.drift_units > 0]
    told = (_by_reconciliation(over), *concerns) if over else concerns
    level: Level = "wrong" if over else "stuck" if concerns else "flowing"
    return Status(level, HEADLINES[level], told or (_flowing(reading),))


def _of_shadow(shadow: ShadowNow, concerns: tuple[str, ...]) -> Status:
    seen = f"Another system books and imports. At the latest looks at {shadow.in_words}."
    reasons = (*concerns, seen) if shadow.at else concerns
    if concerns:
        return Status("stuck", SHADOW_STUCK, reasons)
    return Status("shadow", HEADLINES["shadow"], reasons)


def _by_reconciliation(over: list[Drift]) -> str:
    rows = [f"{d.product} at {d.location} ({d.drift_units:,} too many)" for d in over]
    return f"The last reconciliation found promises that are too high: {_named(rows)}."


def _wrong(reading: Reading) -> Iterator[str]:
    if reading.truth is None:
        return
    over = [(key, gap) for key, gap in gaps(reading, reading.truth) if gap > 0]
    if over:
        rows = [f"{product} at {location} ({gap:,} too many)" for (location, product), gap in over]
        yield f"NewStore promises more than is there: {_named(rows)}."
    if count := reading.truth.double_bookings:
        yield f"The ERP booked {_count(count, 'movement')} twice."


def _stuck(reading: Reading) -> Iterator[str]:
    if (down := reading.erp_down_until) is not None:
        yield f"The ERP does not answer (until {down:%H:%M} UTC); events wait for it and are kept."
    for location, hold in sorted(reading.holds.items())[:NAMED_MAX]:
        why = "; ".join(f"{h.kind.value.replace('_', ' ')}, {h.in_words}" for h in hold.holds)
        yield f"{location} {'are' if location == PAUSED else 'is'} held: {why}."
    if len(reading.holds) > NAMED_MAX:
        yield f"{_count(len(reading.holds) - NAMED_MAX, 'more location')} held."
    yield from _last_run(reading)
    yield from _waiting_events(reading)
    if reading.quarantined:
        yield f"{_count(reading.quarantined, 'message')} in quarantine."


def _last_run(reading: Reading) -> Iterator[str]:
    if not reading.runs:
        return
    run = reading.runs[0]
    if run.state is RunState.FAILED:
        why = run.failure or "no reason given"
        yield f"The last import failed: {why}. The next one repeats it."
    left_out: dict[str, list[str]] = {}
    for location, why in sorted(run.left_out.items()):
        if location not in reading.holds:
            left_out.setdefault(why, []).append(location)
    for why, locations in left_out.items():
        yield f"The last import went without {_named(locations)}: {why}."


def _waiting_events(reading: Reading) -> Iterator[str]:
    refused = [e for e in reading.open_events if e.rejected_reason is not None]
    if refused:
        yield f"The ERP refused {_count(len(refused), 'event')}: {refused[0].rejected_reason}."
    late = [
        e
        for e in reading.open_events
        if e.rejected_reason is None
        and e.forwarded_at is None
        and reading.at - e.received_at > BOOKING_MAX
    ]
    if late:
        minutes = int(BOOKING_MAX.total_seconds() // 60)
        yield f"{_count(len(late), 'event')} not in the ERP after {minutes} minutes."


def _short(reading: Reading) -> Iterator[str]:
    if reading.truth is None:
        return
    short = -sum(gap for _, gap in gaps(reading, reading.truth) if gap < 0)
    if short:
        yield f"{_count(short, 'unit')} more may be promised once an import has gone through."


def _flowing(reading: Reading) -> str:
    waiting = len(reading.open_events) if reading.open_count is None else reading.open_count
    if reading.truth is not None:
        waiting += len(reading.truth.under_way)
    if waiting:
        return f"{_count(waiting, 'event')} on the way through."
    return "Nothing waits, and every promise is exact." if reading.truth else "Nothing waits."


def gaps(reading: Reading, truth: Truth) -> Iterator[tuple[StockKey, int]]:
    """Promised units less those that may be promised, by row; only where they differ."""
    for key, promise in sorted(reading.promises.items()):
        may = truth.shelf_units.get(key, 0) - (promise.open_allocations or 0)
        if promise.atp_units != may:
            yield key, promise.atp_units - may


def _named(names: list[str]) -> str:
    more = len(names) - NAMED_MAX
    return ", ".join(names[:NAMED_MAX]) + (f" and {more} more" if more > 0 else "")


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
