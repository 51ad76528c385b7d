"""The cut: where it ends, what the stock is as of there, and what goes on without a snapshot."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from inventory_sync.domain.acknowledgements import ERP_CLOCK_SKEW
from inventory_sync.domain.cut import (
    FIRST_MAX,
    LEAP_MIN,
    AppliedRule,
    LocationCut,
    LogicalRange,
    choose_cut_end,
    cut_snapshot,
    outlier_timestamp,
    roll_forward,
)
from inventory_sync.domain.events import FulfillmentItem
from inventory_sync.domain.reading import ReleaseReading
from inventory_sync.domain.stock import LastQuantities, Units
from inventory_sync.domain.units import UnitId, unit_ids
from tests.builders import (
    DC,
    HOUR,
    ITEMS_ASSIGNED,
    ITEMS_FAILED,
    MINUTE,
    NOW,
    SKU,
    STORE,
    event,
    forwarded,
    open_event,
    snapshot,
)

TICK = timedelta(microseconds=1)
SETTLED_BEFORE = NOW - 15 * MINUTE
BEFORE = NOW - MINUTE
"""Early enough for a snapshot as of NOW to show it."""


# The range


def test_a_range_has_both_its_ends() -> None:
    found = LogicalRange(10, 12)

    assert (found.start, found.end, found.releases) == (10, 12, True)


def test_a_range_of_one_point_releases_nothing_new() -> None:
    assert not LogicalRange(12, 12).releases
    assert not LogicalRange(10**12, int("1" + 12 * "0")).releases


def test_a_range_that_ends_before_it_starts_cannot_be_made() -> None:
    with pytest.raises(ValueError, match=r"^a range cannot start at 13 after its end 12$"):
        LogicalRange(13, 12)


# Applied


def test_an_acknowledged_event_shows_in_a_snapshot_from_that_moment_on() -> None:
    applied_at = open_event(applied_at=NOW)

    assert AppliedRule().applied(applied_at, NOW, NOW + HOUR)
    assert not AppliedRule().applied(applied_at, NOW - TICK, NOW + HOUR)


def test_an_erp_with_a_lag_shows_it_once_the_lag_is_over() -> None:
    rule = AppliedRule(apply_lag=HOUR)

    assert rule.applied(open_event(applied_at=NOW - HOUR), NOW, NOW + HOUR)
    assert not rule.applied(open_event(applied_at=NOW - HOUR + TICK), NOW, NOW + HOUR)


def test_what_was_not_acknowledged_does_not_show() -> None:
    assert not AppliedRule().applied(open_event(published_at=NOW - 1000 * HOUR), NOW, NOW + HOUR)


def test_what_the_erp_learns_by_another_way_shows_after_that_ways_lag() -> None:
    rule = AppliedRule(other_channel_lags={"COUNTER": 10 * MINUTE})
    sold = open_event(service_level="COUNTER", published_at=NOW - 10 * MINUTE)

    assert rule.other_channel(sold.event)
    assert rule.applied(sold, NOW, NOW + HOUR)
    assert rule.applied(sold, NOW + TICK, NOW + HOUR)
    assert not rule.applied(sold, NOW - TICK, NOW + HOUR)


def test_an_erp_clock_that_is_ahead_does_not_hasten_another_way() -> None:
    rule = AppliedRule(other_channel_lags={"COUNTER": 10 * MINUTE})
    sold = open_event(service_level="COUNTER", published_at=NOW - 10 * MINUTE)

    assert rule.applied(sold, NOW + HOUR, NOW)
    assert not rule.applied(sold, NOW + HOUR, NOW - TICK)


def test_an_acknowledgement_counts_on_the_erps_clock() -> None:
    ahead = NOW + ERP_CLOCK_SKEW

    assert AppliedRule().applied(open_event(applied_at=ahead), ahead, NOW)
    assert not AppliedRule().applied(open_event(applied_at=ahead), ahead - TICK, NOW)


def test_stock_that_is_dated_further_ahead_shows_no_more_than_a_clock_may_be_ahead() -> None:
    """A kept read is used minutes after it was made: what was booked since is not in it."""
    rule, as_of = AppliedRule(apply_lag=MINUTE), NOW + HOUR

    assert rule.applied(open_event(applied_at=NOW + ERP_CLOCK_SKEW - MINUTE), as_of, NOW)
    assert not rule.applied(open_event(applied_at=NOW + ERP_CLOCK_SKEW - MINUTE + TICK), as_of, NOW)


def test_an_acknowledgement_does_not_hasten_another_way() -> None:
    rule = AppliedRule(other_channel_lags={"COUNTER": HOUR})
    sold = open_event(service_level="COUNTER", published_at=NOW, applied_at=NOW - HOUR)

    assert not rule.applied(sold, NOW, NOW + HOUR)


def test_other_service_levels_go_through_the_adapter() -> None:
    rule = AppliedRule(other_channel_lags={"COUNTER": HOUR})

    assert not rule.other_channel(event(service_level="STANDARD"))
    assert not rule.applied(open_event(published_at=NOW - 2 * HOUR), NOW, NOW + HOUR)


# Where the cut ends


def settled(logical_timestamp: int, *products: str, **fields: Any) -> Any:
    return open_event(logical_timestamp, *products, **({"published_at": SETTLED_BEFORE} | fields))


def unsettled(logical_timestamp: int, *products: str, **fields: Any) -> Any:
    return settled(logical_timestamp, *products, published_at=SETTLED_BEFORE + TICK, **fields)


def end_of(*events: Any, floor: int = 9, **fields: Any) -> int:
    return choose_cut_end(events, settled_before=SETTLED_BEFORE, floor=floor, **fields)


def test_the_cut_ends_at_the_highest_settled_event() -> None:
    assert end_of(settled(12), settled(10), settled(11)) == 12


def test_an_event_inside_the_settle_window_does_not_end_the_cut() -> None:
    assert end_of(settled(10), unsettled(12)) == 10


def test_a_lower_event_inside_the_settle_window_does_not_hold_the_cut_up() -> None:
    assert end_of(unsettled(10), settled(12)) == 12


def test_without_events_the_cut_stays_where_it_was() -> None:
    assert end_of() == 9


def test_the_cut_never_ends_below_its_floor() -> None:
    assert end_of(settled(8), floor=9) == 9


def test_only_completed_events_end_the_cut() -> None:
    assert end_of(settled(10, name=ITEMS_ASSIGNED), settled(11, name=ITEMS_FAILED)) == 9


def test_the_cut_stays_below_the_events_of_a_location_without_quantities() -> None:
    events = [settled(10), settled(11, at=STORE), settled(12)]

    assert end_of(*events, blocked=frozenset({STORE})) == 10
    assert end_of(*events) == 12


def test_the_lowest_of_those_events_is_the_bound() -> None:
    events = [settled(10), settled(14, at=STORE), settled(12, at=STORE), settled(11), settled(13)]

    assert end_of(*events, blocked=frozenset({STORE})) == 11


def test_an_event_beside_that_bound_is_not_passed_either() -> None:
    same = int("1" + 6 * "0")
    events = [settled(10), settled(10**6, at=DC), settled(same, at=STORE)]

    assert end_of(*events, blocked=frozenset({STORE})) == 10


def test_an_event_of_such_a_location_that_is_released_does_not_bound_the_cut() -> None:
    events = [settled(10), settled(11, at=STORE, counted_by="run-0"), settled(12)]

    assert end_of(*events, blocked=frozenset({STORE})) == 12


def test_such_a_location_does_not_end_the_cut_itself() -> None:
    events = [settled(10), settled(11, at=STORE, counted_by="run-0")]

    assert end_of(*events, blocked=frozenset({STORE})) == 10


def test_an_event_below_the_floor_does_not_bound_the_cut() -> None:
    events = [settled(8, at=STORE), settled(12)]

    assert end_of(*events, blocked=frozenset({STORE})) == 12


def test_the_cut_passes_no_more_items_than_fit_one_file() -> None:
    events = [settled(10, "A", "B"), settled(11, "C"), settled(12, "D")]

    assert end_of(*events, items_max=3) == 11
    assert end_of(*events, items_max=4) == 12
    assert end_of(*events, items_max=2) == 10


def test_one_event_is_passed_however_many_items_it_has() -> None:
    assert end_of(settled(10, "A", "B", "C"), settled(11), items_max=1) == 10


def test_items_that_are_not_settled_yet_take_room_in_the_file_too() -> None:
    assert end_of(unsettled(10, "A", "B"), settled(11, "C"), items_max=2) == 9


def test_items_below_the_floor_take_no_room() -> None:
    assert end_of(settled(8, "A", "B"), settled(11, "C"), items_max=1) == 11


def test_unless_told_otherwise_three_hundred_thousand_items_are_passed() -> None:
    many = ["A"] * 150_000

    assert end_of(settled(10, *many), settled(11, *many), settled(12)) == 11


# A counter that leaps


def test_the_counter_may_step_by_a_million_or_by_a_tenth() -> None:
    assert outlier_timestamp([settled(10), settled(10 + LEAP_MIN)], 9) is None
    assert outlier_timestamp([settled(10), settled(11 + LEAP_MIN)], 9) == 11 + LEAP_MIN
    assert outlier_timestamp([settled(11 * 10**9)], 10**10) is None
    assert outlier_timestamp([settled(11 * 10**9 + 1)], 10**10) == 11 * 10**9 + 1


def test_a_tenth_is_exact_for_the_largest_numbers_too() -> None:
    before, leapt_to = 10**17 + 9, 11 * 10**16 + 10

    assert outlier_timestamp([settled(leapt_to)], before) == leapt_to
    assert outlier_timestamp([settled(leapt_to - 1)], before) is None


def test_before_anything_is_known_the_counter_may_stand_as_high_as_any_that_was_seen() -> None:
    assert (LEAP_MIN, FIRST_MAX) == (1_000_000, 10**13)
    assert outlier_timestamp([settled(FIRST_MAX)], 0) is None
    assert outlier_timestamp([settled(FIRST_MAX + 1)], 0) == FIRST_MAX + 1
    assert outlier_timestamp([settled(2 + LEAP_MIN)], 1) == 2 + LEAP_MIN


def test_a_second_request_up_there_bears_the_leap_out() -> None:
    first, second = settled(10**15), settled(10**15 + 1)

    assert outlier_timestamp([settled(12), first], 9) == 10**15
    assert outlier_timestamp([settled(12), first, second], 9) is None


def test_the_parts_of_one_request_do_not_bear_each_other_out() -> None:
    numbers = (13, 10**15, 10**15 + 1)
    parts = [settled(n, fulfillment_request_id="".join(("ff", "1"))) for n in numbers]

    assert outlier_timestamp([settled(12), *parts], 9) == 10**15
    assert outlier_timestamp([*reversed(parts), settled(12)], 9) == 10**15


def test_one_number_at_two_locations_is_borne_out() -> None:
    twice = [settled(10**15), settled(10**15, at=STORE, fulfillment_request_id="ff9")]

    assert outlier_timestamp(twice, 9) is None


def test_only_completed_events_leap() -> None:
    assert outlier_timestamp([], 9) is None
    assert outlier_timestamp([settled(10**15, name=ITEMS_ASSIGNED)], 9) is None


def test_the_cut_stays_below_a_outlier() -> None:
    events = [settled(10), settled(12), settled(10**15)]

    assert end_of(*events) == 12
    assert end_of(*events, blocked=frozenset({STORE})) == 12
    assert end_of(*events, settled(10**15 + 1)) == 10**15 + 1


def test_a_leap_does_not_let_the_cut_pass_a_blocked_location() -> None:
    events = [settled(10), settled(11, at=STORE), settled(10**15)]

    assert end_of(*events, blocked=frozenset({STORE})) == 10


# The sum


def cut(on_hand_units: dict[str, Units], *events: Any, **fields: Any) -> LocationCut:
    plain: dict[str, Any] = {
        "cut_end": 12, "watermark": 9, "rule": AppliedRule(), "read_started_at": NOW,
    }  # fmt: skip
    return cut_snapshot(snapshot(on_hand_units), events, **(plain | fields))


def refs(*events: Any) -> tuple[Any, ...]:
    return tuple(e.event.ref for e in events)


def test_the_guides_example() -> None:
    shipped = [forwarded(number, "A", applied_at=BEFORE) for number in (10, 11, 12)]

    found = cut({"A": 17}, *shipped)

    assert (found.location_id, found.cut_end) == (DC, 12)
    assert found.quantities == {"A": 17}
    assert found.touched == {"A"}
    assert found.counted == found.closed == refs(*shipped)


def test_what_the_erp_has_not_applied_is_subtracted() -> None:
    found = cut({"A": 10, "B": 5}, open_event(10, "A", "A"), open_event(12, "B"))

    assert found.quantities == {"A": 8, "B": 4}
    assert (found.subtracted, found.added_back) == ({"A": 2, "B": 1}, {})


def test_what_the_erp_applied_after_the_cut_is_added_back() -> None:
    found = cut({"A": 7}, forwarded(13, "A", "A", "B", applied_at=BEFORE))

    assert found.quantities == {"A": 9, "B": 1}
    assert (found.added_back, found.subtracted) == ({"A": 2, "B": 1}, {})
    assert found.touched == frozenset()
    assert found.counted == found.closed == ()


def test_what_the_erp_has_not_applied_after_the_cut_does_not_concern_it() -> None:
    assert cut({"A": 7}, open_event(13, "A")).quantities == {"A": 7}


def test_what_the_erp_applied_within_the_cut_is_in_its_figure_already() -> None:
    assert cut({"A": 7}, open_event(12, "A", applied_at=BEFORE)).quantities == {"A": 7}


def test_an_acknowledgement_after_the_snapshot_counts_as_none() -> None:
    late = open_event(12, "A", applied_at=NOW + TICK)

    assert cut({"A": 7}, late).quantities == {"A": 6}


def test_the_result_may_be_negative() -> None:
    assert cut({}, open_event(10, "A")).quantities == {"A": -1}


def test_assigned_and_failed_items_never_change_the_sum() -> None:
    events = [open_event(n, "A", name=name, applied_at=BEFORE) for n in (11, 13)
              for name in (ITEMS_ASSIGNED, ITEMS_FAILED)]  # fmt: skip

    found = cut({"A": 7}, *events)

    assert found.quantities == {"A": 7}
    assert found.touched == frozenset()
    assert found.counted == found.closed == ()


def test_quantities_are_sorted_by_product() -> None:
    found = cut({"C": 1, "A": 1}, open_event(10, "B"))

    assert list(found.quantities) == ["A", "B", "C"]


def test_the_order_of_events_changes_nothing() -> None:
    events = [open_event(10, "A"), open_event(8, "B"), open_event(11, "C", applied_at=BEFORE)]

    assert cut({"A": 5}, *events) == cut({"A": 5}, *reversed(events))


# What is counted, closed and late


def test_what_a_run_has_counted_is_not_counted_again_but_still_subtracted() -> None:
    found = cut({"A": 5}, open_event(12, "A", counted_by="run-0"))

    assert found.quantities == {"A": 4}
    assert (found.counted, found.touched, found.late) == ((), frozenset(), ())


def test_what_a_run_has_counted_is_closed_once_the_erp_shows_it() -> None:
    shown = forwarded(8, "A", applied_at=BEFORE, counted_by="run-0")

    found = cut({"A": 5}, shown)

    assert found.quantities == {"A": 5}
    assert found.closed == refs(shown)
    assert (found.counted, found.touched) == ((), frozenset())


def test_an_event_whose_allocation_the_erp_still_holds_stays_open() -> None:
    applied = open_event(12, "A", applied_at=BEFORE)

    found = cut({"A": 5}, applied)

    assert found.counted == refs(applied)
    assert found.closed == ()


def test_a_sale_by_another_way_is_subtracted_until_its_lag_is_over() -> None:
    rule = AppliedRule(other_channel_lags={"COUNTER": HOUR})
    fresh = open_event(10, "A", service_level="COUNTER", published_at=NOW - HOUR + TICK)
    shown = open_event(11, "A", service_level="COUNTER", published_at=NOW - HOUR)
    shown = replace(shown, owned=frozenset(item.item_id for item in shown.event.items))

    assert cut({"A": 5}, fresh, shown, rule=rule).quantities == {"A": 4}


def test_an_event_at_or_below_the_watermark_is_late() -> None:
    late, exact, fresh = open_event(8, "A"), open_event(9, "B"), open_event(10, "C")

    found = cut({}, fresh, late, exact)

    assert found.late == refs(late, exact)
    assert found.counted == refs(late, exact, fresh)
    assert found.touched == {"A", "B", "C"}


def test_a_late_event_corrects_the_quantity_at_once() -> None:
    assert cut({"A": 5}, open_event(3, "A")).quantities == {"A": 4}


def test_an_event_that_was_counted_is_not_late_again() -> None:
    assert cut({"A": 5}, open_event(8, "A", counted_by="run-0")).late == ()


def test_before_the_first_import_no_event_is_late() -> None:
    assert cut({"A": 5}, open_event(0, "A"), watermark=None).late == ()


def test_a_watermark_of_none_so_far_and_of_zero_are_not_the_same() -> None:
    found = open_event(0, "A")

    assert cut({"A": 5}, found, watermark=0).late == refs(found)


# Without a snapshot


def owned_by_itself(found: Any) -> Any:
    return replace(found, owned=frozenset(item.item_id for item in found.event.items))


def rolled(
    last_quantities: dict[str, Units], *events: Any, lacking: Any = None, **fields: Any
) -> LocationCut:
    """The last quantities lack the units of `lacking`."""
    plain: dict[str, Any] = {"cut_end": 12, "watermark": 9, "rule": AppliedRule()}
    last = LastQuantities(last_quantities, units_of(lacking) if lacking else frozenset())
    return roll_forward(DC, last, events, **(plain | fields))


def units_of(found: Any) -> frozenset[UnitId]:
    return frozenset(unit_ids(found.event))


def test_a_location_without_a_snapshot_loses_what_was_completed_since() -> None:
    first, last = open_event(10, "A", "A"), forwarded(12, "B", applied_at=BEFORE)

    found = rolled({"A": 10, "B": 5, "C": 3}, last, first)

    assert (found.location_id, found.cut_end) == (DC, 12)
    assert found.quantities == {"A": 8, "B": 4, "C": 3}
    assert (found.subtracted, found.added_back) == ({"A": 2, "B": 1}, {})
    assert found.touched == {"A", "B"}
    assert found.counted == refs(first, last)


def test_what_was_completed_after_the_cut_is_left_in() -> None:
    found = rolled({"A": 10}, open_event(13, "A", applied_at=BEFORE))

    assert found.quantities == {"A": 10}
    assert found.counted == ()


def test_what_the_last_quantity_has_counted_is_not_subtracted_again() -> None:
    counted = open_event(9, "A", counted_by="run-0")

    found = rolled({"A": 10}, counted, lacking=counted)

    assert found.quantities == {"A": 10}
    assert (found.touched, found.counted) == (frozenset(), ())


def test_a_product_that_was_never_seen_has_none() -> None:
    assert rolled({}, open_event(10, "A")).quantities == {"A": -1}


def test_nothing_is_closed_without_a_snapshot_that_shows_it() -> None:
    assert rolled({"A": 1}, forwarded(10, "A", applied_at=BEFORE)).closed == ()


def test_late_events_are_late_without_a_snapshot_too() -> None:
    late = open_event(9, "A")

    assert rolled({"A": 1}, late, open_event(10, "A")).late == refs(late)
    assert rolled({"A": 1}, late, watermark=None).late == ()


def test_assigned_and_failed_items_are_not_rolled_forward() -> None:
    events = [open_event(11, "A", name=name) for name in (ITEMS_ASSIGNED, ITEMS_FAILED)]

    assert rolled({"A": 7}, *events).quantities == {"A": 7}


def test_rolled_quantities_are_sorted_by_product() -> None:
    assert list(rolled({"C": 1, "A": 1}, open_event(10, "B")).quantities) == ["A", "B", "C"]


# What follows from the quantities


def test_a_cuts_totals_are_those_of_its_quantities_not_of_the_snapshot() -> None:
    found, unchanged = cut({SKU: 5, "B": 2}, open_event(10)), cut({SKU: 5, "B": 2})

    assert (found.totals.units, unchanged.totals.units) == (6, 7)
    assert "totals" not in repr(found)


# What the snapshot leaves out, where that does not mean that there is none


def kept(last: dict[str, Units], *events: Any, lacking: Any = None) -> Units:
    """Of B, which the snapshot does not list."""
    unlisted = LastQuantities(last, units_of(lacking) if lacking else frozenset())
    return cut({"A": 5}, *events, unlisted=unlisted).quantities["B"]


def test_what_is_listed_counts_and_what_is_not_keeps_its_last_quantity() -> None:
    found = cut({"A": 5}, unlisted=LastQuantities({"A": 9, "B": 7}))

    assert found.quantities == {"A": 5, "B": 7}


def test_without_a_word_on_it_what_is_not_listed_is_gone() -> None:
    assert cut({"A": 5}).quantities == {"A": 5}


def test_what_was_completed_since_is_taken_off_whether_the_erp_has_booked_it_or_not() -> None:
    assert kept({"B": 7}, open_event(12, "B", "B")) == 5
    assert kept({"B": 7}, forwarded(12, "B", applied_at=BEFORE)) == 6


def test_what_the_last_quantity_lacks_is_not_taken_off_again() -> None:
    counted = open_event(12, "B")

    assert kept({"B": 7}, counted, lacking=counted) == 7
    assert kept({"B": 7}, counted, open_event(11, "B"), lacking=counted) == 6


def test_of_what_is_not_listed_nothing_after_the_cut_end_is_taken_off() -> None:
    assert kept({"B": 7}, open_event(13, "B")) == 7
    assert kept({"B": 7}, forwarded(13, "B", applied_at=BEFORE)) == 7


def test_without_a_last_quantity_there_is_none_to_promise() -> None:
    assert kept({}, open_event(12, "B")) == -1
    assert cut({"A": 5}, forwarded(13, "B", applied_at=BEFORE), unlisted=LastQuantities({})
               ).quantities == {"A": 5}  # fmt: skip


# Units: events are cumulative


def shipment(logical_timestamp: int, *items: str, **fields: Any) -> Any:
    """An open event of one request that lists these items, all of product A."""
    listed = tuple(FulfillmentItem(item, "A") for item in items)
    plain: dict[str, Any] = {"fulfillment_request_id": "ff1", "items": listed}
    return open_event(logical_timestamp, **(plain | fields))


def booked(logical_timestamp: int, *items: str, owned: str, **fields: Any) -> Any:
    """One that the ERP has booked with the items it owns, a letter each."""
    plain: dict[str, Any] = {"applied_at": BEFORE, "forwarded_at": BEFORE}
    return shipment(logical_timestamp, *items, owned=frozenset(owned), **(plain | fields))


def test_a_unit_that_several_events_list_is_taken_off_once() -> None:
    assert cut({"A": 10}, shipment(10, "a"), shipment(12, "a", "b")).quantities == {"A": 8}


def test_a_unit_left_at_the_lowest_logical_timestamp_whatever_comes_first() -> None:
    early, late = shipment(10, "a"), shipment(20, "a", "b")

    for events in ((early, late), (late, early)):
        assert cut({"A": 10}, *events, cut_end=15).quantities == {"A": 9}


def test_a_unit_shows_once_the_event_that_owns_it_is_acknowledged() -> None:
    first = booked(10, "a", owned="a")
    both = shipment(12, "a", "b", owned=frozenset("b"))

    assert cut({"A": 9}, first, both).quantities == {"A": 8}


def test_an_event_that_owns_nothing_says_nothing_about_when_its_units_show() -> None:
    owner = shipment(12, "a", owned=frozenset("a"))
    lower = booked(10, "a", owned="", applied_at=None)

    assert cut({"A": 10}, lower, owner).quantities == {"A": 9}


def test_a_unit_after_the_cut_in_one_event_and_within_it_in_another_is_within_it() -> None:
    within, beyond = booked(10, "a", owned=""), booked(20, "a", owned="a")

    assert cut({"A": 9}, within, beyond).quantities == {"A": 9}
    assert cut({"A": 9}, beyond).quantities == {"A": 10}


def test_a_unit_whose_owner_is_closed_has_been_booked_and_counted() -> None:
    relisted = booked(12, "a", "b", owned="b")

    assert cut({"A": 8}, relisted).quantities == {"A": 8}
    assert cut({"A": 8}, replace(relisted, applied_at=None)).quantities == {"A": 7}


def test_a_unit_that_may_be_owned_by_a_closed_event_is_taken_off_until_that_is_known() -> None:
    assert cut({"A": 8}, shipment(12, "a", "b")).quantities == {"A": 6}


def test_a_unit_counted_by_one_event_is_not_touched_again_by_the_next() -> None:
    counted = shipment(10, "a", counted_by="run-0")
    again = replace(
        shipment(12, "a", "b"), event=replace(shipment(12, "a", "b").event, items=(
            FulfillmentItem("a", "A"), FulfillmentItem("b", "B"),
        )),
    )  # fmt: skip

    found = cut({"A": 5, "B": 5}, counted, again)

    assert found.touched == {"B"}
    assert found.counted == refs(again)


def test_a_lower_timestamp_behind_the_watermark_is_late_though_its_unit_was_counted() -> None:
    counted = shipment(12, "a", counted_by="run-0")
    lower = shipment(8, "a")

    found = cut({"A": 5}, counted, lower)

    assert (found.late, set(found.touched)) == (refs(lower), {"A"})
    assert found.quantities == {"A": 4}


def test_events_of_a_request_that_share_an_open_unit_close_together() -> None:
    first = booked(10, "a", owned="a")
    waiting = shipment(12, "a", "b", owned=frozenset("b"))

    assert cut({"A": 9}, first, waiting).closed == ()
    done = replace(waiting, applied_at=BEFORE, forwarded_at=BEFORE)
    assert cut({"A": 8}, first, done).closed == refs(first, done)


def test_what_a_chain_of_events_shares_keeps_all_of_them_open() -> None:
    chain = [booked(10, "a", owned="a"), booked(11, "a", "b", owned="b"),
             shipment(20, "a", "b", "c")]  # fmt: skip

    assert cut({"A": 8}, *chain).closed == ()


def test_other_requests_close_by_themselves() -> None:
    other = forwarded(11, "A", applied_at=BEFORE)

    assert cut({"A": 8}, shipment(10, "a"), other).closed == refs(other)


def test_an_item_id_names_a_unit_within_its_request_only() -> None:
    one, other = shipment(10, "a"), shipment(11, "a", fulfillment_request_id="ff2")

    assert cut({"A": 10}, one, other).quantities == {"A": 8}


def test_an_item_that_an_event_lists_twice_is_one_unit() -> None:
    assert cut({"A": 10}, shipment(10, "a", "a")).quantities == {"A": 9}


def test_a_unit_is_of_the_product_that_was_booked() -> None:
    said_first = shipment(10, "a")
    owner = booked(12, "a", owned="a", items=(FulfillmentItem("a", "B"),))

    found = cut({"A": 5, "B": 5}, replace(said_first, owned=frozenset()), owner, cut_end=9)

    assert found.added_back == {"B": 1}


@pytest.mark.parametrize("owned", [None, frozenset("b")])
def test_a_unit_that_a_closed_event_may_own_is_not_added_back_by_one_that_lists_it_again(
    owned: frozenset[str] | None,
) -> None:
    """It left with the event that is closed: what lists it after the range is no news of it."""
    counted = shipment(9, "a")
    again = shipment(14, "a", "b", owned=owned)

    assert rolled({"A": 5}, again, lacking=counted).quantities == {"A": 5}
    unlisted = LastQuantities({"A": 5}, units_of(counted))
    assert cut({"B": 1}, again, unlisted=unlisted).quantities["A"] == 5


def test_a_unit_that_an_open_event_owns_is_added_back_where_the_last_quantity_lacks_it() -> None:
    after = shipment(14, "a", owned=frozenset("a"))

    assert rolled({"A": 5}, after, lacking=after).quantities == {"A": 6}


# The other reading: NewStore takes a shipped unit off at once


def test_an_immediate_quantity_is_without_every_unit_that_the_erp_does_not_show() -> None:
    events = [open_event(10, "A"), open_event(13, "A"), forwarded(14, "A", applied_at=BEFORE)]

    for reading in (ReleaseReading.IMMEDIATE, ReleaseReading.FIND_OUT):
        assert cut({"A": 10}, *events, reading=reading).quantities == {"A": 8}
    assert cut({"A": 10}, *events, reading=ReleaseReading.RANGE).quantities == {"A": 10}


@pytest.mark.parametrize("before", ReleaseReading)
@pytest.mark.parametrize("after", ReleaseReading)
def test_switching_the_reading_takes_no_unit_off_twice(
    before: ReleaseReading, after: ReleaseReading
) -> None:
    waiting = [owned_by_itself(open_event(10, "A")), owned_by_itself(open_event(13, "A"))]
    events = [*waiting, forwarded(14, "A", applied_at=BEFORE)]
    base = cut({"A": 10}, *events, reading=before)
    last = LastQuantities(base.quantities, base.lacking)

    found = roll_forward(
        DC, last, events, cut_end=12, watermark=12, rule=AppliedRule(), reading=after
    )

    assert found.quantities == cut({"A": 10}, *events, reading=after).quantities


# Go-live

GO_LIVE = AppliedRule(go_live_at=NOW - HOUR)


def shipped(product: str, at: datetime | None) -> FulfillmentItem:
    return FulfillmentItem(f"{product}-{at}", product, shipped_at=at)


@pytest.mark.parametrize(
    ("shipped_at", "published_at", "historical"),
    [
        (NOW - HOUR - TICK, NOW, True),
        (NOW - HOUR, NOW, False),
        (None, NOW - HOUR - TICK, True),
        (None, NOW - HOUR, False),
        (NOW, NOW - 2 * HOUR, False),
    ],
)
def test_what_was_shipped_or_else_published_before_go_live_moves_nothing(
    shipped_at: datetime | None, published_at: datetime, historical: bool
) -> None:
    found = open_event(items=(shipped("A", shipped_at),), published_at=published_at)

    assert cut({"A": 5}, found, rule=GO_LIVE).quantities == {"A": 5 if historical else 4}
    assert rolled({"A": 5}, found, rule=GO_LIVE).quantities == {"A": 5 if historical else 4}
    assert cut({"A": 5}, found).quantities == {"A": 4}


@pytest.mark.parametrize("logical_timestamp", [10, 13])
@pytest.mark.parametrize("applied_at", [None, NOW - HOUR])
def test_historical_units_move_no_quantity_and_others_of_their_event_do(
    logical_timestamp: int, applied_at: datetime | None
) -> None:
    items = (shipped("A", NOW - 2 * HOUR), shipped("B", NOW - HOUR))
    mixed = open_event(logical_timestamp, items=items, applied_at=applied_at)
    after, known = logical_timestamp > 12, applied_at is not None

    found = cut({"A": 5, "B": 5}, mixed, rule=GO_LIVE)

    assert found.quantities == {"A": 5, "B": 5 + (after and known) - (not after and not known)}


def test_a_unit_left_when_the_first_event_to_say_so_says() -> None:
    listed = open_event(10, items=(shipped("A", NOW),), fulfillment_request_id="ff1")
    old = replace(listed.event.items[0], shipped_at=NOW - 2 * HOUR)
    again = open_event(12, items=(old,), fulfillment_request_id="ff1")

    assert cut({"A": 5}, listed, again, rule=GO_LIVE).quantities == {"A": 5}


def test_a_historical_event_is_counted_released_and_closed_as_any_other() -> None:
    old = open_event(10, published_at=NOW - 2 * HOUR, forwarded_at=NOW)

    found = cut({SKU: 5}, old, rule=GO_LIVE)

    assert (found.counted, found.closed, found.touched) == (refs(old), refs(old), frozenset({SKU}))


# Another system books

BESIDE = AppliedRule(other_system_lag=HOUR)
AFTER_SHADOW = AppliedRule(other_system_lag=HOUR, go_live_at=NOW - MINUTE)


@pytest.mark.parametrize("logical_timestamp", [10, 13])
@pytest.mark.parametrize("rule", [BESIDE, AFTER_SHADOW])
@pytest.mark.parametrize(("age", "quantity"), [(HOUR, 5), (HOUR - TICK, 4)])
def test_what_another_system_books_is_taken_off_until_its_lag_is_over(
    age: timedelta, quantity: int, rule: AppliedRule, logical_timestamp: int
) -> None:
    found = open_event(logical_timestamp, items=(shipped("A", None),), published_at=NOW - age)

    immediate = cut({"A": 5}, found, rule=rule, reading=ReleaseReading.IMMEDIATE)

    assert immediate.quantities == {"A": quantity}


def test_the_lag_counts_from_when_newstore_has_said_so_by_the_earlier_clock() -> None:
    late = open_event(items=(shipped("A", NOW - 2 * HOUR),), published_at=NOW - HOUR + TICK)
    ahead = open_event(items=(shipped("A", NOW - HOUR + TICK),), published_at=NOW - 2 * HOUR)

    for event_ in (late, ahead):
        assert cut({"A": 5}, event_, rule=BESIDE).quantities == {"A": 4}


def test_an_acknowledgement_of_ours_counts_as_ever() -> None:
    ours = open_event(items=(shipped("A", NOW),), published_at=NOW, applied_at=BEFORE)

    assert cut({"A": 5}, ours, rule=BESIDE).quantities == {"A": 5}


def test_a_unit_of_the_other_system_is_never_added_back() -> None:
    """It does not know whether that system's imports have made NewStore forget it."""
    after_the_cut = open_event(13, "A", published_at=NOW - 2 * HOUR, forwarded_at=NOW)

    assert cut({"A": 5}, after_the_cut, rule=AFTER_SHADOW).quantities == {"A": 5}
    ours = replace(after_the_cut, applied_at=NOW - HOUR)
    assert cut({"A": 5}, ours).quantities == {"A": 6}


