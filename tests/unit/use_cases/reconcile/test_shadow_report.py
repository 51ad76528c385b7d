"""The fold of a shadow's looks: how long, how many units, where and when, and what is certain."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from inventory_sync.domain.shadow import Amount, Look, PromiseRow, ShadowReport, UnshownUnits
from inventory_sync.use_cases.reconcile.shadow_report import HOLDS_FOR_MAX, report_of
from tests.builders import DC, HOUR, MINUTE, NOW, SKU, STORE

OTHER = "SKU-2"


def row(product_id: str = SKU, *, atp: int = 12, unshown: int = 0, on_hand: int = 10) -> PromiseRow:
    units = (UnshownUnits(10, "ff1", NOW, unshown),) if unshown else ()
    return PromiseRow(
        product_id=product_id, on_hand=on_hand, unshown=units, allocations=0, shipped=0,
        reservations=0, safety_stock=0, atp=atp,
    )  # fmt: skip


def look(minutes: float, *differing: PromiseRow, at: str = DC, **figures: Any) -> Look:
    seen_at = NOW + minutes * MINUTE
    plain: dict[str, Any] = {"rows": 3, "as_of": seen_at - MINUTE}
    return Look(location_id=at, at=seen_at, differing=differing, **{**plain, **figures})


def report(*looks: Look, until: datetime = NOW, rows_max: int = 50) -> ShadowReport:
    return report_of(looks, until=until, rows_max=rows_max)


def test_what_a_look_has_seen_holds_until_the_next_at_its_location() -> None:
    found = report(look(0, row()), look(0, at=STORE), look(15, at=STORE), look(30))

    assert found.total.too_much == Amount(unit_hours=1.0, row_hours=0.5, units_max=2)
    assert found.total.too_little == Amount()
    assert (found.looks, found.rows) == (4, 6)
    assert (found.since, found.until) == (NOW, NOW + 30 * MINUTE)


def test_what_was_seen_last_holds_until_the_end_and_for_an_hour_at_most() -> None:
    [brief, long] = [
        report(look(0, row()), until=NOW + end).total.too_much.row_hours
        for end in (HOUR / 4, 5 * HOUR)
    ]

    assert (brief, long) == (0.25, HOLDS_FOR_MAX / HOUR)


def test_a_time_without_looks_counts_no_longer_than_an_hour_and_is_told() -> None:
    found = report(look(0, row()), look(300))

    assert found.total.too_much.row_hours == 1
    assert found.longest_gap == 5 * HOUR


def test_what_may_be_booked_by_now_is_not_certain() -> None:
    found = report(look(0, row(unshown=1)), look(60))

    assert found.total.too_much == Amount(3.0, 1.0, 3)
    assert found.total.certain == Amount(2.0, 1.0, 2)


def test_too_much_and_too_little_do_not_make_up_for_one_another() -> None:
    found = report(look(0, row(), row(OTHER, atp=7)), look(30))

    assert (found.total.too_much.unit_hours, found.total.too_little.unit_hours) == (1.0, 1.5)


def test_each_location_product_and_hour_has_its_part() -> None:
    found = report(
        look(0, row(), row(OTHER)),
        look(0, row(OTHER, atp=11), at=STORE),
        look(45),
        look(45, at=STORE),
        look(50, row()),
        look(70),
    )

    much = {key: one.too_much.unit_hours for key, one in found.by_location.items()}
    assert much == pytest.approx({DC: 3 + 2 / 3, STORE: 0.75})
    much = {key: one.too_much.unit_hours for key, one in found.by_product.items()}
    assert much == pytest.approx({OTHER: 2.25, SKU: 1.5 + 2 / 3})
    hours = {at: one.too_much.unit_hours for at, one in found.by_hour.items()}
    assert hours == pytest.approx({NOW: 3.75 + 1 / 3, NOW + HOUR: 1 / 3})
    assert sum(hours.values()) == pytest.approx(found.total.too_much.unit_hours)
    assert list(found.by_location) == [DC, STORE]


def test_a_rows_story_is_of_when_it_was_worst() -> None:
    found = report(look(0, row()), look(10, row(atp=15)), look(20, row(atp=13)), look(30))

    [story] = found.costliest
    assert (story.location_id, story.product_id) == (DC, SKU)
    assert (story.at, story.worst.atp) == (NOW + 10 * MINUTE, 15)
    assert story.promises.too_much.units_max == 5
    assert story.as_of == NOW + 9 * MINUTE


def test_what_was_promised_too_much_costs_more_than_what_was_too_little() -> None:
    found = report(
        look(0, row(), row(OTHER, atp=0)), look(0, row(atp=13), at=STORE), look(60),
        look(60, at=STORE), rows_max=2,
    )  # fmt: skip

    assert [(one.location_id, one.product_id) for one in found.costliest] == [
        (STORE, SKU), (DC, SKU)
    ]  # fmt: skip


def test_a_location_that_could_not_be_read_is_named_until_it_could() -> None:
    failed = look(10, rows=0, as_of=None, unread="down")

    found = report(look(0, row()), failed)
    assert found.unread == {DC: "down"}
    assert (found.looks, found.rows) == (1, 3)

    found = report(look(0, row()), failed, look(20))
    assert found.unread == {}
    assert found.total.too_much.row_hours == pytest.approx(1 / 3)


def test_the_age_of_stock_and_the_rows_left_out_are_told() -> None:
    found = report(look(0, unchecked=2), look(10, as_of=NOW - 5 * HOUR, unchecked=1))

    assert found.oldest_stock == timedelta(hours=5, minutes=10)
    assert found.unchecked == 3


def test_without_looks_there_is_nothing() -> None:
    found = report()

    assert (found.since, found.looks, found.total.too_much, found.costliest) == (
        None, 0, Amount(), ()
    )  # fmt: skip
