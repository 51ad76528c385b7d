"""Which rows an import sends where NewStore takes a shipped unit off its stock at once.

A row that is sent overwrites what ships while the job is under way. So none is sent only because
units of it have shipped: NewStore has taken those off itself (docs/design.md, "Two readings").
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from inventory_sync.domain.cut import LocationCut
from inventory_sync.domain.manifest import Ledger
from inventory_sync.domain.row_selection import Selection, changed_products, select_rows, sendable
from inventory_sync.domain.stock import LastQuantities
from inventory_sync.domain.units import CompletedUnit, UnitId

RECENT = timedelta(hours=1)
"""How long a job is remembered; four times as long as NewStore takes to deliver an event at the
most."""
QUIET = timedelta(minutes=5)
"""A full refresh leaves out rows of which a unit has left since: another may be on its way."""
CLOCK_MARGIN = timedelta(seconds=30)
"""By which NewStore's clock and ours may differ."""


@dataclass(frozen=True, slots=True)
class SentRows:
    """What a recent job brought of one location, and by when it had ended."""

    ended_at: datetime
    ledger: Ledger


def crossed_units(
    units: Iterable[CompletedUnit], told: frozenset[UnitId], recent: Iterable[SentRows]
) -> tuple[CompletedUnit, ...]:
    """Units that a job crossed: its row may have overwritten what NewStore took off for them.

    Such a unit had left when the job ended, and the quantity that it brought still had it. `told`
    are the units that the last quantities are without: those are put right.
    """
    jobs = tuple(recent)
    return tuple(
        unit
        for unit in units
        if unit.unit not in told
        and any(
            unit.product_id in job.ledger.sent
            and unit.unit not in job.ledger.lacking
            and unit.left_at <= job.ended_at + CLOCK_MARGIN
            for job in jobs
        )
    )


def select_needed_rows(
    cut: LocationCut,
    *,
    last: LastQuantities | None,
    doubtful: frozenset[str],
    refresh_from: str | None = None,
    planned_at: datetime,
) -> Selection:
    """Rows that differ from what NewStore must have by now, and those that are `doubtful`.

    What it must have is what the `last` quantities told it, less the units that left since; without
    `last` no row differs. A touched row that is not needed for another reason stays away: the range
    may release its units without it. A refresh leaves out rows that are not quiet.
    """
    needed = doubtful | _late(cut)
    expected = None
    if last is not None:
        since = cut.left_since(last)
        needed |= _long_unknown(cut, last) | _counted_before(cut, last)
        needed |= changed_products(cut.quantities, last.quantities) - since.keys()
        needed |= _not_as_taken_off(cut, last, since)
        expected = {**last.quantities, **{p: cut.quantities.get(p, 0) for p in since}}
    selection = select_rows(
        replace(cut, touched=cut.touched & needed),
        last_sent=expected,
        doubtful=needed,
        refresh_from=refresh_from,
    )
    busy = {p.unit.product_id for p in cut.parts if p.unit.left_at > planned_at - QUIET}
    if not busy.isdisjoint(selection.refreshed):
        quiet = {p: units for p, units in selection.refreshed.items() if p not in busy}
        selection = replace(selection, refreshed=quiet)
    return selection


def _late(cut: LocationCut) -> frozenset[str]:
    """Products of events that came so late that no job of theirs need be recent any more."""
    late = frozenset(cut.late)
    return frozenset(p.unit.product_id for p in cut.parts if p.unit.first.event.ref in late)


def _long_unknown(cut: LocationCut, last: LastQuantities) -> frozenset[str]:
    """Products of units that became known when jobs they may have crossed were recent no more."""
    return frozenset(
        unit.product_id
        for unit in cut.gone_since(last)
        if unit.first.received_at - unit.left_at > RECENT - CLOCK_MARGIN
    )


def _counted_before(cut: LocationCut, last: LastQuantities) -> frozenset[str]:
    """Products of units that left before the last quantities, which were without them once more.

    An event that lists them again was not forwarded yet; the one that owns them is closed. NewStore
    has not taken them off a second time.
    """
    known = {p.unit.unit for p in cut.parts}
    return frozenset(product for unit, product in last.unowned.items() if unit not in known)


def _not_as_taken_off(
    cut: LocationCut, last: LastQuantities, since: Mapping[str, int]
) -> frozenset[str]:
    """Products of which NewStore, after what has left since, has another figure.

    It was told 0 where a quantity was below, and takes off from there, to below 0 if need be.
    """
    return frozenset(
        product
        for product, units in since.items()
        if sendable(cut.quantities.get(product, 0))
        != sendable(last.quantities.get(product, 0)) - units
    )
