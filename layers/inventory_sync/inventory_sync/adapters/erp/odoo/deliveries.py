"""What stands in Odoo under a movement id: deliveries and their moves, one for each unit."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from inventory_sync.adapters.erp.odoo.api import OdooApi, OdooInstant
from inventory_sync.adapters.values import Figure
from inventory_sync.domain.errors import RetriableError
from inventory_sync.domain.stock import Units

Line = tuple[str, int]
"""A move's description, which is the unit's id, and Odoo's id of its product."""


class _Row(BaseModel):
    model_config = ConfigDict(extra="ignore")


class _PickingRow(_Row):
    id: int
    name: str | bool
    origin: str
    state: str
    date_done: OdooInstant | Literal[False]
    location_id: tuple[int, str]


class _MoveRow(_Row):
    id: int
    product_id: tuple[int, str]
    product_uom_qty: Figure
    quantity: Figure
    description_picking: str | bool
    picking_id: tuple[int, str | bool]


@dataclass(frozen=True, slots=True)
class Delivery:
    """Everything Odoo has under one movement id.

    `asked` is what the moves say, `done` what has left.
    """

    picking_ids: tuple[int, ...]
    move_ids: tuple[int, ...]
    stock_id: int
    states: frozenset[str]
    document_id: str
    done_at: datetime | None
    asked: dict[Line, Units]
    done: dict[Line, Units]

    @property
    def is_done(self) -> bool:
        """Whether all of it has left."""
        return self.states == {"done"}


def find_delivery(api: OdooApi, movement_id: str) -> Delivery | None:
    """What there is, whole or not; RetriableError where Odoo's answer is about another movement."""
    pickings = api.rows(
        _PickingRow,
        "stock.picking",
        "search_read",
        domain=[("origin", "=", movement_id), ("picking_type_id.code", "=", "outgoing")],
        fields=list(_PickingRow.model_fields),
        order="id",
    )
    if others := [picking.origin for picking in pickings if picking.origin != movement_id]:
        raise RetriableError(f"asked for one delivery, Odoo answered with {others[0][:80]!r}")
    if not pickings:
        return None
    moves = api.rows(
        _MoveRow,
        "stock.move",
        "search_read",
        domain=[("picking_id", "in", [picking.id for picking in pickings])],
        fields=list(_MoveRow.model_fields),
        order="id",
    )
    asked = {picking.id for picking in pickings}
    if any(move.picking_id[0] not in asked for move in moves):
        raise RetriableError("asked for a delivery's moves, Odoo answered with another's")
    return _delivery(pickings, moves)


def _delivery(pickings: list[_PickingRow], moves: list[_MoveRow]) -> Delivery:
    done_ids = {picking.id for picking in pickings if picking.state == "done"}
    instants = [p.date_done for p in pickings if p.id in done_ids and p.date_done]
    asked: defaultdict[Line, Units] = defaultdict(int)
    done: defaultdict[Line, Units] = defaultdict(int)
    for move in moves:
        line = (str(move.description_picking), move.product_id[0])
        asked[line] += move.product_uom_qty
        if move.picking_id[0] in done_ids:
            done[line] += move.quantity
    return Delivery(
        picking_ids=tuple(picking.id for picking in pickings),
        move_ids=tuple(move.id for move in moves),
        stock_id=pickings[0].location_id[0],
        states=frozenset(picking.state for picking in pickings),
        document_id=", ".join(str(picking.name or picking.id) for picking in pickings),
        done_at=max(instants, default=None),
        asked=dict(asked),
        done=dict(done),
    )
