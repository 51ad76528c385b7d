"""What a run kept of each location's sum: enough to explain any of its quantities later.

Only products that an event concerns have their figure here. For every other row the quantity in
the location's ledger is the base figure itself: nothing was added or taken off.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from inventory_sync.domain.cut import LocationCut, LogicalRange, Part
from inventory_sync.domain.events import EventRef
from inventory_sync.domain.manifest import Basis
from inventory_sync.domain.stock import Units
from inventory_sync.domain.units import CompletedUnit, units_by_product


@dataclass(frozen=True, slots=True)
class BaseFigures:
    """What a location's cut starts from; `run_id` names the ledger that was rolled forward."""

    basis: Basis
    quantities: Mapping[str, Units]
    as_of: datetime
    run_id: str = ""

    def of(self, events: Iterable["EventPart"]) -> dict[str, Units]:
        """Of the products the events name; what is not listed is none."""
        products = sorted({product for event in events for product in event.units})
        return {product: self.quantities.get(product, 0) for product in products}


@dataclass(frozen=True, slots=True, kw_only=True)
class EventPart:
    """An event and the part of its units in the sum; `counted` if this run was first to count it.

    `applied_at` is the ERP's acknowledgement as it was known then, on the ERP's clock.
    """

    event_key: str
    logical_timestamp: int
    part: Part
    counted: bool
    late: bool
    published_at: datetime
    applied_at: datetime | None
    units: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class LocationRecord:
    """One location's sum in a run.

    `as_of` is the snapshot's own, on the ERP's clock, or that of the snapshot that was rolled
    forward; `read_at` is ours. `base` has the base figure of the products of `events`: what the
    ERP's snapshot listed, or the quantity in the ledger of `base_run_id`.
    """

    location_id: str
    basis: Basis
    cut_end: int
    released: LogicalRange
    as_of: datetime
    read_at: datetime
    apply_lag: timedelta
    base_run_id: str = ""
    rows_sent: int = 0
    rows_clamped: int = 0
    base: Mapping[str, Units] = field(default_factory=dict)
    events: tuple[EventPart, ...] = ()


def event_parts(cut: LocationCut) -> tuple[EventPart, ...]:
    """Each completed event's part in the cut, by logical timestamp, with the units it brought.

    A unit is its first event's. Where some of an event's units have another part than the rest, it
    stands there once for each.
    """
    counted, late = frozenset(cut.counted), frozenset(cut.late)
    by_event: dict[tuple[EventRef, Part], list[CompletedUnit]] = {}
    for found in cut.parts:
        key = (found.unit.first.event.ref, found.part)
        by_event.setdefault(key, []).append(found.unit)
    return tuple(
        EventPart(
            event_key=ref.event_key,
            logical_timestamp=units[0].logical_timestamp,
            part=part,
            counted=ref in counted,
            late=ref in late,
            published_at=units[0].first.event.published_at,
            applied_at=_applied_at(units),
            units=dict(sorted(units_by_product(units).items())),
        )
        for (ref, part), units in sorted(by_event.items())
    )


def _applied_at(units: list[CompletedUnit]) -> datetime | None:
    """When the ERP had booked the last of them; None while it has not."""
    known = [unit.owner.applied_at if unit.owner else None for unit in units]
    return max((at for at in known if at is not None), default=None) if all(known) else None
