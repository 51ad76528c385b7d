"""Odoo's units of measure: how many items of NewStore are in one of a product's.

An item is one of what Odoo counts in where nothing else is said, "Units". A product that is counted
in a measure of another kind, such as metres, has one item in each.
"""

from dataclasses import dataclass
from decimal import Decimal

from pydantic import BaseModel, ConfigDict

from inventory_sync.adapters.erp.kept import Kept
from inventory_sync.adapters.erp.odoo.api import OdooApi
from inventory_sync.adapters.values import Fault, Figure
from inventory_sync.domain.errors import RetriableError
from inventory_sync.domain.stock import Units
from inventory_sync.ports.observe import Clock

_NOISE = Decimal("0.000001")


class _Row(BaseModel):
    model_config = ConfigDict(extra="ignore")


class _UomRow(_Row):
    id: int
    name: str
    factor: Figure
    rounding: Figure
    parent_path: str | bool

    @property
    def kind(self) -> str:
        return str(self.parent_path).split("/")[0]


class _Default(_Row):
    uom_id: int


@dataclass(frozen=True, slots=True)
class Measure:
    """`items` are in one of it, 0 where Odoo does not say; one item is moved in `move_uom_id`.

    `takes_single_items`: whether Odoo, which rounds what it keeps, can take one item off exactly.
    """

    name: str
    items: Decimal
    move_uom_id: int
    takes_single_items: bool


class OdooMeasures:
    """All of Odoo's, read anew after a minute."""

    def __init__(self, api: OdooApi, clock: Clock) -> None:
        self._api = api
        self._kept: Kept[dict[int, Measure]] = Kept(clock)

    def of(self, uom_id: int) -> Measure:
        """RetriableError for one that Odoo does not list: it has just been made."""
        measure = self._kept.get(self._read).get(uom_id)
        if measure is None:
            raise RetriableError(f"Odoo does not list its unit of measure {uom_id}")
        return measure

    def items(self, quantity: Units | Fault, uom_id: int) -> Units | Fault:
        """Whole but for the noise of floating numbers; what is no whole number stays as it is.

        A Fault where the quantity is one, or nothing tells how many items the measure has.
        """
        if isinstance(quantity, Fault):
            return quantity
        measure = self._kept.get(self._read).get(uom_id)
        if measure is None:
            return Fault(f"is in unit of measure {uom_id}, which Odoo does not list")
        if not measure.items:
            return Fault(f"is in {measure.name}: Odoo does not say how many items are in one")
        items = Decimal(quantity) * measure.items
        whole = round(items)
        return whole if abs(items - whole) < _NOISE else items

    def _read(self) -> dict[int, Measure]:
        default = self._api.row(_Default, "product.template", "default_get", fields=["uom_id"])
        rows = self._api.rows(
            _UomRow,
            "uom.uom",
            "search_read",
            domain=[],
            fields=list(_UomRow.model_fields),
            context={"active_test": False},
        )
        item = next((row for row in rows if row.id == default.uom_id), None)
        if item is None:
            raise RetriableError("Odoo does not list the unit of measure that it counts in")
        return {row.id: _measure(row, item) for row in rows}


def _measure(row: _UomRow, item: _UomRow) -> Measure:
    if row.id == item.id or (row.parent_path and row.kind != item.kind):
        return Measure(row.name, Decimal(1), row.id, takes_single_items=True)
    if row.factor == item.factor:
        return Measure(row.name, Decimal(1), row.id, takes_single_items=True)
    if min(row.factor, item.factor) <= 0 or not row.parent_path:
        return Measure(row.name, Decimal(0), item.id, takes_single_items=False)
    items = Decimal(row.factor) / Decimal(item.factor)
    if row.rounding <= 0:
        return Measure(row.name, items, item.id, takes_single_items=False)
    steps = 1 / items / Decimal(row.rounding)
    return Measure(row.name, items, item.id, abs(steps - round(steps)) < _NOISE)
