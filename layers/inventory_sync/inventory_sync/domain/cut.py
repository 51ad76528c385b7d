"""The cut: which logical timestamp an import states stock as of, and the sum that makes it exact.

quantity(l, p) =   on hand in the ERP's snapshot
                 + units completed after the cut end that the snapshot already shows
                 - units completed up to the cut end that it does not show yet
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import InitVar, dataclass, field
from datetime import datetime, timedelta
from typing import TypedDict

from inventory_sync.domain.events import EventRef, FulfillmentEvent, OpenEvent
from inventory_sync.domain.stock import StockSnapshot, Totals, Units, totals_of

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
    """When an event counts as visible in an ERP snapshot.

    `other_channel_lags` names the service levels whose units the ERP learns of by another way
    (a POS feed), and how long after publication they are in its figure at the latest.
    """

    apply_lag: timedelta = timedelta(0)
    other_channel_lags: Mapping[str, timedelta] = field(default_factory=dict)

    def other_channel(self, event: FulfillmentEvent) -> bool:
        """Whether the ERP learns of the event without us."""
        return event.service_level in self.other_channel_lags

    def applied(self, open_event: OpenEvent, as_of: datetime) -> bool:
        """Whether a snapshot as of `as_of` (the ERP's clock) shows the event for certain."""
        event = open_event.event
        if self.other_channel(event):
            return event.published_at + self.other_channel_lags[event.service_level] <= as_of
        applied_at = open_event.applied_at
        return applied_at is not None and applied_at <= as_of - self.apply_lag


def choose_cut_end(
    events: Iterable[OpenEvent],
    *,
    settled_before: datetime,
    floor: int,
    blocked: frozenset[str] = frozenset(),
    items_max: int = 300_000,
) -> int:
    """The highest logical timestamp among completed events published before `settled_before`.

    Never below `floor` (the watermark, or the end of an import that was attempted). Stays below
    every unreleased event of a `blocked` location (one without any quantity to send), and below
    an `outlier_timestamp`. Passes events of at most `items_max` items at a time, or one event,
    since their rows have to fit one file; what is left of them is for the next import.
    """
    completed = [e for e in events if e.event.completed and e.event.logical_timestamp > floor]
    ceilings = [
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


@dataclass(frozen=True, slots=True)
class LocationCut:
    """One location's stock as of `cut_end`.

    `quantities`, in order of the products, may be negative: what is sent is clamped, what is
    remembered is not.
    `touched` are the products of completed events that no finished import has counted.
    `counted` are those events; `closed` are the events that need nothing more. `added_events` and
    `subtracted_events` are those whose units `added_back` and `subtracted` sum up.
    """

    location_id: str
    cut_end: int
    quantities: Mapping[str, Units]
    touched: frozenset[str]
    added_back: Mapping[str, int]
    subtracted: Mapping[str, int]
    counted: tuple[EventRef, ...]
    closed: tuple[EventRef, ...]
    late: tuple[EventRef, ...]
    added_events: tuple[EventRef, ...] = ()
    subtracted_events: tuple[EventRef, ...] = ()
    known_totals: InitVar[Totals | None] = None
    """Where the quantities are those of a snapshot."""
    totals: Totals = field(init=False, repr=False, compare=False)

    def __post_init__(self, known_totals: Totals | None) -> None:
        object.__setattr__(self, "totals", known_totals or totals_of(self.quantities))


def cut_snapshot(
    snapshot: StockSnapshot,
    events: Iterable[OpenEvent],
    *,
    cut_end: int,
    watermark: int | None,
    rule: AppliedRule,
) -> LocationCut:
    """State the snapshot as of `cut_end`.

    `events` are all open events of the location, read after the snapshot.
    """
    added: list[FulfillmentEvent] = []
    subtracted: list[FulfillmentEvent] = []
    closed: list[EventRef] = []
    completed = sorted((e for e in events if e.event.completed), key=lambda e: e.event.ref)
    for open_event in completed:
        event = open_event.event
        applied = rule.applied(open_event, snapshot.as_of)
        if event.logical_timestamp > cut_end:
            if applied:
                added.append(event)
        elif not applied:
            subtracted.append(event)
        elif open_event.forwarded_at is not None:
            closed.append(event.ref)
    added_units, subtracted_units = _units(added), _units(subtracted)
    quantities = _as_of_the_cut(snapshot.on_hand_units, added_units, subtracted_units)
    as_snapshot = quantities is snapshot.on_hand_units
    return LocationCut(
        location_id=snapshot.location_id,
        cut_end=cut_end,
        quantities=quantities,
        known_totals=snapshot.totals if as_snapshot else None,
        added_back=added_units,
        subtracted=subtracted_units,
        closed=tuple(closed),
        added_events=_refs(added),
        subtracted_events=_refs(subtracted),
        **_uncounted(completed, cut_end, watermark),
    )


def _as_of_the_cut(
    on_hand_units: Mapping[str, Units], added: Counter[str], subtracted: Counter[str]
) -> Mapping[str, Units]:
    """The sum, by product; the snapshot's own rows where no event changes one."""
    if not added and not subtracted:
        return _by_product(on_hand_units)
    quantities = dict(on_hand_units)
    for product in {*added, *subtracted}:
        units = added[product] - subtracted[product]
        quantities[product] = quantities.get(product, 0) + units
    return _by_product(quantities)


def _by_product(quantities: Mapping[str, Units]) -> Mapping[str, Units]:
    """In order of the products: most ERPs list them so."""
    products = sorted(quantities)
    if products == list(quantities):
        return quantities
    return {product: quantities[product] for product in products}


def roll_forward(
    location_id: str,
    last_quantities: Mapping[str, Units],
    events: Iterable[OpenEvent],
    *,
    cut_end: int,
    watermark: int | None,
) -> LocationCut:
    """State a location without a snapshot: its last quantities less what was completed since.

    The other products keep their last quantity. A product without one has none in stock.
    """
    completed = sorted((e for e in events if e.event.completed), key=lambda e: e.event.ref)
    since = [e.event for e in completed if _counts(e, cut_end)]
    subtracted = _units(since)
    quantities = dict(last_quantities)
    for product, units in subtracted.items():
        quantities[product] = quantities.get(product, 0) - units
    return LocationCut(
        location_id=location_id,
        cut_end=cut_end,
        quantities=_by_product(quantities),
        added_back={},
        subtracted=subtracted,
        closed=(),
        subtracted_events=_refs(since),
        **_uncounted(completed, cut_end, watermark),
    )


class _Uncounted(TypedDict):
    touched: frozenset[str]
    counted: tuple[EventRef, ...]
    late: tuple[EventRef, ...]


def _units(events: Iterable[FulfillmentEvent]) -> Counter[str]:
    units: Counter[str] = Counter()
    for event in events:
        units.update(event.units())
    return units


def _refs(events: Iterable[FulfillmentEvent]) -> tuple[EventRef, ...]:
    return tuple(event.ref for event in events)


def _counts(open_event: OpenEvent, cut_end: int) -> bool:
    return open_event.counted_by is None and open_event.event.logical_timestamp <= cut_end


def _uncounted(completed: list[OpenEvent], cut_end: int, watermark: int | None) -> _Uncounted:
    counted = [e.event for e in completed if _counts(e, cut_end)]
    return {
        "touched": frozenset(item.product_id for event in counted for item in event.items),
        "counted": tuple(event.ref for event in counted),
        "late": tuple(
            e.ref for e in counted if watermark is not None and e.logical_timestamp <= watermark
        ),
    }
