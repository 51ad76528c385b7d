"""Which rows an import sends."""

from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Any

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

    @property
    def products(self) -> Set[str]:
        """Of all rows."""
        return self.touched.keys() | self.others.keys() if self.touched else self.others.keys()


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
    wanted = {*dirty, *cut.touched}
    if from_snapshot and (full or last_sent is None):
        others = _all_rows(cut, wanted, last)
    else:
        if from_snapshot:
            wanted |= _changed(cut.quantities, last)
        others = _sendable_rows(cut.quantities, wanted)
    sent = () if cut.totals.plain else tuple(others)
    clamped = sum(cut.quantities.get(product, 0) < 0 for product in sent)
    touched = {product: others.pop(product) for product in sorted(cut.touched)}
    return Selection(touched, others, clamped)


def _all_rows(cut: LocationCut, wanted: set[str], last: Mapping[str, Units]) -> dict[str, Any]:
    """All rows, wanted ones and past ones too; as they are where NewStore takes them so."""
    listed = cut.quantities.keys()
    if cut.totals.plain and wanted <= listed and last.keys() <= listed:
        return dict(cut.quantities)
    return _sendable_rows(cut.quantities, wanted.union(listed, last))


def _sendable_rows(quantities: Mapping[str, Units], wanted: set[str]) -> dict[str, Any]:
    """The wanted rows by product."""
    return {product: sendable(quantities.get(product, 0)) for product in sorted(wanted)}


def _changed(now: Mapping[str, Units], last: Mapping[str, Units]) -> set[str]:
    """Products whose row would be sent with another figure than the last one."""
    if list(now) == list(last):
        rows = zip(now, now.values(), last.values(), strict=True)
        differ = {product for product, units, before in rows if units != before}
    else:
        differ = {product for product, units in now.items() if last.get(product) != units}
        differ |= last.keys() - now.keys()
    return {p for p in differ if sendable(now.get(p, 0)) != sendable(last.get(p, 0))}


def sendable(quantity_units: Units) -> int:
    """NewStore takes whole units from 0 up; fractions round down, so that the error is low."""
    return int(quantity_units) if quantity_units > 0 else 0
