"""NewStore's fulfillment events and what the adapter knows about each."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import NamedTuple

_DIGEST_CHARACTERS = 16
NO_INVENTORY = "no_inventory"
"""The `rejection_reason` of a unit that was not on the shelf."""


class EventName(StrEnum):
    """The events that concern stock; every other name is ignored."""

    ASSIGNED = "fulfillment_request.assigned"
    ITEMS_COMPLETED = "fulfillment_request.items_completed"
    ITEMS_FAILED = "fulfillment_request.items_failed"


@dataclass(frozen=True, slots=True)
class FulfillmentItem:
    """One unit of one product: NewStore's items have no quantity.

    `shipped_at` is when it left by NewStore's word, UTC; only completed items may have it, and only
    failed ones a `rejection_reason`, which is empty where none was given.
    """

    item_id: str
    product_id: str
    shipped_at: datetime | None = None
    rejection_reason: str = ""


@dataclass(frozen=True, slots=True, order=True)
class EventRef:
    """Where an event is stored; sorts by location, then by logical timestamp."""

    location_id: str
    event_key: str

    def __str__(self) -> str:
        """As log lines have it."""
        return f"{self.location_id}/{self.event_key}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FulfillmentEvent:
    """One event as NewStore published it; `published_at` is NewStore's clock, UTC."""

    name: EventName
    location_id: str
    logical_timestamp: int
    fulfillment_request_id: str
    order_id: str
    service_level: str
    items: tuple[FulfillmentItem, ...]
    published_at: datetime
    ref: EventRef = field(init=False, repr=False, compare=False)
    """The storage key: two events never share one, a repeated delivery always does.

    NewStore tells events apart by their name, request and item ids: two of one request may share a
    logical timestamp.
    """

    def __post_init__(self) -> None:
        digest = _digest(item.item_id for item in self.items)
        key = f"{self.logical_timestamp:020d}#{self.name}#{self.fulfillment_request_id}#{digest}"
        object.__setattr__(self, "ref", EventRef(self.location_id, key))

    @property
    def completed(self) -> bool:
        """Whether units left the location."""
        return self.name is EventName.ITEMS_COMPLETED

    @property
    def mispicked(self) -> tuple[str, ...]:
        """The products of the units that were not found, one for each unit."""
        if self.name is not EventName.ITEMS_FAILED:
            return ()
        return tuple(i.product_id for i in self.items if i.rejection_reason == NO_INVENTORY)

    def units(self) -> Counter[str]:
        """Units by product id."""
        return Counter(item.product_id for item in self.items)


def _digest(item_ids: Iterable[str]) -> str:
    """Of a set of ids, whatever their order; each with its length, so that no two sets meet."""
    texts = sorted(item_ids)
    whole = "".join(f"{len(text)}:{text}" for text in texts)
    return sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST_CHARACTERS]


class EndedMispick(NamedTuple):
    """A mispick of one product that is over, though its event is still open."""

    event_key: str
    product_id: str


class KeyParts(NamedTuple):
    """What an event's key says of it; the rest of the key is a digest of its item ids."""

    logical_timestamp: int
    name: EventName
    fulfillment_request_id: str


def key_parts(ref: EventRef) -> KeyParts:
    """Taken apart again; ValueError for a key that no event has. A request id may have a `#`."""
    number, name, rest = ref.event_key.split("#", 2)
    return KeyParts(int(number), EventName(name), rest.rpartition("#")[0])


def logical_timestamp(ref: EventRef) -> int:
    """The logical timestamp that an event's key begins with."""
    return int(ref.event_key.partition("#")[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenEvent:
    """An event that is not yet both applied by the ERP and released at NewStore.

    `applied_at` is on the ERP's clock, `received_at` and `forwarded_at` are on ours.
    `forwarded_at` is set once the ERP has everything the event asks for (movement and
    allocation). `counted_by` is the import run whose quantity for this location first counted
    the event. `owned` are the ids of the items that its own movement books; None until the store
    has decided, and its other items are owned by other events. `retried` says that a person had it
    forwarded once more.
    """

    event: FulfillmentEvent
    received_at: datetime
    applied_at: datetime | None = None
    forwarded_at: datetime | None = None
    rejected_reason: str | None = None
    counted_by: str | None = None
    owned: frozenset[str] | None = None
    retried: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvent:
    """An event as it stands in the log, open or history; `attempts` are those to post it."""

    state: OpenEvent
    is_open: bool
    document_id: str = ""
    attempts: int = 0
