"""Odoo's units of measure: how many items of NewStore are in one of a product's.

An item is one of what Odoo counts in where nothing else is said, "Units". A product that is counted
in a measure of another kind, such as metres, has one item in each.
"""

from dataclasses import dataclass
from decimal import Decimal

from pydantic import BaseModel, ConfigDict

from inventory_sync.adapters.erp.kept import Kept
from inventory_sync.adapters.erp.odoo.api import OdooApi
from inventory_sync.adapters.values import Figure
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
    parent_path: str

    @property
    def kind(self) -> str:
        return self.parent_path.split("/")[0]


class _Default(_Row):
    uom_id: int


@dataclass(frozen=True, slots=True)
class Measure:
    """`items` are in one of it; a move of one item is booked in `move_uom_id`.

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

    def items(self, quantity: Units, uom_id: int) -> Units:
        """Whole but for the noise of floating numbers; what is no whole number stays as it is."""
        items = Decimal(quantity) * self.of(uom_id).items
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
    if row.kind != item.kind or row.factor == item.factor:
        return Measure(row.name, Decimal(1), row.id, takes_single_items=True)
    items = Decimal(row.factor) / Decimal(item.factor)
    steps = 1 / items / Decimal(row.rounding)
    return Measure(row.name, items, item.id, abs(steps - round(steps)) < _NOISE)
