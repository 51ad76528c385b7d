"""The cut: which logical timestamp an import states stock as of, and the sum that makes it exact.

quantity(l, p) =   on hand in the ERP's snapshot
                 + units completed after the cut end that the snapshot already shows
                 - units completed up to the cut end that it does not show yet

That is for an import that releases a range. Whatever is imported, and whatever it starts from (a
snapshot, or the last quantities), there is one sum: the base, plus the units that the base lacks
and the import must still have, less those that the base has and the import must be without.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypedDict

from inventory_sync.domain.acknowledgements import ERP_CLOCK_SKEW
from inventory_sync.domain.events import EventRef, FulfillmentEvent, OpenEvent
from inventory_sync.domain.reading import ReleaseReading
from inventory_sync.domain.stock import (
    NO_QUANTITIES,
    LastQuantities,
    StockSnapshot,
    Totals,
    Units,
    totals_of,
)
from inventory_sync.domain.units import (
    CompletedUnit,
    UnitId,
    closable,
    completed_units,
    left_at,
    units_by_product,
)

LEAP_MIN = 1_000_000
"""Steps of the logical counter up to this are plausible at any height; above, up to a tenth."""
FIRST_MAX = 10**13
"""Where nothing is known yet: NewStore's counters were seen with up to 13 digits."""


