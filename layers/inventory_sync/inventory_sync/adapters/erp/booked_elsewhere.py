"""In place of an ERP's books where another system keeps them: nothing is ever posted."""

from collections.abc import Sized
from datetime import timedelta
from typing import NoReturn

from inventory_sync.domain.erp import Dedupe, ErpCapabilities
from inventory_sync.domain.errors import InvariantError
from inventory_sync.domain.stock import AllocationChange, StockMovement


class BookedElsewhere:
    """Implements ports.ErpBooks without an ERP. Whoever would post something is stopped."""

    def capabilities(self) -> ErpCapabilities:
        """Nothing is reserved, so no allocation is changed."""
        return ErpCapabilities(
            dedupe=Dedupe.NATIVE, bulk_max=1, reservations=False, apply_lag=timedelta(0)
        )

    def post_movements(self, movements: list[StockMovement]) -> NoReturn:
        """InvariantError."""
        _refuse("movements", movements)

    def look_up(self, movement_id: str) -> NoReturn:
        """InvariantError."""
        _refuse("a look-up of", movement_id)

    def change_allocations(self, changes: list[AllocationChange]) -> NoReturn:
        """InvariantError."""
        _refuse("allocations", changes)


def _refuse(what: str, asked: Sized) -> NoReturn:
    raise InvariantError("shadow_posts_nothing", f"{what} {asked}")
