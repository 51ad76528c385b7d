"""The calls of docs/erp-openapi.yaml, over the books; every call may fail on order."""

from __future__ import annotations

from collections.abc import Sequence

from local.erp.books import ErpBooks
from local.erp.records import (
    Allocation,
    AllocationOutcome,
    AllocationResult,
    BookedMovement,
    Capabilities,
    ChangesPage,
    Movement,
    MovementOutcome,
    MovementResult,
    SnapshotPage,
    StockRows,
)
from local.http_server import CallRefusedError, api_call

READ_PRODUCTS_MAX = 1_000


class ErpCalls:
    """What the adapter asks for. Raises CallRefusedError, AnswerLostError, AnswerGarbledError."""

    def __init__(self, model: ErpBooks) -> None:
        self._model = model
        self.faults = model.faults
        self.lock = model.lock

    def advance(self) -> None:
        """Bring the model up to now()."""
        self._model.advance()

    @api_call
    def get_capabilities(self) -> Capabilities:
        return self._model.capabilities

    @api_call
    def get_stock(
        self, location: str, cursor: str | None = None, limit: int | None = None
    ) -> SnapshotPage:
        """A page; CallRefusedError 404 for an unknown location, 410 for a cursor that has gone."""
        self._check_location(location)
        page_rows = self._model.page_rows
        return self._model.snapshots.page(location, cursor, min(limit or page_rows, page_rows))

    @api_call
    def get_changes(self, location: str, cursor: str | None = None) -> ChangesPage:
        """CallRefusedError 404 for an unknown location or no feed, 410 for a cursor of long ago."""
        self._check_location(location)
        return self._model.changes.page(location, cursor)

    @api_call
    def read_stock(self, location: str, products: Sequence[str]) -> StockRows:
        """CallRefusedError 404 for an unknown location, 413 for too many products."""
        self._check_location(location)
        if len(products) > READ_PRODUCTS_MAX:
            raise CallRefusedError(413, f"at most {READ_PRODUCTS_MAX} products at a time")
        return self._model.snapshots.rows_of(location, products)

    @api_call
    def post_movements(self, movements: Sequence[Movement]) -> list[MovementResult]:
        """One result per movement, in order; CallRefusedError 413 past bulk_max."""
        self._check_bulk(len(movements))
        return [self._post(movement) for movement in movements]

    @api_call
    def get_movement(self, movement_id: str) -> BookedMovement:
        """The first booking of a movement id; CallRefusedError 404 when there is none."""
        bookings = self._model.movements.get(movement_id)
        if not bookings:
            raise CallRefusedError(
                404, "unknown movement", movement_id=movement_id, outcome="absent"
            )
        return bookings[0]

    @api_call
    def post_allocations(self, allocations: Sequence[Allocation]) -> list[AllocationResult]:
        """One result per allocation, in order; CallRefusedError 413 past bulk_max."""
        self._check_bulk(len(allocations))
        return [self._allocate(allocation) for allocation in allocations]

    def _check_location(self, location: str) -> None:
        if location not in self._model.ledger.booked:
            raise CallRefusedError(404, f"unknown location {location}")

    def _check_bulk(self, entries: int) -> None:
        if entries > self._model.capabilities.bulk_max:
            raise CallRefusedError(413, f"at most {self._model.capabilities.bulk_max} at a time")

    def _post(self, movement: Movement) -> MovementResult:
        movement_id = movement.movement_id
        bookings = self._model.movements.get(movement_id)
        if bookings and self._model.capabilities.dedupe == "native":
            if movement.content() == bookings[0].movement.content():
                return _result(bookings[0], "repeated", None)
            return _result(bookings[0], "conflict", "booked with other content")
        if fault := self._fault(movement):
            return MovementResult(movement_id, "rejected", reason=fault)
        if busy := _first_reason(movement, self._model.busy_products):
            return MovementResult(movement_id, "retryable", reason=busy)
        return _result(self._model.book_movement(movement), "applied", None)

    def _fault(self, movement: Movement) -> str | None:
        if len(movement.movement_id) > self._model.capabilities.reference_length_max:
            return "movement_id is too long"
        if movement.location not in self._model.ledger.booked:
            return f"unknown location {movement.location}"
        if not movement.lines or len(set(movement.units())) < len(movement.lines):
            return "a movement has lines, each of another item_id"
        return _first_reason(movement, self._model.rejected_products)

    def _allocate(self, allocation: Allocation) -> AllocationResult:
        request_id = allocation.fulfillment_request_id
        logical_timestamp = allocation.logical_timestamp
        if not self._model.capabilities.reservations:
            reason = "allocations are not supported"
            return AllocationResult(request_id, logical_timestamp, "rejected", reason)
        if allocation.location not in self._model.ledger.booked:
            reason = f"unknown location {allocation.location}"
            return AllocationResult(request_id, logical_timestamp, "rejected", reason)
        written = self._model.allocations.write(allocation)
        outcome: AllocationOutcome = "applied" if written else "superseded"
        return AllocationResult(request_id, logical_timestamp, outcome)


def _first_reason(movement: Movement, reasons: dict[str, str]) -> str | None:
    return next((reasons[line.product] for line in movement.lines if line.product in reasons), None)


def _result(booked: BookedMovement, outcome: MovementOutcome, reason: str | None) -> MovementResult:
    return MovementResult(
        booked.movement.movement_id, outcome, booked.applied_at, booked.document_id, reason
    )
