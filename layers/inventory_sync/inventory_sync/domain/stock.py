"""Stock figures, movements and allocations, in units."""

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from inventory_sync.domain.events import EventName, FulfillmentEvent
from inventory_sync.domain.units import UnitId

Units = int | Decimal
"""Whole numbers as int; a figure with a fraction stays Decimal so that the guard can name it."""


class StockKey(NamedTuple):
    """One row of stock."""

    location_id: str
    product_id: str


class Totals(NamedTuple):
    """Of a location's rows: `units` are whole ones, to which a negative row adds none.

    `plain` says that all rows are whole numbers from 0 up, `highest` is the largest of them.
    """

    plain: bool
    units: int
    highest: Units


NOISE = Decimal("0.000001")
"""What a figure may be off a whole number by, and still be it: floats of an ERP."""


def without_noise(figure: Units) -> Units:
    """Whole where it is but for noise; Decimal otherwise, so that the guard can name it."""
    if isinstance(figure, int):
        return figure
    whole = int(figure.to_integral_value())
    return whole if abs(figure - Decimal(whole)) <= NOISE else figure


def totals_of(quantities: Mapping[str, Units]) -> Totals:
    """Found without a look at each row by itself where they are plain."""
    figures = quantities.values()
    highest = max(figures, default=0)
    if set(map(type, figures)) <= {int} and min(figures, default=0) >= 0:
        return Totals(True, int(sum(figures)), highest)
    return Totals(False, int(sum(units for units in figures if units > 0)), highest)


@dataclass(frozen=True, slots=True)
class LastQuantities:
    """What an import computed for a location; `lacking` are the open units it was without then.

    `unowned` are those of them, with their products, that no open event was known to own, and whose
    row was not sent: they may have been booked and counted before.
    """

    quantities: Mapping[str, Units]
    lacking: frozenset[UnitId] = frozenset()
    unowned: Mapping[UnitId, str] = field(default_factory=dict)

    def of(self, products: Iterable[str]) -> "LastQuantities":
        """Of these products; none where nothing was."""
        quantities = {product: self.quantities.get(product, 0) for product in sorted(products)}
        return LastQuantities(quantities, self.lacking)


NO_QUANTITIES = LastQuantities(MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class StockSnapshot:
    """What the ERP said one location holds.

    `as_of` is on the ERP's clock and the earliest moment any row may date from: every movement
    the ERP applied at or before it is in `on_hand_units`. `unreadable` are products that it lists
    too, whose figure cannot be read, with what is wrong. `unknown` are rows of which nobody can say
    what product they are of, by what the ERP calls them: no product's figure is taken from them.
    """

    location_id: str
    as_of: datetime
    on_hand_units: Mapping[str, Units]
    unreadable: Mapping[str, str] = field(default_factory=dict)
    unknown: Mapping[str, str] = field(default_factory=dict)
    totals: Totals = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        totals = totals_of(self.on_hand_units)
        if not totals.plain:
            rows = {p: without_noise(units) for p, units in self.on_hand_units.items()}
            object.__setattr__(self, "on_hand_units", rows)
            totals = totals_of(rows)
        object.__setattr__(self, "totals", totals)

    def without(self, products: Set[str]) -> "StockSnapshot":
        """The same less some products, and less what cannot be read."""
        rows = {p: units for p, units in self.on_hand_units.items() if p not in products}
        return StockSnapshot(self.location_id, self.as_of, rows)


@dataclass(frozen=True, slots=True)
class MovementLine:
    """One unit that left; `unit` names it in every event and every repeat."""

    unit: UnitId
    product_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StockMovement:
    """Units that left a location, one line each, booked in the ERP once under its movement id."""

    movement_id: str
    location_id: str
    occurred_at: datetime
    order_id: str
    fulfillment_request_id: str
    logical_timestamp: int
    lines: tuple[MovementLine, ...]


class AllocationState(StrEnum):
    """Whether the items are set aside in the ERP."""

    ALLOCATED = "allocated"
    RELEASED = "released"


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocationChange:
    """Items set aside or given back; the highest logical timestamp of an item wins."""

    fulfillment_request_id: str
    location_id: str
    logical_timestamp: int
    state: AllocationState
    items: tuple[tuple[str, str], ...]
    """(item id, product id)"""
    reason: str = ""
    """Why they failed, in NewStore's words."""


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """The ERP has booked a movement, now or earlier; `applied_at` is on the ERP's clock."""

    applied_at: datetime
    document_id: str


@dataclass(frozen=True, slots=True)
class Rejection:
    """The ERP will not take it, with its reason."""

    reason: str


@dataclass(frozen=True, slots=True)
class Conflict(Rejection):
    """It has booked another content under this movement id, which names its units: an id that it
    calls a product or the location by may have changed since.
    """


@dataclass(frozen=True, slots=True)
class TryLater:
    """The ERP did not take it; a repeat is safe."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """No answer: it may have been booked. Look it up before posting it again."""

    reason: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """The allocation change is in force, or a later one already was."""


MovementOutcome = Acknowledgement | Rejection | TryLater | Unknown
AllocationOutcome = Accepted | Rejection | TryLater


def movement_of(event: FulfillmentEvent, owned: Set[str]) -> StockMovement:
    """What an `items_completed` event books: the items it owns, by their ids.

    The same event always gives the same id and, since the store never changes an item's owner, the
    same lines.
    """
    request_id = event.fulfillment_request_id
    lines = {
        item.item_id: MovementLine(UnitId(request_id, item.item_id), item.product_id)
        for item in event.items
        if item.item_id in owned
    }
    return StockMovement(
        movement_id=movement_id(event),
        location_id=event.location_id,
        occurred_at=event.published_at,
        order_id=event.order_id,
        fulfillment_request_id=request_id,
        logical_timestamp=event.logical_timestamp,
        lines=tuple(lines[item_id] for item_id in sorted(lines)),
    )


def movement_id(event: FulfillmentEvent) -> str:
    """Unique for each event: a request ships in parts, and two may share a logical timestamp."""
    digest = event.ref.event_key.rpartition("#")[2]
    parts = (event.location_id, event.logical_timestamp, event.fulfillment_request_id, digest)
    return ":".join(map(str, parts))


def allocation_change_of(event: FulfillmentEvent) -> AllocationChange:
    """Assigned items are set aside; completed and failed ones are given back."""
    assigned = event.name is EventName.ASSIGNED
    return AllocationChange(
        fulfillment_request_id=event.fulfillment_request_id,
        location_id=event.location_id,
        logical_timestamp=event.logical_timestamp,
        state=AllocationState.ALLOCATED if assigned else AllocationState.RELEASED,
        items=tuple((item.item_id, item.product_id) for item in event.items),
        reason=", ".join(sorted({i.rejection_reason for i in event.items} - {""})),
    )
