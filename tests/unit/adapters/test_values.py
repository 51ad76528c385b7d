"""Figures of stock: exact, bounded, or refused."""

from decimal import Decimal

import pytest

from inventory_sync.adapters.values import read_figure


@pytest.mark.parametrize(
    ("value", "figure"),
    [
        (7, 7),
        (-1, -1),
        ("5", 5),
        ("5.0", 5),
        (Decimal("5.000"), 5),
        ("1e3", 1000),
        ("0.5", Decimal("0.5")),
        (Decimal("1e-300"), Decimal("1e-300")),
    ],
)
def test_figure_is_exact_and_a_whole_one_is_int(value: object, figure: object) -> None:
    found = read_figure(value)
    assert (found, type(found)) == (figure, type(figure))


@pytest.mark.parametrize(
    "value",
    [
        10**18,
        -(10**18),
        10**400,
        "1e18",
        "9" * 61,
        "0." + "0" * 5000 + "1",
        Decimal("NaN"),
        Decimal("sNaN"),
        Decimal("Infinity"),
        "NaN",
        "-inf",
        "٣",
        "1_000",
        " 1",
        "",
        True,
        None,
        1.5,
        [1],
    ],
)
def test_what_is_no_figure_of_stock_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="not a"):
        read_figure(value)
