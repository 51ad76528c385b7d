"""Which rows an import sends."""

from collections.abc import Mapping, Set
from dataclasses import dataclass, replace
from typing import Any

from inventory_sync.domain.cut import LocationCut
from inventory_sync.domain.stock import Units


@dataclass(frozen=True, slots=True)
class Selection:
    """The rows of one location that an import sends, product id -> units, sorted by product.

    `touched` rows have to reach NewStore in the same file as the range that releases their
    units; `changed` and `refreshed` ones may go anywhere, and the latter only repeat what NewStore
    should have already. `clamped` counts negative results that are sent as 0.
    """

    touched: Mapping[str, int]
    changed: Mapping[str, int]
    refreshed: Mapping[str, int]
    clamped: int

    @property
    def products(self) -> Set[str]:
        """Of all rows."""
        if not self.touched and not self.changed:
            return self.refreshed.keys()
        return self.touched.keys() | self.changed.keys() | self.refreshed.keys()

    def without(self, products: Set[str]) -> "Selection":
        """The same less some products."""
        touched, changed, refreshed = (
            {product: units for product, units in rows.items() if product not in products}
            for rows in (self.touched, self.changed, self.refreshed)
        )
        return replace(self, touched=touched, changed=changed, refreshed=refreshed)

    @property
    def rows(self) -> int:
        """How many there are."""
        return len(self.touched) + len(self.changed) + len(self.refreshed)


def select_rows(
    cut: LocationCut,
    *,
    last_sent: Mapping[str, Units] | None,
    doubtful: frozenset[str],
    refresh_from: str | None = None,
) -> Selection:
    """Rows that differ from `last_sent` (the last finished import), were touched, or are doubtful.

    Without a `last_sent` no row differs: there is nothing to compare with.
    `doubtful` products were in an import that did not finish: what NewStore holds is unknown. A
    refresh sends every row too whose product is `refresh_from` or comes after it, in order of the
    products; the empty text stands for all of them.
    """
    last = last_sent or {}
    wanted = doubtful if last_sent is None else doubtful | changed_products(cut.quantities, last)
    refreshed: Mapping[str, Any] = {}
    if refresh_from is not None:
        refreshed = _refreshed(cut, last, wanted | cut.touched, refresh_from)
    touched = _sendable_rows(cut.quantities, cut.touched)
    changed = _sendable_rows(cut.quantities, wanted - cut.touched - refreshed.keys())
    clamped = 0
    if not cut.totals.plain:
        sent = (*touched, *changed, *refreshed)
        clamped = sum(cut.quantities.get(product, 0) < 0 for product in sent)
    return Selection(touched, changed, refreshed, clamped)


def _refreshed(
    cut: LocationCut, last: Mapping[str, Units], wanted: Set[str], start: str
) -> Mapping[str, Any]:
    """Rows that are not wanted for another reason; as they are where NewStore takes them so."""
    listed = cut.quantities.keys()
    if not start and not wanted and cut.totals.plain and last.keys() <= listed:
        return cut.quantities
    rest = (listed | last.keys()) - wanted
    return _sendable_rows(cut.quantities, {product for product in rest if product >= start})


def _sendable_rows(quantities: Mapping[str, Units], wanted: Set[str]) -> dict[str, Any]:
    """The wanted rows by product."""
    return {product: sendable(quantities.get(product, 0)) for product in sorted(wanted)}


def changed_products(now: Mapping[str, Units], last: Mapping[str, Units]) -> set[str]:
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