def test_what_ships_from_go_live_on_is_ours_to_book() -> None:
    rule = AppliedRule(other_system_lag=HOUR, go_live_at=NOW - 3 * HOUR)
    ours = open_event(items=(shipped("A", None),), published_at=NOW - 2 * HOUR)

    assert cut({"A": 5}, ours, rule=rule).quantities == {"A": 4}
    assert rule.to_book(ours.event, frozenset({ours.event.items[0].item_id}))
    assert not BESIDE.to_book(ours.event, frozenset({ours.event.items[0].item_id}))


def test_a_location_rolled_forward_is_without_what_the_other_system_has_booked_once() -> None:
    found = open_event(10, "A", published_at=NOW - 2 * HOUR, forwarded_at=NOW)
    before = cut({"A": 5}, found, rule=AFTER_SHADOW)
    last = LastQuantities(before.quantities, before.lacking)

    assert rolled({"A": 5}, found, rule=AFTER_SHADOW).quantities == {"A": 4}
    again = roll_forward(DC, last, [found], cut_end=12, watermark=9, rule=AFTER_SHADOW)
    assert again.quantities == {"A": 5}


def test_an_event_of_the_other_system_is_closed_once_it_shows() -> None:
    old = open_event(10, published_at=NOW - HOUR, forwarded_at=NOW)
    young = open_event(11, published_at=NOW - HOUR + TICK, forwarded_at=NOW)

    assert cut({SKU: 5}, old, young, rule=BESIDE).closed == refs(old)
