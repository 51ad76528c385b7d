"""What a shadow sees: by how much NewStore's promises differ from the sum, for how long and where.

Another system books what ships then. A unit counts as in the ERP's figure once that system's lag is
over; until then it may be in it or not. So a row's stock is certain but for its `unshown` units:

    by the sum    on hand - unshown units - what NewStore takes off       the least that there is
    at the most   on hand - what NewStore takes off                       had all been booked by now
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

_HOUR = timedelta(hours=1)


class UnshownUnits(NamedTuple):
    """Units of one row that left by one event, and may not be in the ERP's figure yet."""

    logical_timestamp: int
    fulfillment_request_id: str
    gone_at: datetime
    units: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseRow:
    """One row in units; `shipped` of NewStore's allocations are of units that have left already."""

    product_id: str
    on_hand: int
    unshown: tuple[UnshownUnits, ...]
    allocations: int
    shipped: int
    reservations: int
    safety_stock: int
    atp: int

    @property
    def unshown_units(self) -> int:
        """Of all events."""
        return sum(event.units for event in self.unshown)

    @property
    def taken_off(self) -> int:
        """What NewStore has to take off the stock."""
        return self.allocations - self.shipped + self.reservations + self.safety_stock

    @property
    def would_send(self) -> int:
        """What the adapter would have NewStore have."""
        return max(0, self.on_hand - self.unshown_units)

    @property
    def should_be(self) -> int:
        """The promise by the sum."""
        return max(0, self.on_hand - self.unshown_units - self.taken_off)

    @property
    def at_most(self) -> int:
        """What it should be if the other system has booked every unit by now."""
        return max(0, self.on_hand - self.taken_off)

    @property
    def too_much(self) -> int:
        """By the sum."""
        return max(0, self.atp - self.should_be)

    @property
    def certain(self) -> int:
        """Of that, whatever has been booked by now."""
        return max(0, self.atp - self.at_most)

    @property
    def too_little(self) -> int:
        """At least."""
        return max(0, self.should_be - self.atp)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One location at one time: how many rows were compared, and those that differ.

    `unchecked` rows could not be. `unread` says why nothing could be: then all else is empty.
    """

    location_id: str
    at: datetime
    as_of: datetime | None = None
    rows: int = 0
    unchecked: int = 0
    differing: tuple[PromiseRow, ...] = ()
    unread: str = ""


@dataclass(frozen=True, slots=True)
class Amount:
    """Units over time: 2 units for half an hour are 1 unit hour, and half a row hour."""

    unit_hours: float = 0.0
    row_hours: float = 0.0
    units_max: int = 0

    def plus(self, units: int, length: timedelta) -> "Amount":
        """So many units of a row for so long."""
        if not units:
            return self
        hours = length / _HOUR
        return Amount(
            self.unit_hours + units * hours, self.row_hours + hours, max(self.units_max, units)
        )


@dataclass(frozen=True, slots=True)
class Promises:
    """How much NewStore promised too much, how much of that is certain, and how much too little."""

    too_much: Amount = Amount()
    certain: Amount = Amount()
    too_little: Amount = Amount()

    def plus(self, row: PromiseRow, length: timedelta) -> "Promises":
        """With a row as it was for so long."""
        return Promises(
            self.too_much.plus(row.too_much, length),
            self.certain.plus(row.certain, length),
            self.too_little.plus(row.too_little, length),
        )

    @property
    def cost(self) -> tuple[float, float]:
        """What orders rows: an order that cannot be fulfilled costs more than one not taken."""
        return self.too_much.unit_hours, self.too_little.unit_hours


@dataclass(frozen=True, slots=True, kw_only=True)
class RowStory:
    """One row over the time of a report, and how it was when it was worst, `at` that time."""

    location_id: str
    product_id: str
    promises: Promises
    at: datetime
    as_of: datetime | None
    worst: PromiseRow


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowReport:
    """`rows` were compared at the last look at each location.

    `unread` says why a location could not be looked at, where the last try failed.

    `longest_gap` is the longest time without a look at a location that was looked at before and
    after; `oldest_stock` the greatest age of the ERP's figures at a look.
    """

    since: datetime | None
    until: datetime | None
    looks: int
    rows: int
    unchecked: int
    longest_gap: timedelta
    oldest_stock: timedelta
    unread: Mapping[str, str]
    total: Promises
    by_location: Mapping[str, Promises]
    by_product: Mapping[str, Promises]
    by_hour: Mapping[datetime, Promises]
    costliest: tuple[RowStory, ...]
