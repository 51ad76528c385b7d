"""A row of a shadow: by the sum, at the most, and what is certain of the difference."""

from typing import Any

import pytest

from inventory_sync.domain.shadow import Amount, PromiseRow, Promises, UnshownUnits
from tests.builders import HOUR, NOW, SKU


def row(**figures: Any) -> PromiseRow:
    plain: dict[str, Any] = {
        "product_id": SKU, "on_hand": 10, "unshown": (), "allocations": 0, "shipped": 0,
        "reservations": 0, "safety_stock": 0, "atp": 10,
    }  # fmt: skip
    return PromiseRow(**{**plain, **figures})


def unshown(*units: int) -> tuple[UnshownUnits, ...]:
    return tuple(UnshownUnits(n, f"ff{n}", NOW, count) for n, count in enumerate(units, 1))


@pytest.mark.parametrize(
    ("figures", "should_be", "too_much", "certain", "too_little"),
    [
        ({}, 10, 0, 0, 0),
        ({"atp": 12}, 10, 2, 2, 0),
        ({"atp": 7}, 10, 0, 0, 3),
        # Two units may be booked by now, or not: only what is above all that there can be is sure.
        ({"unshown": unshown(1, 1)}, 8, 2, 0, 0),
        ({"unshown": unshown(1, 1), "atp": 11}, 8, 3, 1, 0),
        ({"unshown": unshown(1, 1), "atp": 7}, 8, 0, 0, 1),
        ({"allocations": 3, "atp": 7}, 7, 0, 0, 0),
        # NewStore goes on taking off what has shipped, as long as no range releases it.
        ({"allocations": 3, "shipped": 2, "atp": 7}, 9, 0, 0, 2),
        ({"reservations": 1, "safety_stock": 2, "atp": 7}, 7, 0, 0, 0),
        # NewStore promises nothing below none.
        ({"on_hand": -3, "unshown": unshown(2), "atp": 0}, 0, 0, 0, 0),
        ({"on_hand": 1, "allocations": 5, "atp": 1}, 0, 1, 1, 0),
    ],
)
def test_a_promise_beside_the_sum(
    figures: dict[str, Any], should_be: int, too_much: int, certain: int, too_little: int
) -> None:
    found = row(**figures)

    assert found.should_be == should_be
    assert (found.too_much, found.certain, found.too_little) == (too_much, certain, too_little)


def test_what_would_be_sent_is_the_stock_whatever_newstore_takes_off() -> None:
    assert row(unshown=unshown(2, 1), allocations=4).would_send == 7
    assert row(on_hand=1, unshown=unshown(2)).would_send == 0


def test_units_over_time_add_up_and_the_most_at_once_is_kept() -> None:
    found = Amount().plus(2, HOUR / 2).plus(0, HOUR).plus(1, HOUR)

    assert found == Amount(unit_hours=2.0, row_hours=1.5, units_max=2)


def test_each_kind_adds_up_by_itself() -> None:
    found = Promises().plus(row(unshown=unshown(1), atp=11), HOUR).plus(row(atp=9), HOUR)

    assert [a.unit_hours for a in (found.too_much, found.certain, found.too_little)] == [2, 1, 1]
