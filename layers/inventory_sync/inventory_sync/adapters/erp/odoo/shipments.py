"""Movements as deliveries: written by external id, so that any step may be repeated.

A delivery has a stock move for each unit, described by the unit's id: Odoo merges the moves of a
delivery that are alike in all, their description too. The external id of a move is made of its
unit, so that Odoo never has two moves of one unit.

what is found under the movement id     what is done
nothing                                 load the delivery, set what is done, validate, look
a delivery that is not done             the same: load by the same ids changes nothing
done, with the movement's content       nothing: it is booked
done or not, with other content         refused: a person has to look
cancelled                               refused: a person has to look
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

from pydantic import BaseModel, ConfigDict

from inventory_sync.adapters.erp.ids import Ids
from inventory_sync.adapters.erp.odoo.api import TICK, OdooApi, OdooRefusedError, odoo_time
from inventory_sync.adapters.erp.odoo.deliveries import Delivery, Line, find_delivery
from inventory_sync.adapters.erp.odoo.master import OdooMaster, ProductRow, Warehouse
from inventory_sync.adapters.erp.odoo.measures import Measure
from inventory_sync.domain.stock import Acknowledgement, Rejection, StockMovement, TryLater, Units
from inventory_sync.domain.units import UnitId

COMMITTED_WITHIN = timedelta(minutes=15)
"""From a delivery's `date_done` to its commit: far more than Odoo lets a request run."""

_DATABASE_TROUBLE = re.compile("serializ|deadlock|concurrent|duplicate key|unknown", re.IGNORECASE)
_FIELDS = [
    "id",
    "origin",
    "note",
    "picking_type_id/.id",
    "location_id/.id",
    "location_dest_id/.id",
    "scheduled_date",
    "move_ids/id",
    "move_ids/description_picking",
    "move_ids/product_id/.id",
    "move_ids/product_uom/.id",
    "move_ids/product_uom_qty",
    "move_ids/location_id/.id",
    "move_ids/location_dest_id/.id",
]


class _LineRow(BaseModel):
    model_config = ConfigDict(extra="ignore")

    id: int
    product_id: tuple[int, str]


class _QuantRow(_LineRow):
    location_id: tuple[int, str]


@dataclass(frozen=True, slots=True)
class _Content:
    """What a delivery has to be: Odoo's product of each unit, and where they leave from.

    `refused` says why Odoo cannot book it, which leaves alone what it has booked before.
    """

    products: Mapping[UnitId, ProductRow]
    warehouse: Warehouse
    measures: Mapping[int, Measure]
    refused: str

    def uom(self, product: ProductRow) -> str:
        return str(self.measures[product.uom_id].move_uom_id)

    def is_that_of(self, delivery: Delivery, lines: Mapping[Line, Units]) -> bool:
        wanted = {(str(unit), product.id): 1 for unit, product in self.products.items()}
        return lines == wanted and delivery.stock_id == self.warehouse.stock_id


