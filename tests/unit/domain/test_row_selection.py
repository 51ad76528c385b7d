"""Which rows an import sends."""

from decimal import Decimal
from typing import Any

import pytest

from inventory_sync.domain.cut import LocationCut
from inventory_sync.domain.row_selection import Selection, select_rows, sendable
from inventory_sync.domain.stock import Units, totals_of
from tests.builders import DC

NOTHING = Selection({}, {}, {}, 0)


def cut_of(quantities: dict[str, Units], touched: set[str] | None = None) -> LocationCut:
    return LocationCut(
        location_id=DC,
        cut_end=12,
        quantities=quantities,
        totals=totals_of(quantities),
        touched=frozenset(touched or ()),
        parts=(),
        counted=(),
        closed=(),
        late=(),
    )


def select(quantities: dict[str, Units], **fields: Any) -> Selection:
    touched = fields.pop("touched", set())
    plain: dict[str, Any] = {"last_sent": {}, "doubtful": frozenset(), "refresh_from": None}
    return select_rows(cut_of(quantities, touched), **(plain | fields))


def test_a_row_that_did_not_change_is_not_sent() -> None:
    assert select({"A": 5}, last_sent={"A": 5}) == NOTHING


def test_a_row_that_changed_is_sent() -> None:
    assert select({"A": 4, "B": 5}, last_sent={"A": 5, "B": 5}).changed == {"A": 4}


def test_a_new_row_is_sent_unless_it_has_nothing() -> None:
    assert select({"A": 4, "B": 0}, last_sent={}).changed == {"A": 4}


def test_a_touched_row_is_sent_though_it_did_not_change() -> None:
    selection = select({"A": 5, "B": 4}, last_sent={"A": 5, "B": 3}, touched={"A"})

    assert (selection.touched, selection.changed) == ({"A": 5}, {"B": 4})
    assert selection.products == {"A", "B"}
    assert select({"B": 4}).products == {"B"}


def test_a_touched_row_that_nobody_lists_is_sent_as_none() -> None:
    assert select({}, touched={"A"}).touched == {"A": 0}


def test_a_row_of_an_unfinished_import_is_sent_though_it_did_not_change() -> None:
    assert select({"A": 5}, last_sent={"A": 5}, doubtful=frozenset("A")).changed == {"A": 5}


def test_a_row_of_an_unfinished_import_that_nobody_lists_any_more_is_sent_as_none() -> None:
    assert select({}, doubtful=frozenset("A")).changed == {"A": 0}


def test_a_row_that_the_erp_stops_listing_is_sent_as_none_once() -> None:
    assert select({"B": 1}, last_sent={"A": 5, "B": 1}).changed == {"A": 0}
    assert select({"B": 1}, last_sent={"A": 0, "B": 1}).changed == {}


def test_a_refresh_repeats_every_row_besides_what_has_changed() -> None:
    selection = select({"A": 5, "B": 0}, last_sent={"A": 5, "B": 0, "C": 2}, refresh_from="")

    assert (selection.changed, selection.refreshed) == ({"C": 0}, {"A": 5, "B": 0})
    assert select({"A": 5}, last_sent={"A": 4, "C": 0}, refresh_from="") == Selection(
        {}, {"A": 5}, {"C": 0}, 0
    )


def test_a_refresh_may_go_on_from_a_product() -> None:
    stock: dict[str, Units] = {"A": 1, "B": 2, "C": 3}

    assert select(stock, last_sent=stock, refresh_from="B").refreshed == {"B": 2, "C": 3}


def test_a_row_that_is_sent_for_another_reason_is_not_repeated() -> None:
    selection = select(
        {"A": 1, "B": 2, "C": 3, "D": 4},
        last_sent={"A": 1, "B": 2, "C": 3, "D": 9},
        touched={"A"},
        doubtful=frozenset("B"),
        refresh_from="",
    )

    assert selection == Selection({"A": 1}, {"B": 2, "D": 4}, {"C": 3}, 0)
    assert (selection.rows, selection.products) == (4, {"A", "B", "C", "D"})


def test_the_first_import_sends_every_row() -> None:
    selection = select({"A": 5, "B": 0}, last_sent=None, refresh_from="")

    assert (selection.changed, selection.refreshed) == ({}, {"A": 5, "B": 0})


def test_a_negative_result_is_sent_as_none_and_counted() -> None:
    selection = select({"A": -3, "B": -1, "C": 2}, touched={"A"})

    assert (selection.touched, selection.changed) == ({"A": 0}, {"C": 2})
    assert selection.clamped == 1


def test_every_negative_row_that_is_sent_is_counted() -> None:
    quantities: dict[str, Units] = {"A": -3, "B": -1, "C": 2, "D": 0}

    selection = select(quantities, touched={"A"}, last_sent=None, refresh_from="")

    assert selection.clamped == 2


def test_a_row_that_stays_below_zero_is_not_sent_again() -> None:
    assert select({"A": -2}, last_sent={"A": -1}) == NOTHING


def test_without_anything_to_compare_with_only_touched_and_doubtful_rows_are_sent() -> None:
    selection = select(
        {"A": 1, "B": 2, "C": 3}, last_sent=None, touched={"B"}, doubtful=frozenset("C")
    )

    assert selection == Selection({"B": 2}, {"C": 3}, {}, 0)


def test_rows_are_sorted_by_product() -> None:
    selection = select({"B": 1, "C": 1, "A": 1}, touched={"Z", "Y"})

    assert list(selection.changed) == ["A", "B", "C"]
    assert list(selection.touched) == ["Y", "Z"]


@pytest.mark.parametrize(
    ("quantity", "sent"),
    [(3, 3), (0, 0), (-1, 0), (Decimal("2.9"), 2), (Decimal("-0.1"), 0), (Decimal("-7.5"), 0)],
)
def test_whole_units_from_none_up_are_sent_and_fractions_round_down(
    quantity: Units, sent: int
) -> None:
    assert sendable(quantity) == sent


def test_a_fraction_that_rounds_to_the_same_is_no_change() -> None:
    for units in (2, 5000):
        selection = select({"A": units + Decimal("0.9")}, last_sent={"A": units})
        assert selection == NOTHING
