"""What may come in at the webhook, and what becomes of it.

The webhook needs no more of the ports' values than stands here, and to import all that the import
keeps would cost it a fifth of its own time at a cold start.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from inventory_sync.domain.errors import InventorySyncError
from inventory_sync.domain.events import EventName, EventRef, FulfillmentEvent, FulfillmentItem


@dataclass(frozen=True, slots=True)
class IgnoredEvent:
    """An event of a name we do not use; `name` is fit for a metric: short, printable ASCII."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnstoredCompletion:
    """What can be read of an `items_completed` body that is not stored as an event.

    `location_id` is empty where it cannot be read: then it may be any. Where its
    `logical_timestamp` cannot be read it may be any too.
    `items` are those of which unit and product can be read, `whole` says that these are all.
    """

    location_id: str
    logical_timestamp: int | None
    fulfillment_request_id: str = ""
    service_level: str = ""
    items: tuple[FulfillmentItem, ...] = ()
    whole: bool = False
    published_at: datetime | None = None

    @classmethod
    def of(cls, event: FulfillmentEvent) -> "UnstoredCompletion":
        """Of an event that is understood and cannot be stored."""
        return cls(
            location_id=event.location_id,
            logical_timestamp=event.logical_timestamp,
            fulfillment_request_id=event.fulfillment_request_id,
            service_level=event.service_level,
            items=event.items,
            whole=True,
            published_at=event.published_at,
        )

    def ref(self, received_at: datetime) -> EventRef | None:
        """Where its event would be stored; None where not all of that can be read."""
        if not self.whole or not self.location_id or self.logical_timestamp is None:
            return None
        return self.event(received_at).ref

    def event(self, received_at: datetime) -> FulfillmentEvent:
        """As far as it goes: published when it came in, where nothing else is known."""
        return FulfillmentEvent(
            name=EventName.ITEMS_COMPLETED,
            location_id=self.location_id,
            logical_timestamp=self.logical_timestamp or 0,
            fulfillment_request_id=self.fulfillment_request_id,
            order_id="",
            service_level=self.service_level,
            items=self.items,
            published_at=self.published_at or received_at,
        )


class MalformedEventError(InventorySyncError):
    """A body that no repeat makes usable: quarantine it.

    `reason` is one word for all bodies of a kind, `detail` names the field and the remedy and
    quotes nothing of the body. `completion` is what can be read of units that were shipped; where
    there is none, `harmless` says that the body reports no shipment to us.
    """

    def __init__(
        self,
        reason: str,
        detail: str,
        *,
        completion: UnstoredCompletion | None = None,
        harmless: bool = False,
    ) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
        self.completion = completion
        self.harmless = harmless


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
    `completion` is set where units were shipped and no stored event says so.
    """

    reason: str
    detail: str
    body: bytes
    received_at: datetime
    ref: EventRef | None = None
    completion: UnstoredCompletion | None = None


def quarantine_id(entry: QuarantineEntry) -> str:
    """The same for the same reason, event and body, whenever they come in."""
    ref = entry.ref or EventRef("", "")
    digest = hashlib.sha256()
    for part in (entry.reason.encode(), ref.location_id.encode(), ref.event_key.encode()):
        digest.update(b"%d:%s" % (len(part), part))
    digest.update(entry.body)
    return digest.hexdigest()


def short_entry_id(entry_id: str) -> str:
    """As people are shown it, and as commands take it."""
    return entry_id[:12]


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantinedCompletion:
    """A completion that waits in quarantine, under its entry's id, since it first came in."""

    entry_id: str
    completion: UnstoredCompletion
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportFile:
    """A file of NewStore's S3 export; `etag` says which content, where that is known."""

    bucket: str
    key: str
    etag: str = ""
    rounds: int = 0
    """How many invocations have read of it and left a rest."""

    @property
    def uri(self) -> str:
        """For people."""
        return f"s3://{self.bucket}/{self.key}" if self.bucket else self.key
