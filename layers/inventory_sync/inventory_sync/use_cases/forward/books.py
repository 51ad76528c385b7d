"""The ERP's books, where an error is the outcome of what was asked, and of nothing else."""

from dataclasses import dataclass
from typing import TypeVar

from inventory_sync.domain.errors import (
    InvariantError,
    LeaseLostError,
    OutcomeUnknownError,
    RejectedError,
)
from inventory_sync.domain.stock import (
    AllocationChange,
    AllocationOutcome,
    MovementOutcome,
    Rejection,
    StockMovement,
    TryLater,
    Unknown,
)
from inventory_sync.ports.erp import ErpBooks
from inventory_sync.use_cases.faults import in_words

A = TypeVar("A")
O = TypeVar("O")  # noqa: E741 - an outcome
_STOPS = (InvariantError, LeaseLostError)


@dataclass(frozen=True, slots=True)
class Books:
    """Connectors should give each thing an outcome; what one raises all the same is one too.

    Only what nothing may go on after is raised.
    """

    erp: ErpBooks

    def post(self, movements: list[StockMovement]) -> list[MovementOutcome]:
        """One outcome for each; of several at once nobody knows which were booked."""
        try:
            return _of_each(movements, self.erp.post_movements(movements))
        except _STOPS:
            raise
        except Exception as error:  # noqa: BLE001 - whatever one event does to a connector
            if isinstance(error, RejectedError) and len(movements) == 1:
                return [Rejection(str(error))]
            return [Unknown(in_words(error)) for _ in movements]

    def look_up(self, movement_id: str) -> MovementOutcome | None:
        """None only where the ERP has none."""
        try:
            return self.erp.look_up(movement_id)
        except _STOPS:
            raise
        except Exception as error:  # noqa: BLE001 - as above
            return Unknown(f"no answer to the look-up: {in_words(error)}")

    def change_allocations(self, changes: list[AllocationChange]) -> list[AllocationOutcome]:
        """One outcome for each; repeats are harmless, so where several fail each is tried alone."""
        try:
            return _of_each(changes, self.erp.change_allocations(changes))
        except _STOPS:
            raise
        except Exception as error:  # noqa: BLE001 - as above
            if len(changes) > 1:
                return [outcome for c in changes for outcome in self.change_allocations([c])]
            if isinstance(error, RejectedError):
                return [Rejection(str(error))]
            return [TryLater(in_words(error))]


def _of_each(asked: list[A], outcomes: list[O]) -> list[O]:
    if len(outcomes) != len(asked):
        raise OutcomeUnknownError(f"{len(outcomes)} outcomes for {len(asked)} entries")
    return outcomes
