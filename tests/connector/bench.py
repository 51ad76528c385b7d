"""What the suite needs beside a connector: an ERP to look into by other ways than the connector."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Protocol

from inventory_sync.domain.stock import (
    AllocationChange,
    AllocationState,
    MovementLine,
    MovementOutcome,
    StockMovement,
    TryLater,
    Unknown,
)
from inventory_sync.domain.units import UnitId
from inventory_sync.ports.erp import Erp

ATTEMPTS_MAX = 8


class Bench(Protocol):
    """An ERP under test, at one location of it. Ids are ours."""

    location_id: str

    def connector(self) -> Erp:
        """A connector of its own: nothing is remembered between two but what the ERP keeps."""

    def product(self) -> str:
        """A product that the ERP knows, without stock, given to nobody before."""

    def set_stock(self, product_id: str, units: int) -> None:
        """A count says so many: a change that is not ours."""

    def on_hand(self, product_id: str) -> int:
        """Units in the ERP's books, whatever snapshots show yet."""

    def let_it_book(self) -> None:
        """Returns once the ERP has taken up what was posted: a batch runs, where it has one."""

    def let_it_show(self) -> None:
        """Returns once what is acknowledged by now shows, and the ERP's clock has moved on."""

    def losing_answers(self, count: int) -> AbstractContextManager[None]:
        """The answers to the next so many writing calls are lost after the ERP took them."""


def movement(
    number: int, units: dict[str, int], *, at: str, request: str = "ff1", item: str = ""
) -> StockMovement:
    """Stable under its number; `units` by product.

    Movements of one request have no unit in common, but where `item`, with which item ids begin,
    is the same.
    """
    products = [product for product, count in sorted(units.items()) for _ in range(count)]
    return StockMovement(
        movement_id=f"{at}:{number}:{request}",
        location_id=at,
        occurred_at=datetime(2026, 1, 15, 10, 30, tzinfo=UTC),
        order_id="order-1",
        fulfillment_request_id=request,
        logical_timestamp=number,
        lines=tuple(
            MovementLine(UnitId(request, f"{item or number}/{place}"), product)
            for place, product in enumerate(products)
        ),
    )


def change(
    logical_timestamp: int, state: AllocationState, items: dict[str, str], *, at: str, request: str
) -> AllocationChange:
    """`items` are products by item id."""
    return AllocationChange(
        fulfillment_request_id=request,
        location_id=at,
        logical_timestamp=logical_timestamp,
        state=state,
        items=tuple(sorted(items.items())),
    )


def post(bench: Bench, *wanted: StockMovement) -> list[MovementOutcome]:
    """Once; and once more after the ERP's batch, where it acknowledges later."""
    erp = bench.connector()
    outcomes = erp.post_movements(list(wanted))
    bench.let_it_book()
    if any(isinstance(outcome, TryLater) for outcome in outcomes):
        outcomes = erp.post_movements(list(wanted))
    return outcomes


def book(bench: Bench, wanted: StockMovement) -> MovementOutcome:
    """As the core does it: after an unknown outcome look it up, and post what is not there."""
    erp = bench.connector()
    outcome: MovementOutcome | None = None
    for _ in range(ATTEMPTS_MAX):
        [outcome] = erp.post_movements([wanted])
        if isinstance(outcome, Unknown):
            outcome = erp.look_up(wanted.movement_id) or outcome
        if not isinstance(outcome, Unknown | TryLater):
            return outcome
        bench.let_it_book()
    assert outcome is not None
    return outcome
