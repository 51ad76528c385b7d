"""Which rows of a finished import may show what becomes of a shipped unit at NewStore."""

import heapq
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from inventory_sync.domain.manifest import Ledger
from inventory_sync.domain.row_selection import sendable
from inventory_sync.domain.units import CompletedUnit

CONTROLS_MAX = 6
"""In one location."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceRow:
    """A row to measure: `completed` are its units after the range; a control row has none.

    `shipped` are the ids of all items of it that are known to have left. `released` says that the
    import's range is the first to release one of them.
    """

    product_id: str
    sent: int
    completed: tuple[str, ...]
    shipped: frozenset[str]
    released: bool


def evidence_rows(
    ledger: Ledger,
    units: Iterable[CompletedUnit],
    *,
    cut_end: int,
    began_at: datetime,
    rows_max: int,
) -> tuple[EvidenceRow, ...]:
    """At most `rows_max` rows with units, and control rows beside them; none without any.

    `ledger` is the import's own: a row it did not send says nothing. Left out is a row of which a
    unit left after the import began, at `began_at`: under one reading the import may have
    overwritten that, and whether it did cannot be seen.
    """
    by_product: dict[str, list[CompletedUnit]] = defaultdict(list)
    for unit in units:
        by_product[unit.product_id].append(unit)
    later = {p for p, found in by_product.items() if not all(u.gone_at < began_at for u in found)}
    after = {p for p, found in by_product.items() if any(_after(u, cut_end) for u in found)}
    wanted = sorted((after & ledger.sent) - later)[:rows_max]
    if not wanted:
        return ()
    released = {
        product
        for product in (by_product.keys() & ledger.sent) - after - later
        if any(not unit.counted for unit in by_product[product])
    }
    controls = [p for p in sorted(released) if sendable(ledger.quantities.get(p, 0))]
    controls = controls[: CONTROLS_MAX // 2]
    controls += _plainest(ledger, by_product, CONTROLS_MAX - len(controls))
    return tuple(
        EvidenceRow(
            product_id=product,
            sent=sendable(ledger.quantities.get(product, 0)),
            completed=tuple(u.unit.item_id for u in by_product[product] if _after(u, cut_end)),
            shipped=frozenset(u.unit.item_id for u in by_product[product]),
            released=product in released,
        )
        for product in (*wanted, *controls)
    )


def _after(unit: CompletedUnit, cut_end: int) -> bool:
    return unit.logical_timestamp > cut_end


def _plainest(
    ledger: Ledger, by_product: Mapping[str, list[CompletedUnit]], count: int
) -> list[str]:
    """Rows without any unit that left, where most is left."""
    rows = (
        (sendable(units), product)
        for product, units in ledger.quantities.items()
        if product not in by_product and units > 0
    )
    return [product for _, product in heapq.nlargest(count, rows)]
