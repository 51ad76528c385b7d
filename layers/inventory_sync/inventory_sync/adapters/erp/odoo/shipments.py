"""Movements as deliveries: written by external id, so that any step may be repeated.

what is found under the movement id     what is done
nothing                                 load the delivery, set what is done, validate, look
a delivery that is not done             the same: load by the same ids changes nothing
done, with the movement's content       nothing: it is booked
done or not, with other content         refused: a person has to look
cancelled                               refused: a person has to look
"""

import re
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from pydantic import BaseModel, ConfigDict

from inventory_sync.adapters.erp.ids import Ids
from inventory_sync.adapters.erp.odoo.api import TICK, OdooApi, OdooRefusedError, instant, odoo_time
from inventory_sync.adapters.erp.odoo.master import OdooMaster, Warehouse
from inventory_sync.domain.stock import Acknowledgement, Rejection, StockMovement, TryLater

COMMITTED_WITHIN = timedelta(minutes=15)
"""From a delivery's `date_done` to its commit: far more than Odoo lets a request run."""

_DATABASE_TROUBLE = re.compile("serializ|deadlock|concurrent|duplicate key|unknown", re.IGNORECASE)
_FIELDS = (
    "id",
    "origin",
    "note",
    "picking_type_id/.id",
    "location_id/.id",
    "location_dest_id/.id",
    "scheduled_date",
    "move_ids/id",
    "move_ids/product_id/.id",
    "move_ids/product_uom_qty",
    "move_ids/location_id/.id",
    "move_ids/location_dest_id/.id",
)


class _Row(BaseModel):
    model_config = ConfigDict(extra="ignore")


class _PickingRow(_Row):
    id: int
    name: str | bool
    state: str
    date_done: str | bool
    location_id: tuple[int, str]


class _MoveRow(_Row):
    id: int
    product_id: tuple[int, str]
    product_uom_qty: float
    quantity: float
    picking_id: tuple[int, str | bool]


@dataclass(frozen=True, slots=True)
class Delivery:
    """Everything Odoo has under one movement id; units by Odoo's product id.

    `asked` is what the lines say, `done` what has left.
    """

    picking_ids: tuple[int, ...]
    stock_id: int
    states: frozenset[str]
    document_id: str
    done_at: datetime | None
    asked: dict[int, float]
    done: dict[int, float]
    moves: tuple[tuple[int, float], ...]


class OdooShipments:
    """Books movements and finds them."""

    def __init__(self, api: OdooApi, master: OdooMaster, ids: Ids) -> None:
        self._api = api
        self._master = master
        self._ids = ids

    def find(self, movement_id: str) -> Delivery | None:
        """What stands in Odoo under the id, whole or not."""
        pickings = self._api.rows(
            _PickingRow,
            "stock.picking",
            "search_read",
            domain=[("origin", "=", movement_id), ("picking_type_id.code", "=", "outgoing")],
            fields=["name", "state", "date_done", "location_id"],
            order="id",
        )
        if not pickings:
            return None
        moves = self._api.rows(
            _MoveRow,
            "stock.move",
            "search_read",
            domain=[("picking_id", "in", [picking.id for picking in pickings])],
            fields=["product_id", "product_uom_qty", "quantity", "picking_id"],
            order="id",
        )
        return _delivery(pickings, moves)

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
        skus = {line.product_id: self._ids.sku(line.product_id) for line in movement.lines}
        products = self._master.products(skus.values())
        missing = sorted(set(skus.values()) - products.keys())
        if missing:
            names = ", ".join(missing)
            return Rejection(f"Odoo has no product with the internal reference {names}")
        units: Counter[int] = Counter()
        for line in movement.lines:
            units[products[skus[line.product_id]]] += line.units
        return self._bring_to_done(movement, warehouse, units)

    def _bring_to_done(
        self, movement: StockMovement, warehouse: Warehouse, units: Counter[int]
    ) -> Acknowledgement | Rejection | TryLater:
        delivery = self.find(movement.movement_id)
        refused = ""
        for _ in range(2):
            if delivery is not None and delivery.states == {"done"}:
                return self._if_same(delivery, warehouse, units)
            if fault := _fault(delivery, warehouse, units):
                return fault
            try:
                self._step(movement, warehouse, units, delivery)
            except OdooRefusedError as error:
                refused = str(error)
            delivery = self.find(movement.movement_id)
        if delivery is not None and delivery.states == {"done"}:
            return self._if_same(delivery, warehouse, units)
        if not refused or _DATABASE_TROUBLE.search(refused):
            return TryLater(refused or "Odoo left the delivery undone without a reason")
        return Rejection(f"Odoo: {refused}")

    def _step(
        self,
        movement: StockMovement,
        warehouse: Warehouse,
        units: Counter[int],
        delivery: Delivery | None,
    ) -> None:
        if delivery is None:
            self._api.load("stock.picking", list(_FIELDS), _rows(movement, warehouse, units))
            delivery = self.find(movement.movement_id)
        if delivery is None or delivery.states == {"done"}:
            return
        for move_id, quantity in delivery.moves:
            # Said outright: else Odoo would ship no more than it thinks is there.
            self._api.do(
                "stock.move", "write", ids=[move_id], vals={"quantity": quantity, "picked": True}
            )
        self._api.do("stock.picking", "button_validate", ids=list(delivery.picking_ids))

    def _if_same(
        self, delivery: Delivery, warehouse: Warehouse, units: Counter[int]
    ) -> Acknowledgement | Rejection:
        if delivery.done == units and delivery.stock_id == warehouse.stock_id:
            return self.acknowledged(delivery)
        return Rejection(f"booked before with other content: {delivery.document_id}")


