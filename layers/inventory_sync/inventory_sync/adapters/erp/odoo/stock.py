"""Odoo's quants as rows of stock, and the products whose moves were booked lately."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict

from inventory_sync.adapters.erp.ids import Ids, UnknownProductError
from inventory_sync.adapters.erp.odoo.api import OdooApi, odoo_time
from inventory_sync.adapters.erp.odoo.master import (
    PRODUCTS_MAX,
    OdooMaster,
    ProductRow,
    Warehouse,
    shared,
)
from inventory_sync.adapters.instants import read_instant
from inventory_sync.adapters.values import MISSING, Fault, FigureOrFault
from inventory_sync.domain.erp import Changes
from inventory_sync.domain.errors import SnapshotIncompleteError
from inventory_sync.domain.stock import StockSnapshot, Units
from inventory_sync.ports.observe import Clock

OVERLAP = timedelta(minutes=15)
"""A move's `write_date` is when its transaction began: the feed steps back by the longest one."""
SECONDS_MAX = 240
PAGE_PRODUCTS = 2_000
"""An answer may have 16 MB: so many products, with 200 quants each."""


class _QuantRow(BaseModel):
    model_config = ConfigDict(extra="ignore")

    product_id: Any = None
    quantity: FigureOrFault = MISSING


@dataclass(slots=True)
class _Rows:
    """Those of a location so far, by product."""

    units: dict[str, Units] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)
    unknown: dict[str, str] = field(default_factory=dict)

    def of(self, location_id: str, as_of: datetime) -> StockSnapshot:
        """All of them."""
        return StockSnapshot(location_id, as_of, self.units, self.unreadable, self.unknown)


class _ProductSeen(BaseModel):
    model_config = ConfigDict(extra="ignore")

    product_id: tuple[int, str]


