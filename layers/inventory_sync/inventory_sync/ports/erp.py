"""One retailer's ERP behind its connector."""

from typing import Protocol

from inventory_sync.domain.erp import Changes, ErpCapabilities
from inventory_sync.domain.stock import (
    AllocationChange,
    AllocationOutcome,
    MovementOutcome,
    StockMovement,
    StockSnapshot,
)


class ErpStock(Protocol):
    """What an ERP shows. Nothing of it changes anything there."""

    def capabilities(self) -> ErpCapabilities:
        """What the connector can do; raises RetriableError."""

    def snapshot(self, location_id: str) -> StockSnapshot:
        """All rows of a location; RetriableError, RejectedError or SnapshotIncompleteError."""

    def changes(self, location_id: str, cursor: str | None) -> Changes:
        """What has changed since the cursor; without one only where the feed stands now.

        For connectors with a change feed; errors as for `snapshot`. The first cursor has to be
        taken before the snapshot that it is to continue.
        """

    def read(self, location_id: str, product_ids: frozenset[str]) -> StockSnapshot:
        """The rows of these products only; errors as for `snapshot`."""


class ErpBooks(Protocol):
    """Where an ERP is told what has happened."""

    def capabilities(self) -> ErpCapabilities:
        """As ErpStock has them."""

    def post_movements(self, movements: list[StockMovement]) -> list[MovementOutcome]:
        """Book each, one outcome per movement in order; never raises for a single one."""

    def look_up(self, movement_id: str) -> MovementOutcome | None:
        """The booked movement's Acknowledgement; None where the ERP has none; or no answer."""

    def change_allocations(self, changes: list[AllocationChange]) -> list[AllocationOutcome]:
        """Set items aside or give them back, one outcome per change in order."""


class Erp(ErpStock, ErpBooks, Protocol):
    """One retailer's ERP behind its connector."""
