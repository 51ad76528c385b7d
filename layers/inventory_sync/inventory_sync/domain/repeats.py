"""Figures that repeat though shipments should have moved them: an ERP that shows an old copy."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from inventory_sync.domain.cut import AppliedRule
from inventory_sync.domain.events import OpenEvent
from inventory_sync.domain.guards import Hold, HoldKind
from inventory_sync.domain.stock import StockSnapshot, Units
from inventory_sync.domain.units import completed_units
from inventory_sync.domain.wording import counted

UNITS_MAX = 5
"""So many units that do not show are no chance, however short the time."""
ROWS_MAX = 2
"""Nor are units of so many rows: returns would have had to make up for each of them."""
TIME_MAX = timedelta(days=2)
"""After so long one unit is enough; before, a return may have made up for it."""
_CHUNK_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class Repeats:
    """Since when a location's figures are the same, and by how many units they should have moved.

    `since` is the `as_of` of the first snapshot with these figures, `products` are some of the
    units'.
    """

    digest: str
    since: datetime
    units: int = 0
    products: tuple[str, ...] = ()


def repeats_of(
    snapshot: StockSnapshot,
    before: Repeats | None,
    shown_up_to: datetime | None,
    events: Iterable[OpenEvent],
    rule: AppliedRule,
) -> Repeats:
    """`before` is as of the last snapshot that was used, which showed all up to `shown_up_to`."""
    digest = _digest(snapshot.on_hand_units)
    if before is None or shown_up_to is None or before.digest != digest:
        return Repeats(digest, snapshot.as_of)
    shows_up_to = snapshot.as_of - rule.apply_lag
    booked = [
        unit.product_id
        for unit in completed_units(tuple(events))
        if (owner := unit.owner) is not None
        and owner.applied_at is not None
        and shown_up_to < owner.applied_at <= shows_up_to
        and not rule.other_channel(owner.event)
        and not rule.historical(unit.left_at)
        and not rule.by_other_system(unit.left_at)
    ]
    products = sorted({*before.products, *booked})[:ROWS_MAX]
    return replace(before, units=before.units + len(booked), products=tuple(products))


def check_repeats(repeats: Repeats, as_of: datetime) -> tuple[Hold, ...]:
    """None where too little was shipped to say."""
    long = as_of - repeats.since >= TIME_MAX
    enough = repeats.units >= UNITS_MAX or len(repeats.products) >= ROWS_MAX
    if not enough and not (long and repeats.units):
        return ()
    figures = (
        f"all figures are the same as of {repeats.since} and {as_of}, though"
        f" {counted(repeats.units, 'unit')} that the ERP has booked since should show"
    )
    return (Hold(HoldKind.SNAPSHOT_REPEATS, figures),)


def _digest(rows: Mapping[str, Units]) -> str:
    """The same for the same rows in any order."""
    digest, products = hashlib.sha256(), sorted(rows)
    for start in range(0, len(products), _CHUNK_ROWS):
        chunk = products[start : start + _CHUNK_ROWS]
        digest.update(repr([(product, rows[product]) for product in chunk]).encode())
    return digest.hexdigest()[:32]
