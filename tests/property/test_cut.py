"""The cut is exact: for any history, any cut end and any ERP, however far it lags."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from inventory_sync.domain.cut import AppliedRule, choose_cut_end, cut_snapshot, roll_forward
from inventory_sync.domain.events import OpenEvent
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
TIMESTAMPS = st.integers(0, 40)
COUNTER_LAG = 10 * MINUTE


@dataclass(frozen=True)
class Shipped:
    """A completed event as it truly was: what we know of it, and whether the snapshot shows it."""

    known: OpenEvent
    shown: bool


@dataclass(frozen=True)
class History:
    """Stock before the first event, and all that was completed since at one location."""

    initial: dict[str, int]
    shipped: tuple[Shipped, ...]
    rule: AppliedRule

    def on_hand(self) -> dict[str, int]:
        """The ERP's snapshot as of NOW: a product without stock may be missing."""
        units = Counter(self.initial)
        units.subtract(units_of(e.known for e in self.shipped if e.shown))
        return {product: count for product, count in units.items() if count}

    def open_events(self) -> list[OpenEvent]:
        return [e.known for e in self.shipped]

    def true_units(self, cut_end: int) -> dict[str, int]:
        """What was really there once everything up to the cut end had left."""
        units = Counter(self.initial)
        gone = [e.known for e in self.shipped if e.known.event.logical_timestamp <= cut_end]
        units.subtract(units_of(gone))
        return {product: units[product] for product in PRODUCTS}

    def unsure_units(self) -> Counter[str]:
        """Units that the snapshot shows and we cannot know of."""
        unsure = [e.known for e in self.shipped if e.shown and not self.certain(e.known)]
        return units_of(unsure)

    def certain(self, known: OpenEvent) -> bool:
        return self.rule.applied(known, NOW)


def units_of(events: Iterable[OpenEvent]) -> Counter[str]:
    found: Counter[str] = Counter()
    for known in events:
        found.update(known.event.units())
    return found


@st.composite
def histories(draw: st.DrawFn, *, sure: bool = False) -> History:
    """Any history. `sure`: what the snapshot shows is exactly what we know it shows."""
    lag = timedelta(minutes=draw(st.sampled_from((0, 0, 20))))
    rule = AppliedRule(apply_lag=lag, other_channel_lags={"COUNTER": COUNTER_LAG})
    numbers = draw(st.lists(TIMESTAMPS, unique=True, max_size=8))
    shipped = []
    for number in numbers:
        minutes = draw(st.sampled_from((None, -60, -20, -5, 0, 5)))
        known = open_event(
            number,
            *draw(st.lists(st.sampled_from(PRODUCTS), min_size=1, max_size=3)),
            service_level=draw(st.sampled_from(("STANDARD", "STANDARD", "COUNTER"))),
            published_at=NOW - timedelta(minutes=draw(st.sampled_from((5, 10, 60)))),
            applied_at=None if minutes is None else NOW + timedelta(minutes=minutes),
            forwarded_at=draw(st.sampled_from((None, NOW))),
            counted_by=draw(st.sampled_from((None, "run-0"))),
        )
        certain = rule.applied(known, NOW)
        shipped.append(Shipped(known, shown=certain or (not sure and draw(st.booleans()))))
    initial = {product: draw(st.integers(0, 30)) for product in PRODUCTS}
    return History(initial, tuple(shipped), rule)


def cut_of(history: History, cut_end: int, events: list[OpenEvent] | None = None) -> Any:
    return cut_snapshot(
        snapshot(history.on_hand()),
        history.open_events() if events is None else events,
        cut_end=cut_end,
        watermark=0,
        rule=history.rule,
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
    shuffled = history.open_events()
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

    assert cut_of(history, cut_end, [*history.open_events(), *idle]) == cut_of(history, cut_end)


@given(histories(), TIMESTAMPS)
def test_every_event_is_counted_once_and_closed_only_when_nothing_is_left_to_do(
    history: History, cut_end: int
) -> None:
    found = cut_of(history, cut_end)

    due = {e.known.event.ref: e.known for e in history.shipped
           if e.known.event.logical_timestamp <= cut_end}  # fmt: skip
    assert set(found.counted) == {ref for ref, known in due.items() if known.counted_by is None}
    assert set(found.closed) == {
        ref for ref, known in due.items() if history.certain(known) and known.forwarded_at
    }
    assert found.touched == set(units_of(due[ref] for ref in found.counted))


def after_run(found: Any, events: list[OpenEvent]) -> list[OpenEvent]:
    """The open events once the run has settled."""
    return [
        replace(known, counted_by="run-1") if known.event.ref in found.counted else known
        for known in events
        if known.event.ref not in found.closed
    ]


@given(histories(sure=True), TIMESTAMPS, TIMESTAMPS, st.data())
def test_rolled_forward_is_exact_where_nothing_but_completions_happened(
    history: History, first: int, more: int, data: st.DataObject
) -> None:
    history = replace(history, shipped=tuple(
        replace(e, known=replace(e.known, counted_by=None)) for e in history.shipped
    ))  # fmt: skip
    refs = [e.known.event.ref for e in history.shipped]
    arrived = {ref: data.draw(st.booleans(), label="arrived before the first run") for ref in refs}
    before = [e for e in history.shipped if arrived[e.known.event.ref] or e.shown]
    later = [e.known for e in history.shipped if e not in before]
    base = cut_of(history, first, [e.known for e in before])
    events = [*after_run(base, [e.known for e in before]), *later]

    found = roll_forward(DC, base.quantities, events, cut_end=first + more, watermark=first)

    assert sums(found.quantities) == history.true_units(first + more)
    assert set(found.late) == {e.event.ref for e in later if e.event.logical_timestamp <= first}


@given(histories(), TIMESTAMPS, TIMESTAMPS)
def test_rolled_forward_is_never_too_high(history: History, first: int, more: int) -> None:
    history = replace(history, shipped=tuple(
        replace(e, known=replace(e.known, counted_by=None)) for e in history.shipped
    ))  # fmt: skip
    base = cut_of(history, first)
    events = after_run(base, history.open_events())

    found = roll_forward(DC, base.quantities, events, cut_end=first + more, watermark=first)

    truth = history.true_units(first + more)
    assert all(found.quantities.get(p, 0) <= truth[p] for p in PRODUCTS)
    assert found.closed == ()


@given(histories(sure=True), TIMESTAMPS, TIMESTAMPS)
def test_closing_what_needs_nothing_more_keeps_the_next_cut_exact(
    history: History, first: int, more: int
) -> None:
    events = after_run(cut_of(history, first), history.open_events())

    found = cut_of(history, first + more, events)

    assert sums(found.quantities) == history.true_units(first + more)


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
