"""Odoo's warehouses and products behind our locations and skus."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict

from inventory_sync.adapters.erp.odoo.api import OdooApi, OdooRefusedError
from inventory_sync.domain.errors import RejectedError
from inventory_sync.ports.observe import Clock

RESERVATIONS_CODE = "NSA"
"""Sequence code of the operation type whose transfers hold allocations; without it none are."""
PRODUCTS_MAX = 5_000
"""Products in one call."""

_KEPT = timedelta(minutes=1)


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
    """`default_code` is the internal reference, False without one; `uom_id` the unit of measure."""

    id: int
    default_code: str | bool
    uom_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Warehouse:
    """Ids of a warehouse's stock and of where its deliveries go."""

    stock_id: int
    delivery_type_id: int
    customer_id: int
    reservation_type_id: int | None


class OdooMaster:
    """Warehouses are looked at anew after a minute."""

    def __init__(self, api: OdooApi, clock: Clock) -> None:
        self._api = api
        self._clock = clock
        self._warehouses: dict[str, tuple[datetime, Warehouse]] = {}

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
        kept = self._warehouses.get(code)
        now = self._clock.now()
        if kept is None or not timedelta() <= now - kept[0] <= _KEPT:
            kept = self._warehouses[code] = (now, self._find(code))
        return kept[1]

    def products(self, skus: Iterable[str]) -> dict[str, ProductRow]:
        """By internal reference, those that Odoo has; RejectedError where two share one."""
        wanted = sorted(set(skus))
        found: dict[str, ProductRow] = {}
        for start in range(0, len(wanted), PRODUCTS_MAX):
            part = wanted[start : start + PRODUCTS_MAX]
            for row in self.product_rows([("default_code", "in", part)]):
                sku = str(row.default_code)
                if sku in found:
                    raise shared(sku)
                found[sku] = row
        return found

    def product_rows(self, domain: list[object], limit: int | None = None) -> list[ProductRow]:
        """Archived ones too, by id: they may still have stock."""
        return self._api.rows(
            ProductRow,
            "product.product",
            "search_read",
            domain=domain,
            fields=["default_code", "uom_id"],
            order="id",
            limit=limit,
            load=None,
            context={"active_test": False},
        )

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
        )


def shared(sku: str) -> OdooRefusedError:
    """Two products cannot be told apart."""
    return OdooRefusedError(f"two products in Odoo have the internal reference {sku[:80]!r}")
