"""Figures that repeat though the ERP has booked what should move them."""

from datetime import timedelta
from typing import Any

import pytest

from inventory_sync.domain.cut import AppliedRule
from inventory_sync.domain.guards import HoldKind
from inventory_sync.domain.repeats import Repeats, check_repeats, repeats_of
from tests.builders import HOUR, MINUTE, NOW, forwarded, open_event, snapshot

RULE = AppliedRule()
LATER = NOW + HOUR
FIRST = repeats_of(snapshot(), None, None, (), RULE)


def after(*events: Any, rule: AppliedRule = RULE, units: int = 10) -> Repeats:
    """An hour later the figures are the same, unless they are others."""
    shown = snapshot({"SKU-1": units}, as_of=LATER)
    return repeats_of(shown, FIRST, NOW, events, rule)


def booked(number: int, minutes: int = 30, **fields: Any) -> Any:
    return forwarded(number, applied_at=NOW + minutes * MINUTE, **fields)


def test_the_first_snapshot_repeats_nothing() -> None:
    assert (FIRST.since, FIRST.units) == (NOW, 0)


def test_units_that_are_booked_and_do_not_show_are_counted() -> None:
    assert after(booked(1), booked(2)) == Repeats(FIRST.digest, NOW, 2, ("SKU-1",))


def test_units_add_up_from_one_snapshot_to_the_next() -> None:
    first = after(booked(1))
    shown = snapshot({"SKU-1": 10}, as_of=LATER + HOUR)
    second = forwarded(2, "SKU-2", applied_at=NOW + 90 * MINUTE)

    found = repeats_of(shown, first, LATER, [second], RULE)

    assert found == Repeats(FIRST.digest, NOW, 2, ("SKU-1", "SKU-2"))


def test_figures_that_move_begin_anew() -> None:
    found = after(booked(1), units=9)

    assert (found.since, found.units, found.digest == FIRST.digest) == (LATER, 0, False)


def test_the_order_of_the_rows_says_nothing() -> None:
    first = repeats_of(snapshot({"A": 1, "B": 2}), None, None, (), RULE)

    assert repeats_of(snapshot({"B": 2, "A": 1}), first, NOW, (), RULE) == first


@pytest.mark.parametrize(
    "event",
    [booked(1, 0), booked(1, 61), open_event(1)],
    ids=["shown before", "booked later", "not booked"],
)
def test_what_need_not_show_since_is_not_counted(event: Any) -> None:
    assert after(event).units == 0


def test_what_the_erp_learns_by_another_way_or_had_before_go_live_is_not_counted() -> None:
    other = AppliedRule(other_channel_lags={"STANDARD": HOUR})
    live = AppliedRule(go_live_at=LATER)

    assert (after(booked(1), rule=other).units, after(booked(1), rule=live).units) == (0, 0)


@pytest.mark.parametrize(("products", "held"), [(("A",), False), (("A", "B"), True)])
def test_units_of_two_rows_are_no_chance(products: tuple[str, ...], held: bool) -> None:
    assert bool(check_repeats(Repeats("x", NOW, 2, products), NOW + MINUTE)) is held


@pytest.mark.parametrize(
    ("units", "age", "held"),
    [
        (5, MINUTE, True),
        (4, 47 * HOUR, False),
        (1, 48 * HOUR, True),
        (0, 480 * HOUR, False),
    ],
)
def test_many_units_or_long_enough_hold_the_location(
    units: int, age: timedelta, held: bool
) -> None:
    holds = check_repeats(Repeats("x", NOW, units), NOW + age)

    assert [hold.kind for hold in holds] == ([HoldKind.SNAPSHOT_REPEATS] if held else [])
