"""The cut is exact: for any history, any cut end and any ERP, however far it lags."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from inventory_sync.domain.cut import AppliedRule, choose_cut_end, cut_snapshot, roll_forward
from inventory_sync.domain.events import FulfillmentItem, OpenEvent
from inventory_sync.domain.reading import ReleaseReading
from inventory_sync.domain.stock import LastQuantities
from inventory_sync.domain.units import UnitId, unit_ids
from tests.builders import (
    DC,
    HOUR,
    ITEMS_ASSIGNED,
    ITEMS_FAILED,
    MINUTE,
    NOW,
    STORE,
    open_event,
    snapshot,
)
from tests.builders import event as build_event

PRODUCTS = ("A", "B", "C")
TIMESTAMP_MAX = 40
TIMESTAMPS = st.integers(0, TIMESTAMP_MAX)
COUNTER_LAG = 10 * MINUTE


@dataclass(frozen=True)
class TrueUnit:
    """A unit as it truly was: when it left, which event books it, and whether the snapshot shows
    it."""

    unit: UnitId
    product_id: str
    logical_timestamp: int
    owner: OpenEvent
    shown: bool


@dataclass(frozen=True)
class History:
    """Stock before the first event, and all that left since at one location."""

    initial: dict[str, int]
    events: tuple[OpenEvent, ...]
    units: tuple[TrueUnit, ...]
    rule: AppliedRule

    def on_hand(self) -> dict[str, int]:
        """The ERP's snapshot as of NOW: a product without stock may be missing."""
        return {p: n for p, n in self._less(u for u in self.units if u.shown).items() if n}

    def true_units(self, cut_end: int) -> dict[str, int]:
        """What was really there once everything up to the cut end had left."""
        return self._less(u for u in self.units if u.logical_timestamp <= cut_end)

    def unsure_units(self) -> Counter[str]:
        """Units that the snapshot shows and we cannot know of."""
        return Counter(u.product_id for u in self.units if u.shown and not self.certain(u))

    def certain(self, unit: TrueUnit) -> bool:
        return self.rule.applied(unit.owner, NOW, NOW)

    def uncounted(self) -> "History":
        """The same, before any import."""
        return replace(self, events=tuple(replace(e, counted_by=None) for e in self.events))

    def _less(self, units: Iterable[TrueUnit]) -> dict[str, int]:
        found = Counter(self.initial)
        found.subtract(Counter(u.product_id for u in units))
        return {product: found[product] for product in PRODUCTS}


@dataclass(frozen=True)
class _Request:
    """Items of one request: each is first listed by the event of that index."""

    items: tuple[tuple[FulfillmentItem, int], ...]
    numbers: tuple[int, ...]
    service_level: str


@st.composite
def _requests(draw: st.DrawFn) -> list[_Request]:
    numbers = draw(st.lists(TIMESTAMPS, unique=True, max_size=8))
    requests = []
    while numbers:
        size = draw(st.integers(1, min(3, len(numbers))))
        mine, numbers = sorted(numbers[:size]), numbers[size:]
        products = draw(st.lists(st.sampled_from(PRODUCTS), min_size=1, max_size=4))
        first_listed = [0, *(draw(st.integers(0, size - 1)) for _ in products[1:])]
        items = tuple(
            (FulfillmentItem(f"i{n}", product), first)
            for n, (product, first) in enumerate(zip(products, first_listed, strict=True))
        )
        level = draw(st.sampled_from(("STANDARD", "STANDARD", "COUNTER")))
        requests.append(_Request(items, tuple(mine), level))
    return requests


