"""Odoo as a bench of the connector suite: books are read and changed with the admin's key."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from itertools import count
from typing import Any, Protocol
from uuid import uuid4

import requests

from inventory_sync.adapters.erp.ids import IdMap
from inventory_sync.adapters.erp.odoo.connector import OdooErp
from inventory_sync.adapters.http.authorized import AuthorizedHttp
from inventory_sync.adapters.http.client import JsonHttp
from inventory_sync.adapters.http.request import HttpLimits
from inventory_sync.bootstrap.system_clock import SystemClock
from local.cutting_proxy import CuttingProxy
from tests.odoo.server import Odoo, running_odoo

LIMITS = HttpLimits(read_seconds=30, attempts_max=1)
WRITING = ("/load", "/write", "/button_validate", "/action_")


class Key:
    """An API key as credentials."""

    secret_arn = "odoo-test-key"

    def __init__(self, key: str) -> None:
        self._key = key

    def bearer(self) -> str:
        return self._key

    def invalidate(self, refused: str) -> None:
        """There is no other."""


class Reached(Protocol):
    """An Odoo, or something before it; `keys` are API keys by who holds them."""

    @property
    def base_url(self) -> str:
        """Without a slash at its end."""

    @property
    def keys(self) -> dict[str, str]:
        """Of the admin, and of the user that the adapter is."""


def connector_to(base_url: str, key: str, *, not_for_sale: Sequence[str] = ()) -> OdooErp:
    """Under the names of the bench: our Hamburg is Odoo's DC01."""
    clock = SystemClock()
    return OdooErp(
        AuthorizedHttp(JsonHttp(clock, LIMITS, lambda: 0.5), Key(key)),
        clock,
        base_url=base_url,
        database=lambda: "odoo",
        not_for_sale=lambda: not_for_sale,
        apply_lag=timedelta(0),
        ids=IdMap({"Hamburg": "DC01"}),
    )


class OdooBooks:
    """Odoo by the admin's hand."""

    def __init__(self, odoo: Reached) -> None:
        self.odoo = odoo
        self._session = requests.Session()
        [place] = self.call(
            "stock.warehouse",
            "search_read",
            domain=[("code", "=", "DC01")],
            fields=["lot_stock_id"],
        )
        self.stock_id: int = place["lot_stock_id"][0]

    def call(self, model: str, method: str, **arguments: Any) -> Any:
        answer = self._session.post(
            f"{self.odoo.base_url}/json/2/{model}/{method}",
            json=arguments,
            headers={"Authorization": f"Bearer {self.odoo.keys['admin']}"},
            timeout=120,
        )
        assert answer.ok, answer.text[:1000]
        return answer.json()

    def create_product(self, sku: str, **more: Any) -> int:
        values = {"name": sku, "default_code": sku, "is_storable": True, **more}
        [number] = self.call("product.product", "create", vals_list=[values])
        return int(number)

    def product_id(self, sku: str) -> int:
        domain = [("default_code", "=", sku)]
        [found] = self.call("product.product", "search", domain=domain)
        return int(found)

    def count_stock(self, sku: str, units: float, **more: Any) -> None:
        """A count at the shelf."""
        self.count_product(self.product_id(sku), units, **more)

    def count_product(self, number: int, units: float, **more: Any) -> None:
        """The same by Odoo's own id."""
        values = {
            "product_id": number,
            "location_id": self.stock_id,
            "inventory_quantity": units,
            **more,
        }
        context = {"inventory_mode": True}
        found = self.call("stock.quant", "create", vals_list=[values], context=context)
        self.call("stock.quant", "action_apply_inventory", ids=found, context=context)

    def on_hand(self, sku: str) -> int:
        return self._quants(sku, "quantity")

    def reserved(self, sku: str) -> int:
        """By the lines of transfers that hold it: a quant's own figure is not to be trusted."""
        domain = [("product_id", "=", self.product_id(sku)), ("state", "=", "assigned")]
        lines = self.call("stock.move.line", "search_read", domain=domain, fields=["quantity"])
        return int(sum(line["quantity"] for line in lines))

    def deliveries(self, movement_id: str) -> list[str]:
        """States of all that stands under a movement id."""
        domain = [("origin", "=", movement_id)]
        found = self.call("stock.picking", "search_read", domain=domain, fields=["state"])
        return [str(row["state"]) for row in found]

    def moves(self, movement_id: str) -> list[tuple[str, float]]:
        """Description and quantity of each move that stands under a movement id."""
        domain = [("picking_id.origin", "=", movement_id)]
        fields = ["description_picking", "quantity"]
        found = self.call("stock.move", "search_read", domain=domain, fields=fields, order="id")
        return [(str(row["description_picking"]), float(row["quantity"])) for row in found]

    def _quants(self, sku: str, field: str) -> int:
        domain = [
            ("product_id", "=", self.product_id(sku)),
            ("location_id", "child_of", self.stock_id),
        ]
        rows = self.call("stock.quant", "search_read", domain=domain, fields=[field])
        return int(sum(row[field] for row in rows))


class OdooBench:
    """Through a proxy that may cut; products of ours are skus of Odoo under other names."""

    location_id = "Hamburg"

    def __init__(self, odoo: Odoo, proxy: CuttingProxy) -> None:
        self.odoo, self.proxy = odoo, proxy
        self.books = OdooBooks(odoo)
        self._numbers = count(1)
        self._run = uuid4().hex[:6]

    def connector(self) -> OdooErp:
        return connector_to(self.proxy.base_url, self.odoo.keys["sync"])

    def product(self) -> str:
        sku = f"SKU-{self._run}-{next(self._numbers)}"
        self.books.create_product(sku)
        return sku

    def set_stock(self, product_id: str, units: int) -> None:
        self.books.count_stock(product_id, units)

    def on_hand(self, product_id: str) -> int:
        return self.books.on_hand(product_id)

    def let_it_book(self) -> None:
        """It books at once."""

    def let_it_show(self) -> None:
        """Odoo's clock has whole seconds, and the connector rounds to the safe side."""
        time.sleep(2.1)

    @contextmanager
    def losing_answers(self, count: int) -> Iterator[None]:
        left = [count]

        def cut(path: str) -> str:
            if left[0] == 0 or not any(part in path for part in WRITING):
                return ""
            left[0] -= 1
            return "after"

        self.proxy.cut = cut
        yield
        self.proxy.cut = lambda path: ""


@contextmanager
def odoo() -> Iterator[OdooBench]:
    """A fresh Odoo for this suite."""
    with running_odoo() as running, CuttingProxy(running.base_url) as proxy:
        yield OdooBench(running, proxy)
