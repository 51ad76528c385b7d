"""What may come in at the webhook, and what becomes of it.

The webhook needs no more of the ports' values than stands here, and to import all that the import
keeps would cost it a fifth of its own time at a cold start.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from inventory_sync.domain.errors import InventorySyncError
from inventory_sync.domain.events import EventRef, FulfillmentEvent


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


class AppendResult(StrEnum):
    """What the one conditional put found."""

    APPENDED = "appended"
    ALREADY_STORED = "already_stored"
    """The same event, in the same words."""
    STORED_OTHERWISE = "stored_otherwise"
    """The same event: its body says something else of what does not count."""
    CONFLICTING = "conflicting"
    """Other products for the same items: the first stands."""


def same_event(one: FulfillmentEvent, other: FulfillmentEvent) -> bool:
    """Whether two events under one key say the same of what counts.

    The key has location, logical timestamp, name, request and the items' ids; left are their
    products. When it was published, and all that we do not use, may be told in other words.
    """
    return _products(one) == _products(other)


def _products(event: FulfillmentEvent) -> list[tuple[str, str]]:
    return sorted((item.item_id, item.product_id) for item in event.items)


class ClaimResult(StrEnum):
    """Whether this forwarder may post an event's movement now."""

    FIRST = "first"
    """Nobody has tried before."""
    AGAIN = "again"
    """Somebody may have posted it: look it up first."""
    TAKEN = "taken"
    """Somebody else is at it, or it is done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantineEntry:
    """Something that was taken but cannot be used.

    `body` is what came, byte for byte; empty where `ref` names the stored event that has it.
    """

    reason: str
    detail: str
    body: bytes
    received_at: datetime
    ref: EventRef | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportFile:
    """A file of NewStore's S3 export; `etag` says which content, where that is known."""

    bucket: str
    key: str
    etag: str = ""

    @property
    def uri(self) -> str:
        """For people."""
        return f"s3://{self.bucket}/{self.key}" if self.bucket else self.key