class OdooStock:
    """Quants of a product are read in one statement, so that none counts twice while it moves."""

    def __init__(self, api: OdooApi, master: OdooMaster, ids: Ids, clock: Clock) -> None:
        self._api = api
        self._master = master
        self._ids = ids
        self._clock = clock

    def snapshot(self, location_id: str) -> StockSnapshot:
        """Product by product, in pages; as of before the first."""
        until = self._clock.monotonic() + SECONDS_MAX
        ids = self._ids.pinned()
        warehouse = self._master.warehouse(ids.erp_location(location_id))
        as_of = self._api.now()
        rows = _Rows()
        last = 0
        while page := self._master.product_rows(
            [("stock_quant_ids.location_id", "child_of", warehouse.stock_id), ("id", ">", last)],
            PAGE_PRODUCTS,
        ):
            if self._clock.monotonic() >= until:
                raise _incomplete(location_id, f"not read within {SECONDS_MAX} s")
            first, before, last = page[0].id, last, page[-1].id
            if not before < first <= last:
                raise _incomplete(location_id, f"a page from product {first} on, after {before}")
            span = [("product_id", ">=", first), ("product_id", "<=", last)]
            self._add(rows, page, self._sums(warehouse, span, location_id), ids, location_id)
        return rows.of(location_id, as_of)

    def read(self, location_id: str, product_ids: frozenset[str]) -> StockSnapshot:
        """The rows of these products; one that Odoo does not know has none."""
        ids = self._ids.pinned()
        warehouse = self._master.warehouse(ids.erp_location(location_id))
        as_of = self._api.now()
        found = self._master.products(ids.sku(product_id) for product_id in product_ids)
        products = sorted(found.values(), key=lambda product: product.id)
        rows = _Rows()
        for start in range(0, len(products), PRODUCTS_MAX):
            part = products[start : start + PRODUCTS_MAX]
            among = [("product_id", "in", [row.id for row in part])]
            self._add(rows, part, self._sums(warehouse, among, location_id), ids, location_id)
        return rows.of(location_id, as_of)

    def changes(self, location_id: str, cursor: str | None) -> Changes:
        """By done move lines, from the cursor less the overlap on.

        The cursor is Odoo's time and what was left out as not for sale: no move tells of a change
        of that.
        """
        ids = self._ids.pinned()
        warehouse = self._master.warehouse(ids.erp_location(location_id))
        as_of = self._api.now()
        left_out = ",".join(map(str, warehouse.not_for_sale))
        since = _since(None if cursor is None else ids.untag_cursor(cursor), left_out)
        moved: frozenset[str] = frozenset()
        if since is not None:
            moved = frozenset(self._moved(warehouse.stock_id, since, ids))
        complete = cursor is None or since is not None
        now = ids.tag_cursor(f"{odoo_time(as_of)}/{left_out}")
        return Changes(product_ids=moved, cursor=now, as_of=as_of, complete=complete)

    def _add(
        self,
        rows: _Rows,
        page: list[ProductRow],
        sums: Mapping[int, Units | Fault],
        ids: Ids,
        location_id: str,
    ) -> None:
        """A kit is left out: what can be sold of it are its parts, which have rows of their own.

        So is an archived product whose reference one in use has.
        """
        for row in page:
            if row.id not in sums or row.is_kits:
                continue
            found = sums[row.id]
            if not row.sku:
                if found != 0:
                    text = "it has stock but no internal reference in Odoo: give it one"
                    rows.unknown[f"Odoo product {row.id}"] = text
                continue
            if not row.active and self._master.products([row.sku])[row.sku].id != row.id:
                continue
            try:
                product_id = ids.product_id(row.sku)
            except UnknownProductError as error:
                rows.unknown[f"sku {row.sku}"] = str(error)
                continue
            if product_id in rows.units or product_id in rows.unreadable:
                raise _incomplete(location_id, str(shared(row.sku)))
            items = self._master.measures.items(found, row.uom_id)
            if isinstance(items, Fault):
                rows.unreadable[product_id] = items.text
            else:
                rows.units[product_id] = items

    def _moved(self, stock_id: int, since: datetime, ids: Ids) -> Iterable[str]:
        seen = self._api.rows(
            _ProductSeen,
            "stock.move.line",
            "formatted_read_group",
            domain=[
                ("state", "=", "done"),
                ("write_date", ">=", odoo_time(since - OVERLAP)),
                "|",
                ("location_id", "child_of", stock_id),
                ("location_dest_id", "child_of", stock_id),
            ],
            groupby=["product_id"],
            aggregates=["__count"],
        )
        numbers = sorted(row.product_id[0] for row in seen)
        for start in range(0, len(numbers), PRODUCTS_MAX):
            part = numbers[start : start + PRODUCTS_MAX]
            for row in self._master.product_rows([("id", "in", part)]):
                with suppress(UnknownProductError):
                    if row.sku:
                        yield ids.product_id(row.sku)

    def _sums(
        self, warehouse: Warehouse, among: Sequence[object], location_id: str
    ) -> Mapping[int, Units | Fault]:
        """By product; what is wrong where one of its quants cannot be read."""
        rows = self._api.rows(
            _QuantRow,
            "stock.quant",
            "search_read",
            domain=[*warehouse.for_sale(), *among],
            fields=["product_id", "quantity"],
            # Without names: to make them takes Odoo ten times as long as the rest.
            load=None,
        )
        sums: dict[int, Units] = {}
        faults: dict[int, Fault] = {}
        for row in rows:
            if type(row.product_id) is not int:
                raise _incomplete(location_id, "a quant names no product")
            if isinstance(row.quantity, Fault):
                faults[row.product_id] = row.quantity
            else:
                sums[row.product_id] = sums.get(row.product_id, 0) + row.quantity
        return {**sums, **faults}


def _since(cursor: str | None, left_out: str) -> datetime | None:
    text, _, before = (cursor or "").partition("/")
    try:
        return read_instant(text, UTC) if before == left_out else None
    except ValueError:
        return None


def _incomplete(location_id: str, text: str) -> SnapshotIncompleteError:
    return SnapshotIncompleteError(f"Odoo, location {location_id}: {text}")
