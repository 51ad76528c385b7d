"""Units: what is counted. A unit is one item of one fulfillment request, and leaves once.

`items_completed` is cumulative: it lists every item of its request that was shipped by now. So one
unit stands in several events; it left at the lowest logical timestamp of those that list it, and
the ERP books it once, by the event that owns it.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import NamedTuple

from inventory_sync.domain.events import EventRef, FulfillmentEvent, FulfillmentItem, OpenEvent

_OWNER_MARK = re.compile("([0-9]{20}#[0-9a-f]{16})([0-9a-f]{4})?(#(.+))", re.DOTALL)
"""The event, the beginning of the product's digest, the event's location."""
_PRODUCT_CHARACTERS = 4
SHIPPED_BEFORE_MAX = timedelta(days=3653)
"""What NewStore says was shipped more than ten years before it says so was shipped when it says so:
2000-01-01 and 2001-01-01 are platforms' null dates. Migrated orders are as old as books are kept,
which is ten years."""


class UnitId(NamedTuple):
    """NewStore's name for a unit: the same in all events about it."""

    fulfillment_request_id: str
    item_id: str

    def __str__(self) -> str:
        return f"{self.fulfillment_request_id}/{self.item_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletedUnit:
    """A unit that left, as the open events of its location know it.

    `left_at` is when it was shipped or, where no event says so, when the first was published.
    `first` is the event with the lowest logical timestamp of those that list it. `owner` is the
    event whose movement books it; None where no open event is known to own it yet. `counted` says
    whether a finished import's quantity has counted it.
    """

    unit: UnitId
    product_id: str
    left_at: datetime
    first: OpenEvent
    owner: OpenEvent | None
    counted: bool

    @property
    def gone_at(self) -> datetime:
        """By when it has left, and NewStore has said so."""
        return max(self.left_at, self.first.event.published_at)

    @property
    def logical_timestamp(self) -> int:
        """When it left, by NewStore's counter."""
        return self.first.event.logical_timestamp


@dataclass(frozen=True, slots=True)
class Ownership:
    """What the store has decided of an event's units.

    `owned` are the ids of the items that the event's own movement books; `lowers` says that it
    lists one of the others at a lower logical timestamp than the event which owns it. A unit leaves
    one location, and is of one product: `conflict` names the first that the event which owns it
    puts at another, or calls another; empty where there is none.
    """

    owned: frozenset[str]
    lowers: bool
    conflict: str = ""


def owner_mark(event: FulfillmentEvent, product_id: str) -> str:
    """What the owner of a unit says: which event of its request it is, and of which product."""
    digest = event.ref.event_key.rpartition("#")[2] + _product_digest(product_id)
    return f"{event.logical_timestamp:020d}#{digest}#{event.location_id}"


def owner_of(mark: str) -> str:
    """What names the event among those of its request; sorts by logical timestamp."""
    found = _OWNER_MARK.fullmatch(mark)
    return f"{found[1]}{found[3]}" if found else ""


def is_owner_mark(text: str) -> bool:
    """Whether it is one of some event."""
    return _OWNER_MARK.fullmatch(text) is not None


def ownership(event: FulfillmentEvent, owners: Mapping[str, str]) -> Ownership:
    """From the owner marks of the event's items, by item id."""
    own = owner_of(owner_mark(event, ""))
    owned = frozenset(item_id for item_id, mark in owners.items() if owner_of(mark) == own)
    timestamp = own.partition("#")[0]
    lowers = any(timestamp < mark.partition("#")[0] for mark in owners.values())
    conflicts = (_conflict(event, item, owners[item.item_id]) for item in event.items)
    return Ownership(owned, lowers, next((found for found in conflicts if found), ""))


def _conflict(event: FulfillmentEvent, item: FulfillmentItem, mark: str) -> str:
    """Marks of former versions do not say which product it is."""
    found = _OWNER_MARK.fullmatch(mark)
    if found is None:
        return ""
    unit = UnitId(event.fulfillment_request_id, item.item_id)
    if found[4] != event.location_id:
        return f"unit {unit} left {found[4]} by an event that came before"
    if found[2] not in {None, _product_digest(item.product_id)}:
        number = int(mark.partition("#")[0])
        return f"unit {unit} is of another product by event {number}, which came before"
    return ""


