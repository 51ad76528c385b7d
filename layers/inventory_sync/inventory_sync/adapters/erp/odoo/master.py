"""Odoo's warehouses and products behind our locations and skus."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from inventory_sync.adapters.erp.kept import Kept
from inventory_sync.adapters.erp.odoo.api import OdooApi, OdooRefusedError
from inventory_sync.adapters.erp.odoo.measures import OdooMeasures
from inventory_sync.domain.errors import FatalError, RejectedError
from inventory_sync.ports.observe import Clock

RESERVATIONS_CODE = "NSA"
"""Sequence code of the operation type whose transfers hold allocations; without it none are."""
PRODUCTS_MAX = 5_000
"""Products in one call."""

_PATTERNS_MAX = 100


class _Row(BaseModel):
    model_config = ConfigDict(extra="ignore")


class _WarehouseRow(_Row):
    id: int
    lot_stock_id: tuple[int, str]
    out_type_id: tuple[int, str]


class _TypeRow(_Row):
    id: int
    sequence_code: str
    default_location_dest_id: tuple[int, str]
    warehouse_id: tuple[int, str] | bool


class ProductRow(_Row):
    """`default_code` is the internal reference, False without one; `uom_id` the unit of measure.

    `is_kits` of one that a bill of materials makes a kit: Odoo moves its parts in its place.
    """

    id: int
    default_code: str | bool
    uom_id: int | bool
    active: bool
    is_kits: bool = False

    @property
    def sku(self) -> str:
        """The reference without the blanks that people type before and after it."""
        return str(self.default_code or "").strip()


class _PlaceRow(_Row):
    id: int
    name: str
    parent_path: str


class _Fields(_Row):
    is_kits: dict[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Warehouse:
    """Ids of a warehouse's stock and of where its deliveries go.

    `not_for_sale` are locations below the stock that are left out, with all below them.
    """

    stock_id: int
    delivery_type_id: int
    customer_id: int
    reservation_type_id: int | None
    not_for_sale: tuple[int, ...] = ()

    def for_sale(self) -> list[object]:
        """The domain of quants where goods for sale stand: no scrap, nothing left out."""
        below = ("location_id", "child_of", self.stock_id)
        return [below, "!", *self.elsewhere()]

    def elsewhere(self) -> list[object]:
        """The domain of what stands below the stock and is not for sale."""
        no_stock = ("location_id.usage", "!=", "internal")
        if not self.not_for_sale:
            return [no_stock]
        return ["|", no_stock, ("location_id", "child_of", list(self.not_for_sale))]


class OdooMaster:
    """Warehouses are looked at anew after a minute.

    `not_for_sale` gives the names of locations whose goods are not for sale.
    """

    def __init__(
        self, api: OdooApi, clock: Clock, not_for_sale: Callable[[], Sequence[str]]
    ) -> None:
        self._api = api
        self._clock = clock
        self._not_for_sale = not_for_sale
        self.measures = OdooMeasures(api, clock)
        self._kits: Kept[bool] = Kept(clock)
        self._warehouses: dict[str, Kept[Warehouse]] = {}

    def reservations(self) -> bool:
        """Whether any warehouse has an operation type for allocations."""
        domain = [("sequence_code", "=", RESERVATIONS_CODE)]
        return bool(
            self._api.rows(
                _TypeRow,
                "stock.picking.type",
                "search_read",
                domain=domain,
                fields=["sequence_code", "default_location_dest_id", "warehouse_id"],
                limit=1,
            )
        )

    def warehouse(self, code: str) -> Warehouse:
        """By its short name; RejectedError where Odoo has none, or more than one company has it."""
        kept = self._warehouses.setdefault(code, Kept(self._clock))
        return kept.get(lambda: self._find(code))

    def products(self, skus: Iterable[str]) -> dict[str, ProductRow]:
        """By internal reference, those that Odoo has; RejectedError where two share one."""
        wanted = sorted(set(skus))
        found: dict[str, ProductRow] = {}
        for start in range(0, len(wanted), PRODUCTS_MAX):
            part = dict.fromkeys(wanted[start : start + PRODUCTS_MAX])
            rows = self.product_rows([("default_code", "in", list(part))])
            known = {row.sku for row in rows}
            rows += self._with_blanks([sku for sku in part if sku not in known])
            for row in rows:
                if row.sku in part:
                    found[row.sku] = meant(row, found.get(row.sku))
        return found

    def product_rows(self, domain: list[object], limit: int | None = None) -> list[ProductRow]:
        """Archived ones too, by id: they may still have stock."""
        kits = ["is_kits"] if self._has_kits() else []
        return self._api.rows(
            ProductRow,
            "product.product",
            "search_read",
            domain=domain,
            fields=["default_code", "uom_id", "active", *kits],
            order="id",
            limit=limit,
            load=None,
            context={"active_test": False},
        )

    def refusal(self, product: ProductRow) -> str:
        """Why Odoo cannot take single items of a product off its stock; empty where it can."""
        if product.is_kits:
            return (
                f"product {product.sku!r} is a kit in Odoo, which books its parts in its place:"
                " sell the parts, or stock the kit as a product of its own"
            )
        measure = self.measures.of(product.uom_id)
        if not measure.takes_single_items:
            return (
                f"product {product.sku!r} is counted in {measure.name} in Odoo, of which one item"
                " is no part that Odoo can keep without rounding: count it in single units"
            )
        return ""

    def _with_blanks(self, skus: list[str]) -> list[ProductRow]:
        """Products whose reference has blanks around it."""
        found: list[ProductRow] = []
        for start in range(0, len(skus), _PATTERNS_MAX):
            part = skus[start : start + _PATTERNS_MAX]
            patterns: list[object] = [("default_code", "like", _pattern(sku)) for sku in part]
            found += self.product_rows(["|"] * (len(part) - 1) + patterns)
        return found

    def _has_kits(self) -> bool:
        """Whether Odoo's app for manufacturing is there, which has kits."""
        return self._kits.get(self._read_kits)

    def _read_kits(self) -> bool:
        arguments = {"allfields": ["is_kits"], "attributes": ["type"]}
        fields = self._api.row(_Fields, "product.product", "fields_get", **arguments)
        return fields.is_kits is not None

    def _left_out(self, stock_id: int) -> tuple[int, ...]:
        """FatalError for a name that no location of Odoo's has: it would leave nothing out."""
        names = sorted(set(self._not_for_sale()))
        if not names:
            return ()
        rows = self._api.rows(
            _PlaceRow,
            "stock.location",
            "search_read",
            domain=[("name", "in", names)],
            fields=["name", "parent_path"],
            order="id",
        )
        if missing := sorted(set(names) - {row.name for row in rows}):
            raise FatalError(
                f"not_for_sale names {missing[0][:80]!r}, and Odoo has no location of that name"
            )
        return tuple(row.id for row in rows if str(stock_id) in row.parent_path.split("/")[:-2])

    def _find(self, code: str) -> Warehouse:
        rows = self._api.rows(
            _WarehouseRow,
            "stock.warehouse",
            "search_read",
            domain=[("code", "=", code)],
            fields=["lot_stock_id", "out_type_id"],
        )
        if len(rows) != 1:
            raise RejectedError(
                f"Odoo has {len(rows)} warehouses with the short name {code[:40]!r}; the location"
                " map has to give the short name of one that the API user may see"
            )
        types = self._api.rows(
            _TypeRow,
            "stock.picking.type",
            "search_read",
            domain=[
                "|",
                ("id", "=", rows[0].out_type_id[0]),
                "&",
                ("warehouse_id", "=", rows[0].id),
                ("sequence_code", "=", RESERVATIONS_CODE),
            ],
            fields=["sequence_code", "default_location_dest_id", "warehouse_id"],
        )
        delivery = [t for t in types if t.id == rows[0].out_type_id[0]]
        if not delivery:
            raise RejectedError(f"warehouse {code[:40]!r} has no active type for deliveries")
        return Warehouse(
            stock_id=rows[0].lot_stock_id[0],
            delivery_type_id=delivery[0].id,
            customer_id=delivery[0].default_location_dest_id[0],
            reservation_type_id=next((t.id for t in types if t not in delivery), None),
            not_for_sale=self._left_out(rows[0].lot_stock_id[0]),
        )


def shared(sku: str) -> OdooRefusedError:
    """Two products cannot be told apart."""
    return OdooRefusedError(f"two products in Odoo have the internal reference {sku[:80]!r}")


def meant(row: ProductRow, other: ProductRow | None) -> ProductRow:
    """Of two products with one reference the one in use, where the other is archived."""
    if other is None or row.id == other.id or (row.active and not other.active):
        return row
    if other.active and not row.active:
        return other
    raise shared(row.sku)


def _pattern(sku: str) -> str:
    """For `like`, which finds a part of a text."""
    return re.sub(r"([\\%_])", r"\\\1", sku)
