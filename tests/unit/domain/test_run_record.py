"""Each completed event's part in a location's sum."""

from datetime import timedelta

from inventory_sync.domain.cut import (
    AppliedRule,
    LocationCut,
    LogicalRange,
    Part,
    cut_snapshot,
    roll_forward,
)
from inventory_sync.domain.events import OpenEvent
from inventory_sync.domain.manifest import Basis
from inventory_sync.domain.run_record import BaseFigures, LocationRecord, event_parts
from inventory_sync.domain.stock import LastQuantities
from inventory_sync.domain.units import unit_ids
from tests.builders import DC, HOUR, ITEMS_ASSIGNED, NOW, SKU, forwarded, open_event, snapshot

BEFORE = NOW - HOUR
OTHER = "SKU-2"
EVENTS = [
    forwarded(14, applied_at=BEFORE, fulfillment_request_id="b"),
    open_event(14, fulfillment_request_id="a"),
    forwarded(10, SKU, OTHER, applied_at=BEFORE, counted_by="run-0"),
    forwarded(11, applied_at=NOW + HOUR),
    forwarded(9, SKU, SKU, applied_at=BEFORE),
    open_event(12, name=ITEMS_ASSIGNED),
]


def cut_of(events: list[OpenEvent]) -> LocationCut:
    return cut_snapshot(
        snapshot({SKU: 7}),
        events,
        cut_end=12,
        watermark=10,
        rule=AppliedRule(),
        read_started_at=NOW,
    )


def test_each_event_has_the_part_the_cut_gave_it() -> None:
    parts = event_parts(cut_of(EVENTS))

    assert [(part.logical_timestamp, part.part) for part in parts] == [
        (9, Part.IN_BASE),
        (10, Part.IN_BASE),
        (11, Part.SUBTRACTED),
        (14, Part.AFTER),
        (14, Part.ADDED_BACK),
    ]


def test_an_event_at_the_cut_end_is_in_the_base_and_one_past_it_is_not() -> None:
    events = [forwarded(number, applied_at=BEFORE, counted_by="run-0") for number in (12, 13)]

    assert [found.part for found in event_parts(cut_of(events))] == [Part.IN_BASE, Part.ADDED_BACK]


def test_a_location_of_which_nothing_was_sent_says_so() -> None:
    record = LocationRecord(
        location_id=DC,
        basis=Basis.SNAPSHOT,
        cut_end=12,
        released=LogicalRange(9, 12),
        as_of=NOW,
        read_at=NOW,
        apply_lag=timedelta(0),
    )

    assert (record.rows_sent, record.rows_clamped) == (0, 0)


def test_the_parts_add_up_to_the_cuts_quantity() -> None:
    cut = cut_of(EVENTS)
    signs = {Part.ADDED_BACK: 1, Part.SUBTRACTED: -1}
    moved = sum(signs.get(part.part, 0) * part.units.get(SKU, 0) for part in event_parts(cut))

    assert cut.quantities[SKU] == 7 + moved == 7


def test_what_is_counted_for_the_first_time_and_what_came_late_is_marked() -> None:
    parts = {part.logical_timestamp: part for part in event_parts(cut_of(EVENTS[2:]))}

    assert {timestamp for timestamp, part in parts.items() if part.counted} == {9, 11}
    assert {timestamp for timestamp, part in parts.items() if part.late} == {9}


def test_the_acknowledgement_is_kept_as_it_was_known() -> None:
    parts = event_parts(cut_of(EVENTS))

    assert [part.applied_at for part in parts] == [BEFORE, BEFORE, NOW + HOUR, None, BEFORE]
    assert parts[0].published_at == EVENTS[4].event.published_at


def test_a_location_rolled_forward_has_its_uncounted_events_taken_off() -> None:
    counted = frozenset(unit_ids(EVENTS[2].event))
    last = LastQuantities({SKU: 7}, counted)

    cut = roll_forward(DC, last, EVENTS, cut_end=12, watermark=10, rule=AppliedRule())

    assert [part.part for part in event_parts(cut)] == [
        Part.SUBTRACTED,
        Part.IN_BASE,
        Part.SUBTRACTED,
        Part.AFTER,
        Part.AFTER,
    ]


def test_base_figures_are_those_of_the_events_products() -> None:
    base = BaseFigures(Basis.SNAPSHOT, {SKU: 7, "SKU-3": 1}, NOW - timedelta(minutes=1))

    assert base.of(event_parts(cut_of(EVENTS))) == {SKU: 7, OTHER: 0}


def test_an_event_whose_units_have_two_parts_stands_there_once_for_each() -> None:
    listed = open_event(11, "A", "B", fulfillment_request_id="r", owned=frozenset({"r-1"}))
    relisted = forwarded(
        12, "A", "B", applied_at=BEFORE, fulfillment_request_id="r", owned=frozenset({"r-2"})
    )

    parts = event_parts(cut_of([listed, relisted]))

    assert [(p.logical_timestamp, p.part, dict(p.units), p.applied_at) for p in parts] == [
        (11, Part.IN_BASE, {"B": 1}, BEFORE),
        (11, Part.SUBTRACTED, {"A": 1}, None),
    ]