@st.composite
def histories(draw: st.DrawFn, *, sure: bool = False, cumulative: bool = True) -> History:
    """Any history. `sure`: what the snapshot shows is exactly what we know it shows."""
    lag = timedelta(minutes=draw(st.sampled_from((0, 0, 20))))
    rule = AppliedRule(apply_lag=lag, other_channel_lags={"COUNTER": COUNTER_LAG})
    events: list[OpenEvent] = []
    units: list[TrueUnit] = []
    for index, request in enumerate(draw(_requests())):
        known: dict[int, OpenEvent] = {}
        owned_before: set[str] = set()
        for n in draw(st.permutations(range(len(request.numbers)))):
            listed = [i for i, first in request.items if first == n or (cumulative and first < n)]
            if not listed:
                continue
            owned = frozenset(i.item_id for i in listed) - owned_before
            owned_before |= owned
            minutes = draw(st.sampled_from((None, -60, -20, -5, 0, 5)))
            known[n] = open_event(
                request.numbers[n],
                fulfillment_request_id=f"ff{index}",
                items=tuple(listed),
                service_level=request.service_level,
                published_at=NOW - timedelta(minutes=draw(st.sampled_from((5, 10, 60)))),
                applied_at=None if minutes is None else NOW + timedelta(minutes=minutes),
                forwarded_at=draw(st.sampled_from((None, NOW))),
                counted_by=draw(st.sampled_from((None, "run-0"))),
                owned=owned,
            )
        events += known.values()
        for item, _ in request.items:
            listing = [e for e in known.values() if item in e.event.items]
            owner = next(e for e in listing if e.owned and item.item_id in e.owned)
            certain = rule.applied(owner, NOW, NOW)
            units.append(
                TrueUnit(
                    UnitId(f"ff{index}", item.item_id),
                    item.product_id,
                    min(e.event.logical_timestamp for e in listing),
                    owner,
                    shown=certain or (not sure and draw(st.booleans())),
                )
            )
    initial = {product: draw(st.integers(0, 30)) for product in PRODUCTS}
    return History(initial, tuple(events), tuple(units), rule)


def cut_of(
    history: History, cut_end: int, events: Iterable[OpenEvent] | None = None, **fields: Any
) -> Any:
    return cut_snapshot(
        snapshot(history.on_hand()),
        history.events if events is None else events,
        cut_end=cut_end,
        watermark=0,
        rule=history.rule,
        read_started_at=NOW,
        **fields,
    )


def sums(quantities: Any) -> dict[str, int]:
    return {product: quantities.get(product, 0) for product in PRODUCTS}


@given(histories(sure=True), TIMESTAMPS)
def test_the_cut_is_exact_for_any_cut_end(history: History, cut_end: int) -> None:
    assert sums(cut_of(history, cut_end).quantities) == history.true_units(cut_end)


@given(histories(), TIMESTAMPS)
def test_what_cannot_be_known_makes_it_lower_by_just_that_never_higher(
    history: History, cut_end: int
) -> None:
    unsure, truth = history.unsure_units(), history.true_units(cut_end)

    found = sums(cut_of(history, cut_end).quantities)

    assert found == {product: truth[product] - unsure[product] for product in PRODUCTS}


@given(histories(), TIMESTAMPS, st.randoms(use_true_random=False))
def test_the_order_in_which_events_are_read_changes_nothing(
    history: History, cut_end: int, random: Any
) -> None:
    shuffled = list(history.events)
    random.shuffle(shuffled)

    assert cut_of(history, cut_end, shuffled) == cut_of(history, cut_end)


@given(histories(sure=True), TIMESTAMPS, st.lists(TIMESTAMPS, max_size=4))
def test_events_that_move_no_stock_change_nothing(
    history: History, cut_end: int, numbers: list[int]
) -> None:
    idle = [
        open_event(number, "A", name=name, applied_at=NOW - HOUR)
        for number in numbers
        for name in (ITEMS_ASSIGNED, ITEMS_FAILED)
    ]

    assert cut_of(history, cut_end, [*list(history.events), *idle]) == cut_of(history, cut_end)


@given(histories(), TIMESTAMPS)
def test_every_event_is_counted_once_and_closed_only_when_nothing_is_left_to_do(
    history: History, cut_end: int
) -> None:
    found = cut_of(history, cut_end)

    due = {e.event.ref: e for e in history.events if e.event.logical_timestamp <= cut_end}
    assert set(found.counted) == {ref for ref, known in due.items() if known.counted_by is None}
    kept = [e for e in history.events if e.event.ref not in found.closed]
    needed = {unit for e in kept for unit in unit_ids(e.event)}
    assert {u.unit for u in history.units if not history.certain(u)} <= needed
    assert all(due[ref].forwarded_at for ref in found.closed)
    assert not needed & {unit for ref in found.closed for unit in unit_ids(due[ref].event)}
    ready = {u.unit for u in history.units if history.certain(u)} - needed
    assert {u for ref in found.closed for u in unit_ids(due[ref].event)} == ready


