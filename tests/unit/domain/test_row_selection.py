"""Which rows an import sends."""

from decimal import Decimal
from typing import Any

import pytest

from inventory_sync.domain.cut import LocationCut
from inventory_sync.domain.row_selection import Selection, select_rows, sendable
from inventory_sync.domain.stock import Units
from tests.builders import DC


def cut_of(quantities: dict[str, Units], touched: set[str] | None = None) -> LocationCut:
    return LocationCut(
        location_id=DC,
        cut_end=12,
        quantities=quantities,
        touched=frozenset(touched or ()),
        added_back={},
        subtracted={},
        counted=(),
        closed=(),
        late=(),
    )


def select(quantities: dict[str, Units], **fields: Any) -> Selection:
    touched = fields.pop("touched", set())
    plain: dict[str, Any] = {
        "last_sent": {},
        "dirty": frozenset(),
        "full": False,
        "from_snapshot": True,
    }
    return select_rows(cut_of(quantities, touched), **(plain | fields))


def test_a_row_that_did_not_change_is_not_sent() -> None:
    assert select({"A": 5}, last_sent={"A": 5}) == Selection({}, {}, 0)


def test_a_row_that_changed_is_sent() -> None:
    assert select({"A": 4, "B": 5}, last_sent={"A": 5, "B": 5}).others == {"A": 4}


def test_a_new_row_is_sent_unless_it_has_nothing() -> None:
    assert select({"A": 4, "B": 0}, last_sent={}).others == {"A": 4}


def test_a_touched_row_is_sent_though_it_did_not_change() -> None:
    selection = select({"A": 5, "B": 4}, last_sent={"A": 5, "B": 3}, touched={"A"})

    assert (selection.touched, selection.others) == ({"A": 5}, {"B": 4})
    assert selection.products == {"A", "B"}
    assert select({"B": 4}).products == {"B"}


def test_a_touched_row_that_nobody_lists_is_sent_as_none() -> None:
    assert select({}, touched={"A"}).touched == {"A": 0}


def test_a_row_of_an_unfinished_import_is_sent_though_it_did_not_change() -> None:
    assert select({"A": 5}, last_sent={"A": 5}, dirty=frozenset("A")).others == {"A": 5}


def test_a_row_of_an_unfinished_import_that_nobody_lists_any_more_is_sent_as_none() -> None:
    assert select({}, dirty=frozenset("A")).others == {"A": 0}


def test_a_row_that_the_erp_stops_listing_is_sent_as_none_once() -> None:
    assert select({"B": 1}, last_sent={"A": 5, "B": 1}).others == {"A": 0}
    assert select({"B": 1}, last_sent={"A": 0, "B": 1}).others == {}


def test_a_full_refresh_sends_every_row_and_what_is_gone() -> None:
    selection = select({"A": 5, "B": 0}, last_sent={"A": 5, "B": 0, "C": 2}, full=True)

    assert selection.others == {"A": 5, "B": 0, "C": 0}


def test_the_first_import_sends_every_row() -> None:
    assert select({"A": 5, "B": 0}, last_sent=None).others == {"A": 5, "B": 0}


def test_a_negative_result_is_sent_as_none_and_counted() -> None:
    selection = select({"A": -3, "B": -1, "C": 2}, touched={"A"})

    assert (selection.touched, selection.others) == ({"A": 0}, {"C": 2})
    assert selection.clamped == 1


def test_every_negative_row_that_is_sent_is_counted() -> None:
    quantities: dict[str, Units] = {"A": -3, "B": -1, "C": 2, "D": 0}

    selection = select(quantities, touched={"A"}, last_sent=None, full=True)

    assert selection.clamped == 2


def test_a_row_that_stays_below_zero_is_not_sent_again() -> None:
    assert select({"A": -2}, last_sent={"A": -1}) == Selection({}, {}, 0)


def test_without_a_snapshot_only_touched_and_dirty_rows_are_sent() -> None:
    for full in (False, True):
        selection = select(
            {"A": 1, "B": 2, "C": 3, "D": 4},
            last_sent={"A": 9, "D": 9},
            touched={"B"},
            dirty=frozenset("C"),
            from_snapshot=False,
            full=full,
        )
        assert (selection.touched, selection.others) == ({"B": 2}, {"C": 3})


def test_without_a_snapshot_and_without_a_past_nothing_is_taken_for_everything() -> None:
    selection = select({"A": 1}, last_sent=None, from_snapshot=False)

    assert selection == Selection({}, {}, 0)


def test_rows_are_sorted_by_product() -> None:
    selection = select({"B": 1, "C": 1, "A": 1}, touched={"Z", "Y"}, last_sent=None)

    assert list(selection.others) == ["A", "B", "C"]
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
        assert selection == Selection({}, {}, 0)
