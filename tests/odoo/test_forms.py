"""How retailers keep stock in Odoo: dozens, kits, scrap, consignment, archived products.

With ODOO=1 against a running Odoo 19, else against what it answered (tests/odoo/recorded.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import pytest

from inventory_sync.adapters.erp.odoo.connector import OdooErp
from inventory_sync.domain.errors import FatalError, SnapshotIncompleteError
from inventory_sync.domain.stock import (
    Accepted,
    Acknowledgement,
    AllocationState,
    MovementOutcome,
    Rejection,
    StockMovement,
)
from tests.connector.bench import change, movement
from tests.odoo.bench import OdooBooks, connector_to
from tests.odoo.recorded import RecordedOdoo, recorded_odoo

AT = "Hamburg"


class Shop:
    """Odoo by hand, and a connector to it."""

    def __init__(self, recorded: RecordedOdoo, name: str) -> None:
        self._recorded = recorded
        self._name = name
        self.books = OdooBooks(recorded)
        self.call = self.books.call

    def connector(self, *, not_for_sale: Sequence[str] = ()) -> OdooErp:
        key = self._recorded.keys["sync"]
        return connector_to(self._recorded.base_url, key, not_for_sale=not_for_sale)

    def on_hand(self, sku: str, **settings: Any) -> int | Decimal | None:
        return self.connector(**settings).snapshot(AT).on_hand_units.get(sku)

    def shipment(self, sku: str, number: int = 1) -> StockMovement:
        """Stable by the test's name and its number."""
        return movement(number, {sku: 1}, at=AT, request=f"{self._name}-{number}")

    def ship(self, sku: str, number: int = 1, **settings: Any) -> MovementOutcome:
        [outcome] = self.connector(**settings).post_movements([self.shipment(sku, number)])
        return outcome

    def place(self, name: str, usage: str) -> int:
        """A location below the stock."""
        values = {"name": name, "usage": usage, "location_id": self.books.stock_id}
        [place] = self.call("stock.location", "create", vals_list=[values])
        return int(place)

    def measure(self, name: str, items: int) -> int:
        [units] = self.call("uom.uom", "search", domain=[("name", "=", "Units")])
        values = {"name": name, "relative_factor": items, "relative_uom_id": units}
        [measure] = self.call("uom.uom", "create", vals_list=[values])
        return int(measure)

    def nothing_stands_under(self, wanted: StockMovement) -> bool:
        return self.books.deliveries(wanted.movement_id) == []


@pytest.fixture(scope="module")
def recorded() -> Iterator[RecordedOdoo]:
    with recorded_odoo("forms") as recorded:
        yield recorded


@pytest.fixture
def shop(recorded: RecordedOdoo, request: pytest.FixtureRequest) -> Shop:
    recorded.begin(request.node.name)
    return Shop(recorded, request.node.name)


def test_stock_counted_in_dozens_is_told_in_items(shop: Shop) -> None:
    shop.books.create_product("SOCK", uom_id=shop.measure("A dozen", 12))
    shop.books.count_stock("SOCK", 2.5)
    assert shop.on_hand("SOCK") == 30


def test_fraction_of_an_item_is_kept_for_the_guard_to_name(shop: Shop) -> None:
    shop.books.create_product("SOCK-2", uom_id=shop.measure("Another dozen", 12))
    shop.books.count_stock("SOCK-2", 0.55)
    assert shop.on_hand("SOCK-2") == Decimal("6.6")


def test_item_that_odoo_cannot_take_off_a_dozen_is_refused_by_name_and_not_booked(
    shop: Shop,
) -> None:
    """It would keep 1.92 of two dozens, which is 23.04."""
    shop.books.create_product("SOCK-3", uom_id=shop.measure("Twelve", 12))
    shop.books.count_stock("SOCK-3", 2)
    outcome = shop.ship("SOCK-3")
    assert isinstance(outcome, Rejection)
    assert "'SOCK-3' is counted in Twelve" in outcome.reason
    assert shop.nothing_stands_under(shop.shipment("SOCK-3"))
    assert shop.on_hand("SOCK-3") == 24


def test_item_of_a_box_of_ten_is_booked_as_a_tenth(shop: Shop) -> None:
    shop.books.create_product("PEN", uom_id=shop.measure("Ten", 10))
    shop.books.count_stock("PEN", 2)
    assert isinstance(shop.ship("PEN"), Acknowledgement)
    assert isinstance(shop.ship("PEN"), Acknowledgement)
    assert shop.on_hand("PEN") == 19


def test_scrap_and_damaged_goods_below_the_stock_are_left_out(shop: Shop) -> None:
    """And are not what a delivery takes, though they came first."""
    damaged, scrap = shop.place("Damaged", "internal"), shop.place("Scrap", "inventory")
    shelf = shop.place("Shelf", "internal")
    number = shop.books.create_product("TEE")
    shop.books.count_stock("TEE", 4, location_id=damaged)
    shop.books.count_stock("TEE", 10, location_id=shelf)
    values = {"product_id": number, "scrap_qty": 3, "location_id": shelf}
    orders = shop.call("stock.scrap", "create", vals_list=[{**values, "scrap_location_id": scrap}])
    shop.call("stock.scrap", "action_validate", ids=orders)

    assert shop.on_hand("TEE") == 11
    settings: dict[str, Any] = {"not_for_sale": ["Damaged"]}
    assert shop.on_hand("TEE", **settings) == 7
    for shipped in range(1, 4):
        assert isinstance(shop.ship("TEE", shipped, **settings), Acknowledgement)
        assert shop.on_hand("TEE", **settings) == 7 - shipped
    assert shop.on_hand("TEE") == 8


