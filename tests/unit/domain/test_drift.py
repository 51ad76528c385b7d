"""Drift falls into causes that add up to it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory_sync.domain.drift import Cause, RowFigures, drift_of

UNITS = st.integers(0, 50)


def row(**figures: Any) -> RowFigures:
    plain: dict[str, Any] = {
        "location_id": "DC01",
        "product_id": "SKU-1",
        "sent": 10,
        "erp": 10,
        "late": 0,
        "atp": 10,
        "allocations": 0,
        "leaked": 0,
        "reservations": 0,
        "waiting": False,
        "moving": False,
    }
    return RowFigures(**(plain | figures))


@pytest.mark.parametrize(
    ("figures", "parts"),
    [
        ({}, {}),
        ({"atp": 7, "allocations": 2, "reservations": 1}, {}),
        ({"erp": None}, {}),
        ({"erp": None, "late": 1}, {Cause.LATE: 1}),
        ({"erp": 15}, {Cause.ERP_CORRECTION: -5}),
        ({"erp": 9, "late": 1}, {Cause.LATE: 1}),
        ({"atp": 9, "allocations": 1, "leaked": 1}, {Cause.LEAKED_ALLOCATION: -1}),
        ({"atp": 8}, {Cause.UNEXPLAINED: -2}),
        ({"atp": 8, "moving": True}, {Cause.IN_FLIGHT: -2}),
        ({"atp": 8, "waiting": True, "moving": True}, {Cause.WAITING_FOR_IMPORT: -2}),
        ({"atp": 7, "safety_stock": 3}, {}),
        ({"atp": 0, "allocations": 10, "reservations": 2, "safety_stock": 1}, {}),
        ({"atp": 2, "allocations": 15}, {Cause.UNEXPLAINED: 2}),
        ({"atp": 0, "allocations": 7}, {Cause.UNEXPLAINED: -3}),
        (
            {"atp": 12, "erp": 4, "late": 1, "allocations": 1},
            {Cause.LATE: 1, Cause.ERP_CORRECTION: 5, Cause.UNEXPLAINED: 3},
        ),
    ],
)
def test_each_cause_takes_its_part(figures: dict[str, Any], parts: dict[Cause, int]) -> None:
    assert drift_of(row(**figures)).parts == parts


@given(
    sent=UNITS, erp=UNITS, late=UNITS, atp=UNITS, allocations=UNITS, leaked=UNITS,
    reservations=UNITS, safety_stock=UNITS, waiting=st.booleans(), moving=st.booleans(),
)  # fmt: skip
def test_the_parts_add_up_to_the_drift(**figures: Any) -> None:
    found = drift_of(row(**figures))
    true_allocations = figures["allocations"] - figures["leaked"]

    taken_off = figures["reservations"] + figures["safety_stock"]
    expected = figures["erp"] - true_allocations - taken_off
    promised = figures["sent"] - figures["allocations"] - taken_off
    assert found.units == figures["atp"] - expected - max(0, -promised)
    assert all(found.parts.values())


def test_newstore_oversells_no_more_than_it_promises() -> None:
    late = drift_of(row(sent=3, erp=0, late=3, atp=0, allocations=3))
    promised = drift_of(row(sent=9, erp=2, late=7, atp=4, allocations=5))

    assert (late.units, late.oversold_units) == (3, 0)
    assert (promised.units, promised.oversold_units) == (7, 4)


def test_too_few_are_promised_only_where_there_are_more() -> None:
    few = drift_of(row(sent=3, erp=9, atp=3))
    many = drift_of(row(sent=9, erp=3, atp=9))

    assert (few.units, few.undersold_units, few.oversold_units) == (-6, 6, 0)
    assert (many.units, many.undersold_units, many.oversold_units) == (6, 0, 6)


@pytest.mark.parametrize(
    ("atp", "complete", "judged"),
    [(5, True, True), (5, False, False), (3, False, False), (6, False, True)],
)
def test_where_more_may_be_allocated_only_too_much_can_be_told(
    atp: int, complete: bool, judged: bool
) -> None:
    assert row(atp=atp, allocations=5, complete=complete).judged is judged
