"""Allocations as transfers that reserve: one for each change, kept as its record.

Records are only ever added, so that writers cannot overwrite each other: what is in force follows
from all records of a request, the highest logical timestamp of an item first, `released` before
`allocated`. Whoever adds one brings the transfers in line, and looks again until they are.
"""

import html
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, ValidationError

from inventory_sync.adapters.erp.ids import Ids
from inventory_sync.adapters.erp.odoo.api import OdooApi, OdooRefusedError
from inventory_sync.adapters.erp.odoo.master import RESERVATIONS_CODE, OdooMaster
from inventory_sync.adapters.erp.odoo.shipments import external_id
from inventory_sync.domain.stock import (
    Accepted,
    AllocationChange,
    AllocationOutcome,
    AllocationState,
    Rejection,
    TryLater,
)

ROUNDS_MAX = 4

_TAG = re.compile(r"<[^>]*>")
_ENDED = frozenset({"cancel", "done"})


class _Row(BaseModel):
    model_config = ConfigDict(extra="ignore")


class _PickingRow(_Row):
    id: int
    state: str
    note: str | bool


class _MoveRow(_Row):
    id: int
    picking_id: tuple[int, str | bool]
    product_id: tuple[int, str]
    product_uom_qty: float
    state: str


class _Note(_Row):
    """What a record says, in the transfer's note; `items` are ids and Odoo's product ids."""

    location: str
    logical_timestamp: int
    state: AllocationState
    items: list[tuple[str, int]]

    def rank(self) -> tuple[int, bool]:
        """At the same logical timestamp released wins, so that the order does not matter."""
        return self.logical_timestamp, self.state is AllocationState.RELEASED


@dataclass(frozen=True, slots=True)
class _Record:
    picking_id: int
    state: str
    note: _Note