def test_goods_sold_where_only_damaged_ones_are_left_make_the_stock_negative(shop: Shop) -> None:
    place = shop.place("Broken", "internal")
    shop.books.create_product("CUP")
    shop.books.count_stock("CUP", 4, location_id=place)
    settings: dict[str, Any] = {"not_for_sale": ["Broken"]}
    assert isinstance(shop.ship("CUP", **settings), Acknowledgement)
    assert shop.on_hand("CUP", **settings) == -1


def test_name_that_no_location_has_leaves_nothing_out_and_is_said(shop: Shop) -> None:
    with pytest.raises(FatalError, match="'Damagd'"):
        shop.on_hand("TEE", not_for_sale=["Damagd"])


def test_consignment_stock_counts_and_is_shipped_like_ones_own(shop: Shop) -> None:
    [owner] = shop.call("res.partner", "create", vals_list=[{"name": "Owner"}])
    shop.books.create_product("CON")
    shop.books.count_stock("CON", 2, owner_id=owner)
    shop.books.count_stock("CON", 1)
    assert shop.on_hand("CON") == 3
    for shipped in range(1, 5):
        assert isinstance(shop.ship("CON", shipped), Acknowledgement)
        assert shop.on_hand("CON") == 3 - shipped


def test_warehouse_that_picks_before_it_ships_books_one_delivery(shop: Shop) -> None:
    found = shop.call("stock.warehouse", "search", domain=[("code", "=", "DC01")])
    shop.call("stock.warehouse", "write", ids=found, vals={"delivery_steps": "pick_ship"})
    shop.books.create_product("TWO")
    shop.books.count_stock("TWO", 2)
    outcome = shop.ship("TWO")
    shop.call("stock.warehouse", "write", ids=found, vals={"delivery_steps": "ship_only"})
    assert isinstance(outcome, Acknowledgement)
    assert shop.books.deliveries(shop.shipment("TWO").movement_id) == ["done"]
    assert shop.on_hand("TWO") == 1


def test_archived_product_keeps_its_stock_and_ships(shop: Shop) -> None:
    number = shop.books.create_product("OLD")
    shop.books.count_stock("OLD", 3)
    shop.call("product.product", "action_archive", ids=[number])
    assert isinstance(shop.ship("OLD"), Acknowledgement)
    assert shop.on_hand("OLD") == 2


def test_reference_of_an_archived_product_is_that_of_the_one_in_use(shop: Shop) -> None:
    before = shop.books.create_product("AGAIN")
    shop.books.count_stock("AGAIN", 3)
    shop.call("product.product", "action_archive", ids=[before])
    now = shop.books.create_product("AGAIN")
    assert shop.on_hand("AGAIN") is None
    shop.books.count_product(now, 5)
    assert isinstance(shop.ship("AGAIN"), Acknowledgement)
    assert shop.on_hand("AGAIN") == 4


def test_reference_with_blanks_around_it_is_found(shop: Shop) -> None:
    shop.books.create_product(" HAT_1 ")
    shop.books.count_stock(" HAT_1 ", 3)
    assert isinstance(shop.ship("HAT_1"), Acknowledgement)
    assert shop.on_hand("HAT_1") == 2
    assert shop.connector().read(AT, frozenset({"HAT_1"})).on_hand_units == {"HAT_1": 2}


def test_two_products_in_use_with_one_reference_hold_the_location(shop: Shop) -> None:
    numbers = [shop.books.create_product(sku) for sku in ("CAP", "CAP ")]
    for number in numbers:
        shop.books.count_product(number, 3)
    with pytest.raises(SnapshotIncompleteError, match="two products in Odoo"):
        shop.on_hand("CAP")
    shop.call("product.product", "write", ids=numbers[1:], vals={"default_code": "CAP-2"})


def test_kit_is_refused_by_name_and_never_booked(shop: Shop) -> None:
    """Also its allocation: Odoo would set aside the parts."""
    [module] = shop.call("ir.module.module", "search", domain=[("name", "=", "mrp")])
    shop.call("ir.module.module", "button_immediate_install", ids=[module])
    kit, part = (shop.books.create_product(sku) for sku in ("KIT", "PART"))
    shop.books.count_stock("PART", 20)
    [row] = shop.call("product.product", "read", ids=[kit], fields=["product_tmpl_id"])
    line = [0, 0, {"product_id": part, "product_qty": 2}]
    bill = {"product_tmpl_id": row["product_tmpl_id"][0], "type": "phantom"}
    shop.call("mrp.bom", "create", vals_list=[{**bill, "bom_line_ids": [line]}])
    wanted = shop.shipment("KIT")
    outcome = shop.ship("KIT")
    assert isinstance(outcome, Rejection)
    assert "'KIT' is a kit" in outcome.reason
    assert shop.nothing_stands_under(wanted)
    assert shop.connector().look_up(wanted.movement_id) is None
    allocated = change(1, AllocationState.ALLOCATED, {"a": "KIT"}, at=AT, request="kits")
    assert shop.connector().change_allocations([allocated]) == [Accepted()]
    assert (shop.on_hand("KIT"), shop.on_hand("PART")) == (None, 20)
    assert isinstance(shop.ship("PART", 2), Acknowledgement)