def _product_digest(product_id: str) -> str:
    """A request's item has room for no more."""
    digest = sha256(product_id.encode("utf-8", "surrogatepass")).hexdigest()
    return digest[:_PRODUCT_CHARACTERS]


def left_at(event: FulfillmentEvent, item: FulfillmentItem) -> datetime:
    """When a completed item left, as its event says where that can be true."""
    shipped_at = item.shipped_at
    if shipped_at is None or shipped_at < event.published_at - SHIPPED_BEFORE_MAX:
        return event.published_at
    return shipped_at


def first_left_at(
    event: FulfillmentEvent, item_ids: frozenset[str], go_live_at: datetime | None = None
) -> datetime | None:
    """When the first of these items left, those from before go-live aside; None without any."""
    times = (left_at(event, item) for item in event.items if item.item_id in item_ids)
    return min((at for at in times if go_live_at is None or at >= go_live_at), default=None)


def unit_ids(event: FulfillmentEvent) -> tuple[UnitId, ...]:
    """The units that an event lists."""
    return tuple(UnitId(event.fulfillment_request_id, item.item_id) for item in event.items)


def completed_units(events: Iterable[OpenEvent]) -> tuple[CompletedUnit, ...]:
    """The units that the completed events among these say have left, each once.

    A unit that is owned by an event which is closed already has been booked and counted: it is
    left out. That is known of a unit once every event that lists it has its owned units marked.
    """
    listed: dict[UnitId, list[OpenEvent]] = defaultdict(list)
    for open_event in _completed(events):
        for unit in unit_ids(open_event.event):
            listed[unit].append(open_event)
    return tuple(
        _completed_unit(unit, listing)
        for unit, listing in sorted(listed.items())
        if any(e.owned is None or unit.item_id in e.owned for e in listing)
    )


def _completed_unit(unit: UnitId, listing: Sequence[OpenEvent]) -> CompletedUnit:
    """`listing` are the events that list it, by logical timestamp."""
    owner = next((e for e in listing if e.owned is not None and unit.item_id in e.owned), None)
    items = {e.event.ref: _item(e.event, unit.item_id) for e in listing}
    said_by = owner or listing[0]
    return CompletedUnit(
        unit=unit,
        product_id=items[said_by.event.ref].product_id,
        left_at=min(left_at(e.event, items[e.event.ref]) for e in listing),
        first=listing[0],
        owner=owner,
        counted=any(e.counted_by is not None for e in listing),
    )


def _item(event: FulfillmentEvent, item_id: str) -> FulfillmentItem:
    return next(item for item in event.items if item.item_id == item_id)


def units_by_product(units: Iterable[CompletedUnit]) -> Counter[str]:
    """How many of each product."""
    return Counter(unit.product_id for unit in units)


def closable(
    events: Iterable[OpenEvent], unfinished: Iterable[UnitId], *, cut_end: int
) -> tuple[EventRef, ...]:
    """The completed events that need nothing more once an import up to `cut_end` has finished.

    An event is needed while it lies after the cut end, while the ERP lacks something of it, or one
    of its units is among the `unfinished`; and as long as an open event shares a unit with it:
    closed before, that unit would be counted again for the other.
    """
    completed = _completed(events)
    kept = set(unfinished)
    ready: list[OpenEvent] = []
    for open_event in completed:
        due = open_event.event.logical_timestamp <= cut_end
        if due and open_event.forwarded_at is not None:
            ready.append(open_event)
        else:
            kept.update(unit_ids(open_event.event))
    while needed := [e for e in ready if not kept.isdisjoint(unit_ids(e.event))]:
        kept.update(unit for e in needed for unit in unit_ids(e.event))
        still = {e.event.ref for e in needed}
        ready = [e for e in ready if e.event.ref not in still]
    return tuple(e.event.ref for e in ready)


def _completed(events: Iterable[OpenEvent]) -> list[OpenEvent]:
    """By location and logical timestamp."""
    return sorted((e for e in events if e.event.completed), key=lambda e: e.event.ref)