class OdooAllocations:
    """Sets items aside and gives them back, but for kits: Odoo would set aside their parts."""

    def __init__(self, api: OdooApi, master: OdooMaster, ids: Ids) -> None:
        self._api = api
        self._master = master
        self._ids = ids

    def change(self, change: AllocationChange) -> AllocationOutcome:
        """Accepted too where the warehouse has no operation type for it; errors are the API's."""
        location = self._ids.erp_location(change.location_id)
        warehouse = self._master.warehouse(location)
        if warehouse.reservation_type_id is None:
            return Accepted()
        skus = [self._ids.sku(product_id) for _, product_id in change.items]
        products = self._master.products(skus)
        if missing := sorted(set(skus) - products.keys()):
            return Rejection(f"Odoo has no product with the internal reference {missing[0]}")
        note = _Note(
            location=location,
            logical_timestamp=change.logical_timestamp,
            state=change.state,
            items=[
                (item_id, products[sku].id)
                for (item_id, _), sku in zip(change.items, skus, strict=True)
                if not products[sku].is_kits
            ],
        )
        if not note.items:
            return Accepted()
        request_id = change.fulfillment_request_id
        if all(record.note != note for record in self._records(request_id)):
            places = (warehouse.reservation_type_id, warehouse.stock_id, warehouse.customer_id)
            self._add(request_id, note, places, {p.id: p.uom_id for p in products.values()})
        return self._settle(request_id)

    def _settle(self, request_id: str) -> AllocationOutcome:
        """Until a look finds nothing to do; what is added later is accepted by its own writer."""
        for _ in range(ROUNDS_MAX):
            records = self._records(request_id)
            moves = self._moves(records)
            acted = [self._bring_in_line(record, wanted, moves) for record, wanted in _due(records)]
            if not any(acted):
                return Accepted()
        return TryLater(f"the allocations of request {request_id} keep changing in Odoo")

    def _bring_in_line(self, record: _Record, wanted: Counter[int], moves: list[_MoveRow]) -> bool:
        """Whether anything had to be done."""
        if record.state in _ENDED:
            return False
        ids = [record.picking_id]
        if not wanted:
            self._api.do("stock.picking", "action_cancel", ids=ids)
            return True
        differing = [
            (move, wanted[move.product_id[0]])
            for move in moves
            if move.picking_id[0] == record.picking_id
            and move.product_uom_qty != wanted[move.product_id[0]]
        ]
        for move, count in differing:
            self._api.do("stock.move", "write", ids=[move.id], vals={"product_uom_qty": count})
        if record.state == "draft":
            self._api.do("stock.picking", "action_confirm", ids=ids)
        if differing or record.state != "assigned":
            # Also where it was cut off between the two, or stock has come since.
            self._reserve(ids)
        return bool(differing) or record.state == "draft"

    def _reserve(self, ids: list[int]) -> None:
        """Odoo reserves what it has; the rest waits, which is for Odoo's people to see."""
        try:
            self._api.do("stock.picking", "action_assign", ids=ids)
        except OdooRefusedError:
            return

    def _add(
        self, request_id: str, note: _Note, places: tuple[int, int, int], uoms: Mapping[int, int]
    ) -> None:
        name = external_id(request_id, note.model_dump_json())
        fields = ["id", "origin", "note", "picking_type_id/.id", "location_id/.id"]
        fields.append("location_dest_id/.id")
        head = [name, request_id, _text(note), *(str(place) for place in places)]
        data = [head]
        if note.state is AllocationState.ALLOCATED:
            fields += ["move_ids/id", "move_ids/product_id/.id", "move_ids/product_uom/.id"]
            fields.append("move_ids/product_uom_qty")
            counts = sorted(Counter(product for _, product in note.items).items())
            blank = [""] * len(head)
            data = [
                [*(blank if number else head), *self._line(name, product, uoms[product], count)]
                for number, (product, count) in enumerate(counts)
            ]
        self._api.load("stock.picking", fields, data)

    def _line(self, name: str, product: int, uom_id: int, count: int) -> list[str]:
        measure = self._master.measures.of(uom_id)
        return [f"{name}_{product}", str(product), str(measure.move_uom_id), str(count)]

    def _records(self, request_id: str) -> list[_Record]:
        rows = self._api.rows(
            _PickingRow,
            "stock.picking",
            "search_read",
            domain=[
                ("origin", "=", request_id),
                ("picking_type_id.sequence_code", "=", RESERVATIONS_CODE),
            ],
            fields=["state", "note"],
            order="id",
        )
        return list(_read(rows))

    def _moves(self, records: list[_Record]) -> list[_MoveRow]:
        return self._api.rows(
            _MoveRow,
            "stock.move",
            "search_read",
            domain=[
                ("picking_id", "in", [record.picking_id for record in records]),
                ("state", "!=", "cancel"),
            ],
            fields=["picking_id", "product_id", "product_uom_qty", "state"],
            order="id",
        )


def _due(records: list[_Record]) -> Iterator[tuple[_Record, Counter[int]]]:
    """Each record with the units of a product that it is to hold."""
    newest: dict[str, _Record] = {}
    for record in records:
        for item_id, _ in record.note.items:
            kept = newest.get(item_id)
            if kept is None or record.note.rank() > kept.note.rank():
                newest[item_id] = record
    for record in records:
        held = AllocationState.ALLOCATED is record.note.state
        winning = [p for item_id, p in record.note.items if held and newest[item_id] is record]
        yield record, Counter(winning)


def _read(rows: list[_PickingRow]) -> Iterator[_Record]:
    """A transfer that somebody wrote by hand under our request is none of ours."""
    for row in rows:
        try:
            note = _Note.model_validate_json(html.unescape(_TAG.sub("", str(row.note))))
        except ValidationError:
            continue
        yield _Record(row.id, row.state, note)


def _text(note: _Note) -> str:
    """JSON without what HTML would read as its own."""
    text = json.dumps(note.model_dump(mode="json"))
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text