@dataclass(frozen=True, slots=True)
class LogicalRange:
    """Logical timestamps whose completed events an import releases; both ends inclusive."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if self.start > self.end:
            raise ValueError(f"a range cannot start at {self.start} after its end {self.end}")

    @property
    def releases(self) -> bool:
        """Whether anything beyond the already released start is released."""
        return self.end > self.start


@dataclass(frozen=True, slots=True)
class AppliedRule:
    """When a unit, or an event, counts as visible in an ERP snapshot.

    `other_channel_lags` names the service levels whose units the ERP learns of through another
    channel (a POS feed), and how long after publication they are in its figure at the latest. What
    left before `go_live_at` is in it already, and always was; with an `other_system_lag` another
    system books it, so much after NewStore has said so at the latest. Then nothing at all is ours
    to book as long as there is no `go_live_at`.
    """

    apply_lag: timedelta = timedelta(0)
    other_channel_lags: Mapping[str, timedelta] = field(default_factory=dict)
    go_live_at: datetime | None = None
    other_system_lag: timedelta | None = None

    def historical(self, left_at: datetime) -> bool:
        """Whether a unit left before go-live: orders migrated into NewStore publish theirs.

        Such a unit moves nothing: the ERP must not book it, no quantity has it to be taken off,
        and whether NewStore ever took it off is not known, so none is added back.
        """
        return self.other_system_lag is None and self._before_go_live(left_at)

    def by_other_system(self, left_at: datetime) -> bool:
        """Whether another system books what left then, which must not be booked twice.

        Whether NewStore still takes it off depends on that system's imports: none is added back.
        """
        if self.other_system_lag is None:
            return False
        return self.go_live_at is None or self._before_go_live(left_at)

    def to_book(self, event: FulfillmentEvent, owned: frozenset[str]) -> frozenset[str]:
        """Of the items an event owns those that the ERP has to learn of from us."""
        if self.other_channel(event):
            return frozenset()
        return frozenset(
            item.item_id
            for item in event.items
            if item.item_id in owned and not self._not_ours(left_at(event, item))
        )

    def other_channel(self, event: FulfillmentEvent) -> bool:
        """Whether the ERP learns of the event without us."""
        return event.service_level in self.other_channel_lags

    def applied(self, open_event: OpenEvent, as_of: datetime, read_started_at: datetime) -> bool:
        """Whether a snapshot as of `as_of` (the ERP's clock) shows the event for certain.

        `read_started_at` is when its reading began, on our clock. No acknowledgement ties another
        channel's event to the ERP's clock, so that the earlier of the two counts. What the ERP has
        acknowledged counts on its clock, which may be ahead of ours as far as `believed` allows.
        """
        event = open_event.event
        if self.other_channel(event):
            shown_at = event.published_at + self.other_channel_lags[event.service_level]
            return shown_at <= min(as_of, read_started_at)
        applied_at = open_event.applied_at
        shown_up_to = min(as_of, read_started_at + ERP_CLOCK_SKEW) - self.apply_lag
        return applied_at is not None and applied_at <= shown_up_to

    def unit_applied(self, unit: CompletedUnit, as_of: datetime, read_started_at: datetime) -> bool:
        """Whether it shows a unit for certain: by the event that books it."""
        if self.historical(unit.left_at):
            return True
        lag = self.other_system_lag
        if lag is not None and self.by_other_system(unit.left_at):
            # By the earlier clock, as for another channel: no acknowledgement ties it to the ERP's.
            shown = unit.gone_at + lag <= min(as_of, read_started_at)
        else:
            shown = False
        owner = unit.owner
        return shown or (owner is not None and self.applied(owner, as_of, read_started_at))

    def _not_ours(self, left_at: datetime) -> bool:
        return self.historical(left_at) or self.by_other_system(left_at)

    def _before_go_live(self, left_at: datetime) -> bool:
        return self.go_live_at is not None and left_at < self.go_live_at


def choose_cut_end(
    events: Iterable[OpenEvent],
    *,
    settled_before: datetime,
    floor: int,
    blocked: frozenset[str] = frozenset(),
    below: Iterable[int] = (),
    items_max: int = 300_000,
) -> int:
    """The highest logical timestamp among completed events published before `settled_before`.

    Never below `floor` (the watermark, or the end of an import that was attempted). Stays below
    every unreleased event of a `blocked` location (one without any quantity to send), below these
    timestamps, and below an `outlier_timestamp`. Passes events of at most `items_max` items at a
    time, or one event, since their rows have to fit one file; what is left of them is for the next
    import.
    """
    completed = [e for e in events if e.event.completed and e.event.logical_timestamp > floor]
    ceilings = [*below] + [
        e.event.logical_timestamp
        for e in completed
        if e.event.location_id in blocked and e.counted_by is None
    ]
    leapt_to = outlier_timestamp(completed, floor)
    if leapt_to is not None:
        ceilings.append(leapt_to)
    ceiling = min(ceilings, default=None)
    cut_end, items = floor, 0
    for event in sorted((e.event for e in completed), key=lambda e: (e.logical_timestamp, e.ref)):
        items += len(event.items)
        if ceiling is not None and event.logical_timestamp >= ceiling:
            break
        if items > max(items_max, len(event.items)):
            break
        if event.published_at <= settled_before and event.location_id not in blocked:
            cut_end = event.logical_timestamp
    return cut_end


def outlier_timestamp(events: Iterable[OpenEvent], floor: int) -> int | None:
    """The lowest logical timestamp to which the counter leapt, if one request alone says so.

    A number that is wrong would put the cut end so high that whatever comes after it comes late:
    it would be released before it is known. Until another request has a number up there too, the
    cut stays below; the sum is exact for any cut end.
    """
    completed = [e.event for e in events if e.event.completed]
    top = max(completed, key=lambda event: event.logical_timestamp, default=None)
    if top is None:
        return None
    request_id = top.fulfillment_request_id
    others = (e.logical_timestamp for e in completed if e.fulfillment_request_id != request_id)
    before = max([floor, *others])
    own = (e.logical_timestamp for e in completed if e.fulfillment_request_id == request_id)
    for number in sorted(own):
        if number > _plausible_after(before):
            return number
        before = max(before, number)
    return None


def _plausible_after(logical_timestamp: int) -> int:
    if logical_timestamp == 0:
        return FIRST_MAX
    return logical_timestamp + max(LEAP_MIN, logical_timestamp // 10)


class Part(StrEnum):
    """A unit's part in the sum of its location."""

    ADDED_BACK = "added_back"
    """The base lacks it, and the import must still have it."""
    SUBTRACTED = "subtracted"
    """The base has it, and the import must be without it."""
    IN_BASE = "in_base"
    """The base lacks it already, as the import must."""
    AFTER = "after"
    """Both still have it: it is for a later import."""


@dataclass(frozen=True, slots=True)
class UnitPart:
    """One completed unit in a location's sum."""

    unit: CompletedUnit
    part: Part


@dataclass(frozen=True, slots=True)
class LocationCut:
    """One location's stock as of `cut_end`.

    `quantities`, in order of the products, may be negative: what is sent is clamped, what is
    remembered is not. `totals` are theirs.
    `touched` are the products of units that no finished import has counted.
    `counted` are the events of those units; `closed` are the events that need nothing more; `late`
    are those of the counted that came in at or below the watermark.
    """

    location_id: str
    cut_end: int
    quantities: Mapping[str, Units]
    totals: Totals = field(repr=False, compare=False)
    touched: frozenset[str]
    parts: tuple[UnitPart, ...]
    counted: tuple[EventRef, ...]
    closed: tuple[EventRef, ...]
    late: tuple[EventRef, ...]

    @property
    def added_back(self) -> Counter[str]:
        """Units by product."""
        return units_by_product(p.unit for p in self.parts if p.part is Part.ADDED_BACK)

    @property
    def subtracted(self) -> Counter[str]:
        """Units by product."""
        return units_by_product(p.unit for p in self.parts if p.part is Part.SUBTRACTED)

    @property
    def lacking(self) -> frozenset[UnitId]:
        """The open units that the quantities are without."""
        return frozenset(unit.unit for unit in self._without)

    @property
    def unowned(self) -> dict[UnitId, str]:
        """Those of them that no open event is known to own, with their products."""
        return {unit.unit: unit.product_id for unit in self._without if unit.owner is None}

    def left_since(self, last: LastQuantities) -> Counter[str]:
        """Units by product that the quantities are without, and the last ones are not."""
        return units_by_product(self.gone_since(last))

    def gone_since(self, last: LastQuantities) -> Iterator[CompletedUnit]:
        """These units themselves."""
        return (unit for unit in self._without if unit.unit not in last.lacking)

    @property
    def _without(self) -> Iterator[CompletedUnit]:
        without = {Part.SUBTRACTED, Part.IN_BASE}
        return (p.unit for p in self.parts if p.part in without)


def cut_snapshot(
    snapshot: StockSnapshot,
    events: Iterable[OpenEvent],
    *,
    cut_end: int,
    watermark: int | None,
    rule: AppliedRule,
    read_started_at: datetime,
    reading: ReleaseReading = ReleaseReading.RANGE,
    unlisted: LastQuantities | None = None,
    unstored: Iterable[OpenEvent] = (),
    held: LastQuantities = NO_QUANTITIES,
) -> LocationCut:
    """State the snapshot as of `cut_end`.

    `events` are all open events of the location, read after the snapshot, whose own reading began
    at `read_started_at`, on our clock. `unlisted` is given where
    a product that the snapshot leaves out is not gone: it keeps its last quantity, rolled forward.
    So do the rows `held`, whatever the snapshot says of them.
    The units of `unstored` events are in the sum too, but nobody books or marks these events.
    """
    events, unstored = tuple(events), tuple(unstored)
    known = (*events, *unstored)
    units = completed_units(known)
    listed = snapshot.on_hand_units
    last = unlisted or LastQuantities({})
    base = listed if unlisted is None else {**last.quantities, **listed}
    if held.quantities:
        base = {**base, **held.quantities}

    def shows(unit: CompletedUnit) -> bool:
        return rule.unit_applied(unit, snapshot.as_of, read_started_at)

    def base_lacks(unit: CompletedUnit) -> bool:
        if unit.product_id in held.quantities:
            return unit.unit in held.lacking
        if unlisted is not None and unit.product_id not in listed:
            return unit.unit in last.lacking
        return shows(unit)

    moved = [unit for unit in units if not rule.historical(unit.left_at)]
    parts = _parts(moved, base_lacks, rule, reading, cut_end)
    quantities = _quantities(base, parts)
    unfinished = [u.unit for u in units if not shows(u)]
    return LocationCut(
        location_id=snapshot.location_id,
        cut_end=cut_end,
        quantities=quantities,
        totals=snapshot.totals if quantities is listed else totals_of(quantities),
        parts=parts,
        closed=closable(known, unfinished, cut_end=cut_end),
        **_uncounted(events, _untold(units, unstored, watermark), cut_end, watermark),
    )


def roll_forward(
    location_id: str,
    last: LastQuantities,
    events: Iterable[OpenEvent],
    *,
    cut_end: int,
    watermark: int | None,
    rule: AppliedRule,
    reading: ReleaseReading = ReleaseReading.RANGE,
    unstored: Iterable[OpenEvent] = (),
) -> LocationCut:
    """State a location without a snapshot: its last quantities less what was completed since.

    The other products keep their last quantity. A product without one has none in stock.
    """
    events, unstored = tuple(events), tuple(unstored)
    units = completed_units((*events, *unstored))
    moved = [unit for unit in units if not rule.historical(unit.left_at)]
    parts = _parts(moved, lambda unit: unit.unit in last.lacking, rule, reading, cut_end)
    quantities = _quantities(last.quantities, parts)
    return LocationCut(
        location_id=location_id,
        cut_end=cut_end,
        quantities=quantities,
        totals=totals_of(quantities),
        parts=parts,
        closed=(),
        **_uncounted(events, _untold(units, unstored, watermark, last.lacking), cut_end, watermark),
    )


def _parts(
    units: Iterable[CompletedUnit],
    base_lacks: Callable[[CompletedUnit], bool],
    rule: AppliedRule,
    reading: ReleaseReading,
    cut_end: int,
) -> tuple[UnitPart, ...]:
    def part(unit: CompletedUnit) -> Part:
        wanted = not reading.quantity_lacks(unit.logical_timestamp, cut_end)
        if not base_lacks(unit):
            return Part.AFTER if wanted else Part.SUBTRACTED
        # Without an owner it may be a unit of an event that is closed: gone at a lower logical
        # timestamp than the open events know of, and for good.
        known = unit.owner is not None and not rule.by_other_system(unit.left_at)
        return Part.ADDED_BACK if wanted and known else Part.IN_BASE

    return tuple(UnitPart(unit, part(unit)) for unit in units)


def _quantities(base: Mapping[str, Units], parts: tuple[UnitPart, ...]) -> Mapping[str, Units]:
    """The sum, in order of the products; the base's own rows where no unit changes one."""
    moved: Counter[str] = Counter()
    for found in parts:
        sign = (found.part is Part.ADDED_BACK) - (found.part is Part.SUBTRACTED)
        if sign:
            moved[found.unit.product_id] += sign
    if moved:
        base = {**base, **{product: base.get(product, 0) + n for product, n in moved.items()}}
    products = sorted(base)
    if products == list(base):
        return base
    return {product: base[product] for product in products}


def _untold(
    units: Iterable[CompletedUnit],
    unstored: Iterable[OpenEvent],
    watermark: int | None,
    lacking: frozenset[UnitId] | None = None,
) -> list[CompletedUnit]:
    """Without the units of unstored events, which nothing marks as counted, once they are released
    and the row is without them; where all rows are read (`lacking` is None) a change shows."""
    refs = {e.event.ref for e in unstored}

    def told(unit: CompletedUnit) -> bool:
        released = watermark is not None and unit.logical_timestamp <= watermark
        without = lacking is None or unit.unit in lacking
        return unit.first.event.ref in refs and released and without

    return [unit for unit in units if not told(unit)]


class _Uncounted(TypedDict):
    touched: frozenset[str]
    counted: tuple[EventRef, ...]
    late: tuple[EventRef, ...]


def _uncounted(
    events: Iterable[OpenEvent],
    units: Iterable[CompletedUnit],
    cut_end: int,
    watermark: int | None,
) -> _Uncounted:
    """What a run up to `cut_end` is the first to count.

    An event at or below the watermark is late, also where its units were counted before at a
    higher logical timestamp: the range that passed it need not have released them. Its rows go out
    again with a range that reaches back to it.
    """
    counted = sorted(
        (
            e.event
            for e in events
            if e.event.completed and e.counted_by is None and e.event.logical_timestamp <= cut_end
        ),
        key=lambda event: event.ref,
    )
    late = [e for e in counted if watermark is not None and e.logical_timestamp <= watermark]
    fresh = {u.product_id for u in units if u.logical_timestamp <= cut_end and not u.counted}
    return {
        "touched": frozenset(fresh | {item.product_id for e in late for item in e.items}),
        "counted": tuple(event.ref for event in counted),
        "late": tuple(event.ref for event in late),
    }
