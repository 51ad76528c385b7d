"""The values of the ERP contract (docs/erp-openapi.yaml)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Dedupe = Literal["native", "lookup"]
MovementOutcome = Literal["applied", "repeated", "conflict", "rejected", "retryable"]
AllocationState = Literal["allocated", "released"]
AllocationOutcome = Literal["applied", "superseded", "rejected", "retryable"]

StockKey = tuple[str, str]
"""(location, product)"""

Unit = tuple[str, str]
"""(fulfillment request id, item id)"""


ChangeFeed = Literal["none", "timestamp", "sequence"]


@dataclass(frozen=True)
class Capabilities:
    """What a connector must know before it talks to this ERP."""

    dedupe: Dedupe
    reference_length_max: int
    bulk_max: int
    reservations: bool
    change_feed: ChangeFeed
    consistent_snapshot: bool
    absent_means_zero: bool
    apply_lag_seconds: float


@dataclass(frozen=True)
class MovementLine:
    """One unit that left; `item_id` names it within its fulfillment request."""

    item_id: str
    product: str


@dataclass(frozen=True)
class Movement:
    """Units that left a location. The same movement id is the same movement."""

    movement_id: str
    location: str
    occurred_at: str
    order_id: str
    fulfillment_request_id: str
    logical_timestamp: int
    lines: tuple[MovementLine, ...]

    def effect(self) -> Counter[StockKey]:
        """How many units leave of each stock key."""
        return Counter((self.location, line.product) for line in self.lines)

    def content(self) -> tuple[object, ...]:
        """What makes two movements the same content."""
        return self.location, self.fulfillment_request_id, frozenset(self.lines)

    def units(self) -> list[Unit]:
        """The units that leave; those of the lines, in their order."""
        return [(self.fulfillment_request_id, line.item_id) for line in self.lines]


@dataclass(frozen=True)
class MovementResult:
    """The answer to one movement; `applied_at` and `document_id` once it is in the books."""

    movement_id: str
    outcome: MovementOutcome
    applied_at: datetime | None = None
    document_id: str | None = None
    reason: str | None = None


@dataclass(frozen=True)
class BookedMovement:
    """A movement in the books."""

    movement: Movement
    applied_at: datetime
    document_id: str


@dataclass(frozen=True)
class AllocationItem:
    """One unit of a fulfillment request."""

    item_id: str
    product: str


@dataclass(frozen=True)
class Allocation:
    """Items of one request that are allocated, or are not any more, as of a logical timestamp."""

    fulfillment_request_id: str
    location: str
    logical_timestamp: int
    state: AllocationState
    items: tuple[AllocationItem, ...]
    reason: str = ""
    """Why items failed; empty where nothing is said."""


@dataclass(frozen=True)
class AllocationResult:
    """The answer to one allocation; superseded when no item of it was newer than what is kept."""

    fulfillment_request_id: str
    logical_timestamp: int
    outcome: AllocationOutcome
    reason: str | None = None


@dataclass(frozen=True)
class SnapshotPage:
    """Rows of one location, ordered by product; `row_count` is that of the whole snapshot.

    `rows` are (product, on hand); a fault may put any JSON value for the figure.
    """

    location: str
    as_of: datetime
    row_count: int
    rows: tuple[tuple[str, object], ...]
    next_cursor: str | None


@dataclass(frozen=True)
class ChangesPage:
    """Products whose shown stock changed since a cursor, as of a reading of the feed."""

    location: str
    as_of: datetime
    products: tuple[str, ...]
    cursor: str
    more: bool


@dataclass(frozen=True)
class StockRows:
    """The rows of some products; figures as in a page."""

    location: str
    as_of: datetime
    rows: tuple[tuple[str, object], ...]