def after_run(found: Any, events: Iterable[OpenEvent]) -> list[OpenEvent]:
    """The open events once the run has been finalized."""
    return [
        replace(known, counted_by="run-1") if known.event.ref in found.counted else known
        for known in events
        if known.event.ref not in found.closed
    ]


def last(found: Any) -> LastQuantities:
    """What the run's ledger keeps."""
    return LastQuantities(found.quantities, found.lacking)


@given(histories(sure=True).map(History.uncounted), TIMESTAMPS, TIMESTAMPS, st.data())
def test_rolled_forward_is_exact_where_nothing_but_completions_happened(
    history: History, first: int, more: int, data: st.DataObject
) -> None:
    owners = {u.owner.event.ref for u in history.units if u.shown}
    before = [
        e
        for e in history.events
        if e.event.ref in owners or data.draw(st.booleans(), label="arrived before the first run")
    ]
    later = [e for e in history.events if e not in before]
    base = cut_of(history, first, before)
    events = [*after_run(base, before), *later]

    found = roll_forward(
        DC, last(base), events, cut_end=first + more, watermark=first, rule=history.rule
    )

    assert sums(found.quantities) == history.true_units(first + more)
    assert set(found.late) == {e.event.ref for e in later if e.event.logical_timestamp <= first}


@given(histories().map(History.uncounted), TIMESTAMPS, TIMESTAMPS)
def test_rolled_forward_is_never_too_high(history: History, first: int, more: int) -> None:
    base = cut_of(history, first)
    events = after_run(base, history.events)

    found = roll_forward(
        DC, last(base), events, cut_end=first + more, watermark=first, rule=history.rule
    )

    truth = history.true_units(first + more)
    assert all(found.quantities.get(p, 0) <= truth[p] for p in PRODUCTS)
    assert found.closed == ()


@given(histories(sure=True), TIMESTAMPS, TIMESTAMPS)
def test_closing_what_needs_nothing_more_keeps_the_next_cut_exact(
    history: History, first: int, more: int
) -> None:
    events = after_run(cut_of(history, first), history.events)

    found = cut_of(history, first + more, events)

    assert sums(found.quantities) == history.true_units(first + more)


@given(histories(sure=True), TIMESTAMPS, st.sampled_from(ReleaseReading))
def test_a_quantity_that_is_not_only_for_a_range_is_without_all_that_left(
    history: History, cut_end: int, reading: ReleaseReading
) -> None:
    found = sums(cut_of(history, cut_end, reading=reading).quantities)

    up_to = cut_end if reading is ReleaseReading.RANGE else max(TIMESTAMP_MAX, cut_end)
    assert found == history.true_units(up_to)


@given(
    histories(sure=True).map(History.uncounted),
    TIMESTAMPS,
    TIMESTAMPS,
    st.sampled_from(ReleaseReading),
    st.sampled_from(ReleaseReading),
)
def test_rolled_forward_across_a_switch_of_the_reading_is_exact(
    history: History, first: int, more: int, before: ReleaseReading, after: ReleaseReading
) -> None:
    base = cut_of(history, first, reading=before)
    events = after_run(base, history.events)

    found = roll_forward(
        DC,
        last(base),
        events,
        cut_end=first + more,
        watermark=first,
        rule=history.rule,
        reading=after,
    )

    up_to = first + more if after is ReleaseReading.RANGE else TIMESTAMP_MAX
    assert sums(found.quantities) == history.true_units(up_to)


# Where the cut ends

BLOCKED = frozenset({STORE})


