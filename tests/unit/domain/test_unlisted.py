"""What a snapshot leaves out, where that does not mean that there is none."""

from typing import Any

from inventory_sync.domain.cut import AppliedRule, cut_snapshot
from inventory_sync.domain.stock import Units
from inventory_sync.domain.unlisted import carry_forward_unlisted
from tests.builders import DC, ITEMS_ASSIGNED, MINUTE, NOW, forwarded, open_event, snapshot

BEFORE = NOW - MINUTE
RULE = AppliedRule()


def filled(last: dict[str, Units], *events: Any, **fields: Any) -> dict[str, Units]:
    """With only A listed, at 5, and a cut end of 12."""
    found = carry_forward_unlisted(
        snapshot({"A": 5}), last, events, cut_end=12, rule=RULE, **fields
    )
    assert (found.location_id, found.as_of) == (DC, NOW)
    return dict(found.on_hand_units)


def quantity(last: dict[str, Units], *events: Any, **fields: Any) -> Units:
    """Of B, which is not listed."""
    whole = carry_forward_unlisted(
        snapshot({"A": 5}), last, events, cut_end=12, rule=RULE, **fields
    )
    return cut_snapshot(whole, events, cut_end=12, watermark=9, rule=RULE).quantities["B"]


def test_what_is_listed_counts_and_what_is_not_keeps_its_last_quantity() -> None:
    assert filled({"A": 9, "B": 7}) == {"A": 5, "B": 7}


def test_what_was_completed_since_is_taken_off_whether_the_erp_has_booked_it_or_not() -> None:
    assert quantity({"B": 7}, open_event(12, "B", "B")) == 5
    assert quantity({"B": 7}, forwarded(12, "B", applied_at=BEFORE)) == 6


def test_what_a_run_has_counted_is_not_taken_off_again() -> None:
    assert quantity({"B": 7}, open_event(12, "B", counted_by="run-0")) == 7
    unfinished = open_event(12, "B")
    ref = unfinished.event.ref
    assert quantity({"B": 7}, unfinished, counted={(DC, ref.event_key)}) == 7
    assert quantity({"B": 7}, unfinished, counted={("elsewhere", ref.event_key)}) == 6


def test_what_comes_after_the_cut_end_is_for_a_later_import() -> None:
    assert quantity({"B": 7}, open_event(13, "B")) == 7
    assert quantity({"B": 7}, forwarded(13, "B", applied_at=BEFORE)) == 7


def test_what_moves_no_stock_changes_nothing() -> None:
    assert quantity({"B": 7}, open_event(12, "B", name=ITEMS_ASSIGNED)) == 7


def test_without_a_last_quantity_there_is_none_to_promise() -> None:
    assert quantity({}, open_event(12, "B")) == -1
    assert quantity({}, forwarded(13, "B", applied_at=BEFORE)) == 0
    assert quantity({}, open_event(12, "B", counted_by="run-0")) == 0


def test_the_figure_is_what_the_erp_would_list() -> None:
    not_booked = open_event(12, "B", counted_by="run-0")
    booked_early = forwarded(13, "B", "B", applied_at=BEFORE)

    assert filled({"B": 7}, not_booked, booked_early) == {"A": 5, "B": 7 + 1 - 2}


def test_everything_up_to_the_cut_end_is_taken_off() -> None:
    assert quantity({"B": 7}, open_event(11, "B"), open_event(10, "B"), open_event(12, "B")) == 4
