"""What a run kept of each location's sum: enough to explain any of its quantities later.

Only products that an event concerns have their figure here. For every other row the quantity in
the location's ledger is the base figure itself: nothing was added or taken off.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from inventory_sync.domain.cut import LocationCut, LogicalRange
from inventory_sync.domain.events import OpenEvent
from inventory_sync.domain.manifest import Basis
from inventory_sync.domain.stock import Units


class Part(StrEnum):
    """What a completed event did to the sum of its location."""

    ADDED_BACK = "added_back"
    """After the cut end, and the snapshot shows it."""
    SUBTRACTED = "subtracted"
    """Up to the cut end, and the base figure does not have it."""
    IN_BASE = "in_base"
    """Up to the cut end, and the base figure has it."""
    AFTER = "after"
    """After the cut end, and the base figure does not have it: for a later import."""


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
    """An event and its part in the sum; `counted` if this run was the first to count it.

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


def event_parts(cut: LocationCut, events: Iterable[OpenEvent]) -> tuple[EventPart, ...]:
    """Each completed event's part in the cut that was made of them, by logical timestamp."""
    added, subtracted = frozenset(cut.added_events), frozenset(cut.subtracted_events)
    counted, late = frozenset(cut.counted), frozenset(cut.late)

    def part_of(open_event: OpenEvent) -> Part:
        ref = open_event.event.ref
        if ref in added:
            return Part.ADDED_BACK
        if ref in subtracted:
            return Part.SUBTRACTED
        before = open_event.event.logical_timestamp <= cut.cut_end
        return Part.IN_BASE if before else Part.AFTER

    return tuple(
        EventPart(
            event_key=e.event.ref.event_key,
            logical_timestamp=e.event.logical_timestamp,
            part=part_of(e),
            counted=e.event.ref in counted,
            late=e.event.ref in late,
            published_at=e.event.published_at,
            applied_at=e.applied_at,
            units=dict(sorted(e.event.units().items())),
        )
        for e in sorted(events, key=lambda e: e.event.ref)
        if e.event.completed
    )
