"""JSON of docs/erp-openapi.yaml to records and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Literal

from local.erp.records import (
    Allocation,
    AllocationItem,
    AllocationResult,
    BookedMovement,
    ChangesPage,
    Movement,
    MovementLine,
    MovementResult,
    SnapshotPage,
    StockRows,
)
from local.http_server import CallRefusedError


def instant_json(instant: datetime) -> str:
    """RFC 3339 in UTC, microseconds, Z."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def read_movements(body: object) -> list[Movement]:
    """CallRefusedError 400 with the field's name unless the body has the contract's form."""
    return [
        Movement(
            movement_id=_text(entry, "movement_id"),
            location=_text(entry, "location"),
            occurred_at=_text(entry, "occurred_at"),
            order_id=_text(entry, "order_id"),
            fulfillment_request_id=_text(entry, "fulfillment_request_id"),
            logical_timestamp=_integer(entry, "logical_timestamp"),
            lines=tuple(_line(line) for line in _filled(entry, "lines")),
        )
        for entry in _objects(body, "movements")
    ]


def read_allocations(body: object) -> list[Allocation]:
    """CallRefusedError 400 with the field's name unless the body has the contract's form."""
    return [
        Allocation(
            fulfillment_request_id=_text(entry, "fulfillment_request_id"),
            location=_text(entry, "location"),
            logical_timestamp=_integer(entry, "logical_timestamp"),
            state=_state(entry),
            items=tuple(
                AllocationItem(_text(item, "item_id"), _text(item, "product"))
                for item in _filled(entry, "items")
            ),
            reason=_optional_text(entry, "reason"),
        )
        for entry in _objects(body, "allocations")
    ]


def read_products(body: object) -> tuple[str, list[str]]:
    """Location and products; CallRefusedError 400 with the field's name."""
    products = _objects(body, "products")
    if not all(isinstance(product, str) and product for product in products):
        raise CallRefusedError(400, "products has something in it that is not a text")
    return _text(body, "location"), [str(product) for product in products]


def movement_result_json(result: MovementResult) -> dict[str, Any]:
    applied_at = None if result.applied_at is None else instant_json(result.applied_at)
    return {**asdict(result), "applied_at": applied_at}


def allocation_result_json(result: AllocationResult) -> dict[str, Any]:
    return asdict(result)


def booked_json(booked: BookedMovement) -> dict[str, Any]:
    return {
        "movement_id": booked.movement.movement_id,
        "outcome": "applied",
        "location": booked.movement.location,
        "applied_at": instant_json(booked.applied_at),
        "document_id": booked.document_id,
        "lines": [{**asdict(line), "quantity": 1} for line in booked.movement.lines],
    }


def page_json(page: SnapshotPage) -> dict[str, Any]:
    return {
        "location": page.location,
        "as_of": instant_json(page.as_of),
        "row_count": page.row_count,
        "rows": _rows_json(page.rows),
        "next_cursor": page.next_cursor,
    }


def changes_json(page: ChangesPage) -> dict[str, Any]:
    return {**asdict(page), "as_of": instant_json(page.as_of)}


def rows_json(rows: StockRows) -> dict[str, Any]:
    as_of = instant_json(rows.as_of)
    return {"location": rows.location, "as_of": as_of, "rows": _rows_json(rows.rows)}


def _rows_json(rows: tuple[tuple[str, object], ...]) -> list[dict[str, object]]:
    return [{"product": product, "on_hand": figure} for product, figure in rows]


def _field(entry: object, name: str) -> object:
    if not isinstance(entry, Mapping) or name not in entry:
        raise CallRefusedError(400, f"{name} is missing")
    value: object = entry[name]
    return value


def _objects(entry: object, name: str) -> list[object]:
    value = _field(entry, name)
    if not isinstance(value, list):
        raise CallRefusedError(400, f"{name} is not a list")
    return value


def _filled(entry: object, name: str) -> list[object]:
    value = _objects(entry, name)
    if not value:
        raise CallRefusedError(400, f"{name} is empty")
    return value


def _text(entry: object, name: str) -> str:
    value = _field(entry, name)
    if not isinstance(value, str) or not value:
        raise CallRefusedError(400, f"{name} is not a text")
    return value


def _optional_text(entry: object, name: str) -> str:
    value = _field({name: "", **entry} if isinstance(entry, Mapping) else entry, name)
    if not isinstance(value, str):
        raise CallRefusedError(400, f"{name} is not a text")
    return value


def _line(entry: object) -> MovementLine:
    if _integer(entry, "quantity") != 1:
        raise CallRefusedError(400, "quantity is not 1: a line is one unit")
    return MovementLine(_text(entry, "item_id"), _text(entry, "product"))


def _integer(entry: object, name: str) -> int:
    """1.0 is one in JSON."""
    value = _field(entry, name)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise CallRefusedError(400, f"{name} is not an integer")
    return value


def _state(entry: object) -> Literal["allocated", "released"]:
    match _field(entry, "state"):
        case "allocated":
            return "allocated"
        case "released":
            return "released"
        case _:
            raise CallRefusedError(400, "state is neither allocated nor released")