def external_id(*parts: str) -> str:
    """Stable, and of letters and digits only, whatever is in the parts."""
    text = "\n".join(f"{len(part)}:{part}" for part in parts)
    return f"inventory_sync.m_{sha256(text.encode()).hexdigest()[:40]}"


def _rows(movement: StockMovement, warehouse: Warehouse, units: Counter[int]) -> list[list[str]]:
    """One line for each product, each with an external id: else a repeat would double it."""
    name = external_id(movement.movement_id)
    head = [
        name,
        movement.movement_id,
        f"NewStore order {movement.order_id}, request {movement.fulfillment_request_id}",
        str(warehouse.delivery_type_id),
        str(warehouse.stock_id),
        str(warehouse.customer_id),
        odoo_time(movement.occurred_at),
    ]
    blank = [""] * len(head)
    places = [str(warehouse.stock_id), str(warehouse.customer_id)]
    return [
        [*(blank if number else head), f"{name}_{product}", str(product), str(count), *places]
        for number, (product, count) in enumerate(sorted(units.items()))
    ]


def _fault(
    delivery: Delivery | None, warehouse: Warehouse, units: Counter[int]
) -> Rejection | None:
    if delivery is None:
        return None
    if "cancel" in delivery.states:
        return Rejection(f"cancelled in Odoo: {delivery.document_id}; the goods have left: book it")
    if delivery.asked != units or delivery.stock_id != warehouse.stock_id:
        return Rejection(f"another delivery stands under its id: {delivery.document_id}")
    return None


def _delivery(pickings: list[_PickingRow], moves: list[_MoveRow]) -> Delivery:
    done_ids = {picking.id for picking in pickings if picking.state == "done"}
    instants = [instant(str(p.date_done)) for p in pickings if p.id in done_ids and p.date_done]
    asked: Counter[int] = Counter()
    done: Counter[int] = Counter()
    for move in moves:
        asked[move.product_id[0]] += move.product_uom_qty  # type: ignore[assignment]
        if move.picking_id[0] in done_ids:
            done[move.product_id[0]] += move.quantity  # type: ignore[assignment]
    return Delivery(
        picking_ids=tuple(picking.id for picking in pickings),
        stock_id=pickings[0].location_id[0],
        states=frozenset(picking.state for picking in pickings),
        document_id=", ".join(str(picking.name or picking.id) for picking in pickings),
        done_at=max(instants, default=None),
        asked=dict(asked),
        done=dict(done),
        moves=tuple((move.id, move.product_uom_qty) for move in moves),
    )
