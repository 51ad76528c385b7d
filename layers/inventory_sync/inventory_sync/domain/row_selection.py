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
    everything = from_snapshot and (full or last_sent is None)
    products = {*dirty, *cut.touched}
    if everything:
        products |= cut.quantities.keys() | last.keys()
    elif from_snapshot:
        products.update(p for p, units in cut.quantities.items() if last.get(p) != units)
        products |= last.keys() - cut.quantities.keys()
    quantities = {p: sendable(cut.quantities.get(p, 0)) for p in sorted(products)}
    touched = {p: quantities.pop(p) for p in sorted(cut.touched)}
    if not everything:
        quantities = {
            product: units
            for product, units in quantities.items()
            if product in dirty or units != sendable(last.get(product, 0))
        }
    sent = (*touched, *quantities) if min(cut.quantities.values(), default=0) < 0 else ()
    clamped = sum(cut.quantities.get(product, 0) < 0 for product in sent)
    return Selection(touched, quantities, clamped)


def sendable(quantity_units: Units) -> int:
    """NewStore takes whole units from 0 up; fractions round down, so that the error is low."""
    return int(quantity_units) if quantity_units > 0 else 0