class OdooShipments:
    """Books movements and finds them."""

    def __init__(self, api: OdooApi, master: OdooMaster, ids: Ids) -> None:
        self._api = api
        self._master = master
        self._ids = ids

    def find(self, movement_id: str) -> Delivery | None:
        """What stands in Odoo under the id, whole or not."""
        return find_delivery(self._api, movement_id)

    def acknowledged(self, delivery: Delivery) -> Acknowledgement:
        """A delivery that was found done. Odoo does not say when it was committed: not after now.

        Later than the truth is safe, and too early is not.
        """
        latest = self._api.now() + TICK
        done_at = delivery.done_at or latest
        return Acknowledgement(min(latest, done_at + COMMITTED_WITHIN), delivery.document_id)

    def book(self, movement: StockMovement) -> Acknowledgement | Rejection | TryLater:
        """Bring it to done; OutcomeUnknownError and RetriableError leave a state to go on from."""
        warehouse = self._master.warehouse(self._ids.erp_location(movement.location_id))
        skus = {line.unit: self._ids.sku(line.product_id) for line in movement.lines}
        products = self._master.products(skus.values())
        missing = sorted(set(skus.values()) - products.keys())
        if missing:
            names = ", ".join(missing)
            return Rejection(f"Odoo has no product with the internal reference {names}")
        by_unit = {unit: products[sku] for unit, sku in skus.items()}
        measures = {p.uom_id: self._master.measures.of(p.uom_id) for p in products.values()}
        refused = filter(None, map(self._master.refusal, products.values()))
        content = _Content(by_unit, warehouse, measures, next(refused, ""))
        return self._bring_to_done(movement, content)

    def _bring_to_done(
        self, movement: StockMovement, content: _Content
    ) -> Acknowledgement | Rejection | TryLater:
        delivery = self.find(movement.movement_id)
        if delivery is None and content.refused:
            return Rejection(f"Odoo: {content.refused}")
        refused = ""
        for _ in range(2):
            if delivery is not None and delivery.is_done:
                return self._if_same(delivery, content)
            if fault := _fault(delivery, content):
                return fault
            try:
                self._step(movement, content, delivery)
            except OdooRefusedError as error:
                refused = str(error)
            delivery = self.find(movement.movement_id)
        if delivery is not None and delivery.is_done:
            return self._if_same(delivery, content)
        if not refused or _DATABASE_TROUBLE.search(refused):
            return TryLater(refused or "Odoo left the delivery undone without a reason")
        return Rejection(f"Odoo: {refused}")

    def _step(self, movement: StockMovement, content: _Content, delivery: Delivery | None) -> None:
        if delivery is None:
            self._api.load("stock.picking", _FIELDS, _rows(movement, content))
            delivery = self.find(movement.movement_id)
        if delivery is None or delivery.is_done:
            return
        # Said outright: else Odoo would ship no more than it thinks is there.
        done = {"quantity": 1, "picked": True}
        self._api.do("stock.move", "write", ids=list(delivery.move_ids), vals=done)
        self._take_from_what_is_for_sale(delivery, content.warehouse)
        self._api.do("stock.picking", "button_validate", ids=list(delivery.picking_ids))

    def _take_from_what_is_for_sale(self, delivery: Delivery, warehouse: Warehouse) -> None:
        """Odoo takes from anywhere below the stock, the damaged goods first where they came first:
        they would fall, and the stock that NewStore is told would not.
        """
        lines = self._api.rows(
            _LineRow,
            "stock.move.line",
            "search_read",
            domain=[("move_id", "in", list(delivery.move_ids)), *warehouse.elsewhere()],
            fields=["product_id"],
            order="id",
        )
        if not lines:
            return
        quants = self._api.rows(
            _QuantRow,
            "stock.quant",
            "search_read",
            domain=[
                ("product_id", "in", sorted({line.product_id[0] for line in lines})),
                *warehouse.for_sale(),
            ],
            fields=["product_id", "location_id", "quantity"],
            order="quantity desc, id",
        )
        for line in lines:
            there = [q for q in quants if q.product_id[0] == line.product_id[0]]
            place = there[0].location_id[0] if there else warehouse.stock_id
            vals = {"location_id": place}
            self._api.do("stock.move.line", "write", ids=[line.id], vals=vals)

    def _if_same(self, delivery: Delivery, content: _Content) -> Acknowledgement | Rejection:
        if content.is_that_of(delivery, delivery.done):
            return self.acknowledged(delivery)
        return Rejection(f"booked before with other content: {delivery.document_id}")


def external_id(*parts: str) -> str:
    """Stable, and of letters and digits only, whatever is in the parts."""
    text = "\n".join(f"{len(part)}:{part}" for part in parts)
    return f"inventory_sync.m_{sha256(text.encode()).hexdigest()[:40]}"


def _rows(movement: StockMovement, content: _Content) -> list[list[str]]:
    """One for each unit; the delivery itself stands in the first.

    Odoo refuses a unit of measure for a move that is done. Without one it would take a unit that is
    booked already out of its delivery, and say nothing.
    """
    warehouse = content.warehouse
    head = [
        external_id(movement.movement_id),
        movement.movement_id,
        f"NewStore order {movement.order_id}, request {movement.fulfillment_request_id}",
        str(warehouse.delivery_type_id),
        str(warehouse.stock_id),
        str(warehouse.customer_id),
        odoo_time(movement.occurred_at),
    ]
    blank = [""] * len(head)
    places = [str(warehouse.stock_id), str(warehouse.customer_id)]
    lines = [
        [external_id(*unit), str(unit), str(product.id), content.uom(product), "1", *places]
        for unit, product in sorted(content.products.items())
    ]
    return [[*(blank if number else head), *line] for number, line in enumerate(lines)]


def _fault(delivery: Delivery | None, content: _Content) -> Rejection | None:
    if delivery is None:
        return None
    if "cancel" in delivery.states:
        return Rejection(f"cancelled in Odoo: {delivery.document_id}; the goods have left: book it")
    if not content.is_that_of(delivery, delivery.asked):
        return Rejection(f"another delivery stands under its id: {delivery.document_id}")
    return None