@st.composite
def pending(draw: st.DrawFn) -> list[OpenEvent]:
    """Open events of two locations on one counter."""
    return [
        open_event(
            number,
            *["A"] * draw(st.integers(1, 4)),
            at=draw(st.sampled_from((DC, DC, STORE))),
            name=draw(st.sampled_from((*[build_event().name] * 4, ITEMS_ASSIGNED))),
            published_at=NOW - timedelta(minutes=draw(st.integers(0, 40))),
            counted_by=draw(st.sampled_from((None, None, "run-0"))),
        )
        for number in draw(st.lists(st.integers(0, 30), unique=True, max_size=10))
    ]


def end_of(events: list[OpenEvent], minutes: int, floor: int, **fields: Any) -> int:
    settled_before = NOW - timedelta(minutes=minutes)
    return choose_cut_end(events, settled_before=settled_before, floor=floor, **fields)


MINUTES, FLOORS, ROOM = st.integers(0, 40), st.integers(0, 30), st.integers(1, 12)


@given(pending(), MINUTES, FLOORS, ROOM)
def test_the_cut_ends_at_its_floor_or_at_a_settled_completed_event(
    events: list[OpenEvent], minutes: int, floor: int, room: int
) -> None:
    end = end_of(events, minutes, floor, items_max=room, blocked=BLOCKED)

    settled = {
        e.event.logical_timestamp
        for e in events
        if e.event.completed
        and e.event.published_at <= NOW - timedelta(minutes=minutes)
        and e.event.location_id not in BLOCKED
    }
    assert end == floor or (end > floor and end in settled)


@given(pending(), MINUTES, FLOORS)
def test_with_room_and_nothing_blocked_no_settled_event_is_left(
    events: list[OpenEvent], minutes: int, floor: int
) -> None:
    end = end_of(events, minutes, floor)

    left = [e for e in events if e.event.completed and e.event.logical_timestamp > end]
    assert all(e.event.published_at > NOW - timedelta(minutes=minutes) for e in left)


@given(pending(), MINUTES, FLOORS)
def test_the_cut_never_reaches_a_blocked_locations_unreleased_event(
    events: list[OpenEvent], minutes: int, floor: int
) -> None:
    end = end_of(events, minutes, floor, blocked=BLOCKED)

    passed = [e for e in events if floor < e.event.logical_timestamp <= end]
    assert not [
        e
        for e in passed
        if e.event.completed and e.event.location_id in BLOCKED and e.counted_by is None
    ]


@given(pending(), MINUTES, MINUTES, FLOORS, ROOM)
def test_the_longer_it_settles_the_further_the_cut_may_go(
    events: list[OpenEvent], minutes: int, less: int, floor: int, room: int
) -> None:
    shorter, longer = sorted((minutes, less))
    fields: dict[str, Any] = {"items_max": room, "blocked": BLOCKED}

    assert end_of(events, longer, floor, **fields) <= end_of(events, shorter, floor, **fields)


@given(pending(), MINUTES, FLOORS, ROOM)
def test_the_cut_passes_as_many_items_as_fit_or_one_event(
    events: list[OpenEvent], minutes: int, floor: int, room: int
) -> None:
    end = end_of(events, minutes, floor, items_max=room)

    passed = [
        e.event for e in events if e.event.completed and floor < e.event.logical_timestamp <= end
    ]
    assert len(passed) <= 1 or sum(len(e.items) for e in passed) <= room


@given(pending(), FLOORS, ROOM)
def test_whatever_the_room_everything_is_passed_in_the_end(
    events: list[OpenEvent], floor: int, room: int
) -> None:
    highest = max([e.event.logical_timestamp for e in events if e.event.completed], default=0)
    for _ in events:
        floor = end_of(events, 0, floor, items_max=room)

    assert floor >= highest


@given(pending(), MINUTES, FLOORS, ROOM, st.randoms(use_true_random=False))
def test_the_order_of_events_does_not_move_the_cut(
    events: list[OpenEvent], minutes: int, floor: int, room: int, random: Any
) -> None:
    shuffled = list(events)
    random.shuffle(shuffled)

    assert end_of(shuffled, minutes, floor, items_max=room) == end_of(
        events, minutes, floor, items_max=room
    )
