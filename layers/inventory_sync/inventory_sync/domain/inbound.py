"""What may come in at the webhook besides an event that concerns stock."""

from collections.abc import Callable
from dataclasses import dataclass

from inventory_sync.domain.errors import InventorySyncError
from inventory_sync.domain.events import FulfillmentEvent


@dataclass(frozen=True, slots=True)
class IgnoredEvent:
    """An event of a name we do not use; `name` is fit for a metric: short, printable ASCII."""

    name: str


class MalformedEventError(InventorySyncError):
    """A body that no repeat makes usable: quarantine it.

    `reason` is one word for all bodies of a kind, `detail` names the field and the remedy and
    quotes nothing of the body.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


ParseEvent = Callable[[bytes], FulfillmentEvent | IgnoredEvent]
"""Reads a body; raises MalformedEventError and nothing else."""
