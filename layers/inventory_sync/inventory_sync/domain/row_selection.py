"""Which rows an import sends."""

from collections.abc import Mapping
from dataclasses import dataclass

from inventory_sync.domain.cut import LocationCut
from inventory_sync.domain.stock import Units


@dataclass(frozen=True, slots=True)
class Selection:
    """The rows of one location that an import sends, product id -> units, sorted by product.

    `touched` rows have to reach NewStore in the same file as the range that releases their
    events; `others` may go anywhere. `clamped` counts negative results that are sent as 0.
    """

    touched: Mapping[str, int]
    others: Mapping[str, int]
    clamped: int


def select_rows(
    cut: LocationCut,
    *,
    last_sent: Mapping[str, Units] | None,
    dirty: frozenset[str],
    full: bool,
    from_snapshot: bool,
) -> Selection:
    """Rows that differ from `last_sent` (the last finished import), were touched, or are dirty.

    `dirty` products were in an import that did not finish: what NewStore holds is unknown. With
    `full`, or without a `last_sent`, every row is sent. Only a snapshot says that a row it does
    not list is gone; a location that was rolled forward sends its touched and dirty rows alone.
    """
    last = last_sent or {}
    if from_snapshot:
        everything = full or last_sent is None
        products = {*cut.quantities, *last, *dirty, *cut.touched}
    else:
        everything = False
        products = {*dirty, *cut.touched}
    touched: dict[str, int] = {}
    others: dict[str, int] = {}
    clamped = 0
    for product in sorted(products):
        raw = cut.quantities.get(product, 0)
        quantity = sendable(raw)
        if product in cut.touched:
            touched[product] = quantity
        elif everything or product in dirty or quantity != sendable(last.get(product, 0)):
            others[product] = quantity
        else:
            continue
        clamped += raw < 0
    return Selection(touched, others, clamped)


def sendable(quantity_units: Units) -> int:
    """NewStore takes whole units from 0 up; fractions round down, so that the error is low."""
    return max(0, int(quantity_units))
