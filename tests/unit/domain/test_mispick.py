"""A unit that was not found: what NewStore is told of its row, and when that is over."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from inventory_sync.domain.cut import AppliedRule, LocationCut, cut_snapshot
from inventory_sync.domain.events import FulfillmentItem, OpenEvent
from inventory_sync.domain.mispick import MispickRule, Mispicks, find_mispicks
from inventory_sync.domain.row_selection import Selection
from inventory_sync.domain.stock import LastQuantities
from tests.builders import HOUR, ITEMS_FAILED, NOW, SKU, open_event, snapshot

RULE = MispickRule(hold=timedelta(hours=24), units_max=5)
DAY = timedelta(hours=24)


def not_found(*products: str, **fields: Any) -> OpenEvent:
    """An event of units that were not on their shelves; forwarded, and seen by no import."""
    items = tuple(
        FulfillmentItem(f"i{number}", product, rejection_reason="no_inventory")
        for number, product in enumerate(products or (SKU,))
    )
    plain: dict[str, Any] = {"forwarded_at": NOW - HOUR, "name": ITEMS_FAILED}
    found: OpenEvent = open_event(11, items=items, **(plain | fields))
    return found


def seen(*products: str, **fields: Any) -> OpenEvent:
    return not_found(*products, counted_by="run-1", **fields)


def cut(on_hand: dict[str, int], *events: OpenEvent) -> LocationCut:
    return cut_snapshot(
        snapshot(dict(on_hand)),
        events,
        cut_end=12,
        watermark=9,
        rule=AppliedRule(),
        read_started_at=NOW,
    )


def found(on_hand: int, last: int | None, *events: OpenEvent, **fields: Any) -> Mispicks:
    plain: dict[str, Any] = {"from_snapshot": True, "found_at": {}, "now": NOW, "rule": RULE}
    known = None if last is None else LastQuantities({SKU: last})
    return find_mispicks(cut({SKU: on_hand}, *events), events, known, **(plain | fields))


def sent(mispicks: Mispicks, on_hand: int, *, doubtful: frozenset[str] = frozenset()) -> Any:
    touched, other = {SKU: on_hand}, {SKU: on_hand, "B": 4}
    return [
        mispicks.applied(selection, cut({SKU: on_hand, "B": 4}), doubtful)
        for selection in (Selection(touched, {}, {}, 0), Selection({}, other, other, 0))
    ]


def test_a_held_row_is_left_out_and_sent_as_0_where_a_range_needs_it() -> None:
    touched, other = sent(found(3, 3, seen()), 3)

    assert touched.touched == {SKU: 0}
    assert (other.changed, other.refreshed) == ({"B": 4}, {"B": 4})


def test_a_held_row_in_doubt_is_sent_as_0() -> None:
    _, other = sent(found(3, 3, seen()), 3, doubtful=frozenset({SKU}))

    assert other.changed == {SKU: 0, "B": 4}


def test_where_more_is_left_only_the_failed_units_are_taken_off() -> None:
    mispicks = found(500, 500, seen(SKU, SKU))
    touched, other = sent(mispicks, 500)

    assert (touched.touched, other.changed) == ({SKU: 498}, {SKU: 498, "B": 4})


@pytest.mark.parametrize(("on_hand", "quantity"), [(6, 0), (7, 6)])
def test_free_stock_of_at_most_the_limit_is_held(on_hand: int, quantity: int) -> None:
    touched, _ = sent(found(on_hand, on_hand, seen()), on_hand)

    assert touched.touched == {SKU: quantity}


def test_the_first_import_after_it_sends_the_row_as_one_under_way_may_have_raised_it() -> None:
    event = not_found()
    mispicks = found(3, 9, event)

    assert (dict(mispicks.failed), set(mispicks.forced)) == ({SKU: 1}, {SKU})
    assert (mispicks.seen, mispicks.closed) == ((event.event.ref,), ())


def test_it_holds_as_long_as_the_erps_figure_moves_by_known_units_alone() -> None:
    shipped = open_event(12)

    assert found(10, 10, seen(), shipped).failed == {SKU: 1}


def test_it_ends_when_the_erps_figure_falls_by_more_than_is_known() -> None:
    event = seen()
    mispicks = found(9, 10, event)

    assert (dict(mispicks.failed), set(mispicks.forced)) == ({}, {SKU})
    assert mispicks.closed == (event.event.ref,)


def test_a_receipt_is_no_count() -> None:
    """Simulation seed 1007: the unit that is missing came back on sale with what was received."""
    mispicks = found(19, 10, seen())

    assert (mispicks.failed, mispicks.closed) == ({SKU: 1}, ())


def test_a_movement_of_another_product_does_not_end_it() -> None:
    events = (seen(),)
    moved = cut({SKU: 3, "B": 9}, *events)
    known = LastQuantities({SKU: 3, "B": 4})

    mispicks = find_mispicks(
        moved, events, known, from_snapshot=True, found_at={}, now=NOW, rule=RULE
    )

    assert mispicks.failed == {SKU: 1}


def test_without_a_snapshot_nothing_has_moved_and_nothing_is_seen() -> None:
    mispicks = found(3, 10, not_found(), from_snapshot=False)

    assert (mispicks.failed, mispicks.seen) == ({SKU: 1}, ())


@pytest.mark.parametrize(
    "fields",
    [{"found_at": {SKU: NOW}}, {"now": NOW - HOUR + DAY}],
    ids=["an operator found it", "its time is over"],
)
def test_it_ends_without_a_movement_too(fields: dict[str, Any]) -> None:
    mispicks = found(3, 3, seen(), **fields)

    assert (dict(mispicks.failed), set(mispicks.forced)) == ({}, {SKU})


def test_what_was_found_before_does_not_end_it() -> None:
    assert found(3, 3, seen(), found_at={SKU: NOW - 2 * HOUR}).failed == {SKU: 1}


def test_an_event_is_not_closed_before_the_erp_knows_of_it() -> None:
    mispicks = found(9, 10, seen(forwarded_at=None))

    assert (mispicks.failed, mispicks.closed) == ({}, ())


def test_an_event_of_two_products_stays_open_until_both_are_over() -> None:
    assert found(9, 10, seen(SKU, "B")).closed == ()


def test_the_end_is_remembered_until_the_erp_knows_of_the_event() -> None:
    """The fall is seen by one import only: the next one took the row out of imports again."""
    event = seen(forwarded_at=None)
    before = found(9, 10, event).over
    assert before == {(event.event.ref.event_key, SKU)}

    after = found(9, 9, event, over_before=before)
    assert (after.failed, after.forced, after.over) == ({}, frozenset(), before)

    told = replace(event, forwarded_at=NOW)
    after = found(9, 9, told, over_before=before)
    assert (after.failed, after.closed, after.over) == ({}, (event.event.ref,), frozenset())


def test_the_end_of_one_product_of_an_event_is_remembered_and_the_other_is_held() -> None:
    event = seen(SKU, "B")
    before = found(9, 10, event).over

    after = found(9, 9, event, over_before=before)

    assert (after.failed, after.forced, after.closed) == ({"B": 1}, frozenset(), ())
    assert after.over == before == {(event.event.ref.event_key, SKU)}


def test_a_unit_that_is_not_found_after_the_end_of_another_holds_the_row_again() -> None:
    ended = seen(forwarded_at=None)
    before = found(9, 10, ended).over
    again = not_found(fulfillment_request_id="ff-again")

    after = found(9, 9, ended, again, over_before=before)

    assert (after.failed, after.forced) == ({SKU: 1}, frozenset({SKU}))
    assert after.seen == (again.event.ref,)


def test_what_failed_for_another_reason_holds_nothing() -> None:
    cancelled = open_event(11, name=ITEMS_FAILED)

    assert found(3, 3, cancelled) == Mispicks(rule=RULE)
