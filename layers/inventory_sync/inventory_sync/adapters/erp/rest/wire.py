"""The JSON of docs/erp-openapi.yaml, and what it means in our terms."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from inventory_sync.adapters.erp.ids import Ids
from inventory_sync.adapters.values import MISSING, FigureOrFault, Instant, Name
from inventory_sync.domain.erp import ChangeFeed
from inventory_sync.domain.references import LENGTH_MIN
from inventory_sync.domain.stock import (
    Accepted,
    Acknowledgement,
    AllocationChange,
    AllocationOutcome,
    Conflict,
    MovementOutcome,
    Rejection,
    StockMovement,
    TryLater,
    Unknown,
)


class _Answer(BaseModel):
    model_config = ConfigDict(extra="ignore")


A = TypeVar("A", bound=_Answer)


class CapabilitiesAnswer(_Answer):
    """What the ERP says it can do."""

    dedupe: str
    reference_length_max: int = Field(ge=LENGTH_MIN, lt=10**9)
    bulk_max: int = Field(ge=1, lt=10**9)
    reservations: bool
    change_feed: ChangeFeed = ChangeFeed.NONE
    consistent_snapshot: bool = False
    absent_means_zero: bool = True
    apply_lag_seconds: float = Field(ge=0, le=172_800)


class RowAnswer(_Answer):
    """One product's stock; `product` is anything, and what is no name spoils its row alone."""

    product: Any = None
    on_hand: FigureOrFault = MISSING


class PageAnswer(_Answer):
    """Some rows of one location; `row_count` is that of the whole snapshot."""

    location: str
    as_of: Instant
    row_count: int = Field(ge=0)
    rows: list[RowAnswer]
    next_cursor: str | None = None


class ChangesAnswer(_Answer):
    """Products whose stock may have changed; `cursor` is where to go on, at once if `more`."""

    location: str
    as_of: Instant
    products: list[Name]
    cursor: Name
    more: bool = False


class RowsAnswer(_Answer):
    """The rows of the products that were asked for."""

    location: str
    as_of: Instant
    rows: list[RowAnswer]


class MovementAnswer(_Answer):
    """What became of one movement; also the answer to a look-up, which may be `absent`."""

    movement_id: str
    outcome: str
    applied_at: Instant | None = None
    document_id: str | None = None
    reason: str | None = None

    def acknowledgement(self) -> MovementOutcome:
        """Unknown without the instant: whether a snapshot shows the movement hangs on it."""
        if self.applied_at is None:
            return Unknown("the ERP says it is booked, but not when: applied_at is missing")
        return Acknowledgement(self.applied_at, self.document_id or "")

    def movement_outcome(self) -> MovementOutcome:
        """The outcome in our terms."""
        match self.outcome:
            case "applied" | "repeated":
                return self.acknowledgement()
            case "conflict":
                return Conflict(f"booked before with other content: {self.reason or 'no detail'}")
            case "rejected":
                return Rejection(self.reason or "the ERP gives no reason")
            case "retryable":
                return TryLater(self.reason or "the ERP gives no reason")
        return Unknown(f"the ERP answers with outcome {self.outcome[:40]!r}, which is not agreed")


class AllocationAnswer(_Answer):
    """What became of one allocation change."""

    fulfillment_request_id: str
    logical_timestamp: int
    outcome: str
    reason: str | None = None

    def allocation_outcome(self) -> AllocationOutcome:
        """The outcome in our terms."""
        match self.outcome:
            case "applied" | "superseded":
                return Accepted()
            case "rejected":
                return Rejection(self.reason or "the ERP gives no reason")
            case "retryable":
                return TryLater(self.reason or "the ERP gives no reason")
        return TryLater(f"the ERP answers with outcome {self.outcome[:40]!r}, which is not agreed")


def movement_outcomes(results: list[Any]) -> dict[object, MovementOutcome]:
    """By movement id; what cannot be read, or stands twice with different outcomes, is left out."""
    outcomes: dict[object, MovementOutcome] = {}
    contradicted = set()
    for answer in _readable(MovementAnswer, results):
        outcome = answer.movement_outcome()
        if outcomes.setdefault(answer.movement_id, outcome) != outcome:
            contradicted.add(answer.movement_id)
    return {key: outcome for key, outcome in outcomes.items() if key not in contradicted}


def allocation_outcomes(results: list[Any]) -> dict[object, AllocationOutcome]:
    """By fulfillment request id and logical timestamp; what cannot be read is left out."""
    return {
        (answer.fulfillment_request_id, answer.logical_timestamp): answer.allocation_outcome()
        for answer in _readable(AllocationAnswer, results)
    }


def _readable(kind: type[A], results: list[Any]) -> Iterator[A]:
    for result in results:
        with suppress(ValidationError):
            yield kind.model_validate(result)


def movement_json(movement: StockMovement, reference: str, ids: Ids) -> Mapping[str, Any]:
    """As the ERP is told it."""
    return {
        "movement_id": reference,
        "location": ids.erp_location(movement.location_id),
        "occurred_at": _instant(movement.occurred_at),
        "order_id": movement.order_id,
        "fulfillment_request_id": movement.fulfillment_request_id,
        "logical_timestamp": movement.logical_timestamp,
        "lines": [
            {"item_id": line.unit.item_id, "product": ids.sku(line.product_id), "quantity": 1}
            for line in movement.lines
        ],
    }


def allocation_json(change: AllocationChange, ids: Ids) -> Mapping[str, Any]:
    """As the ERP is told it."""
    return {
        "fulfillment_request_id": change.fulfillment_request_id,
        "location": ids.erp_location(change.location_id),
        "logical_timestamp": change.logical_timestamp,
        "state": change.state.value,
        "items": [
            {"item_id": item_id, "product": ids.sku(product_id)}
            for item_id, product_id in change.items
        ],
        **({"reason": change.reason} if change.reason else {}),
    }


def _instant(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
