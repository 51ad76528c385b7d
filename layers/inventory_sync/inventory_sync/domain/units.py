"""Units: what is counted. A unit is one item of one fulfillment request, and leaves once.

`items_completed` is cumulative: it lists every item of its request that was shipped by now. So one
unit stands in several events; it left at the lowest logical timestamp of those that list it, and
the ERP books it once, by the event that owns it.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from inventory_sync.domain.events import EventRef, FulfillmentEvent, FulfillmentItem, OpenEvent

_OWNER_MARK = re.compile("[0-9]{20}#[0-9a-f]+#.+", re.DOTALL)


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
    lists one of the others at a lower logical timestamp than the event which owns it.
    """

    owned: frozenset[str]
    lowers: bool


def owner_mark(event: FulfillmentEvent) -> str:
    """What names an event among those of its request; sorts by logical timestamp."""
    digest = event.ref.event_key.rpartition("#")[2]
    return f"{event.logical_timestamp:020d}#{digest}#{event.location_id}"


def is_owner_mark(text: str) -> bool:
    """Whether it is one of some event."""
    return _OWNER_MARK.fullmatch(text) is not None


def ownership(event: FulfillmentEvent, owners: Mapping[str, str]) -> Ownership:
    """From the owner marks of the event's items, by item id."""
    mark = owner_mark(event)
    owned = frozenset(item_id for item_id, owner in owners.items() if owner == mark)
    timestamp = mark.partition("#")[0]
    return Ownership(owned, any(timestamp < owner.partition("#")[0] for owner in owners.values()))


def left_at(event: FulfillmentEvent, item: FulfillmentItem) -> datetime:
    """When a completed item left, as its event says."""
    return item.shipped_at or event.published_at


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
