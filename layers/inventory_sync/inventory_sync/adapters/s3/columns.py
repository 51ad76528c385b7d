"""Columns of a record of ours that is read without a model of every row."""

from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import Any

from inventory_sync.domain.stock import Units


def rows_of(products: object, units: object) -> dict[str, Units]:
    """A row for each product, a Decimal where its figure is a text; ValueError where it is none."""
    names, figures = texts(products), listed(units)
    if set(map(type, figures)) - {int}:
        figures = [figure if type(figure) is int else _decimal(figure) for figure in figures]
    return dict(zip(names, figures, strict=True))


def texts(column: object) -> list[str]:
    """A list of texts and of nothing else; ValueError for anything else."""
    found = listed(column)
    if set(map(type, found)) - {str}:
        raise ValueError("not a list of texts")
    return found


def tuples(column: object, length: int) -> Iterable[list[str]]:
    """Each of so many texts; ValueError for anything else."""
    for found in listed(column):
        if len(texts(found)) != length:
            raise ValueError(f"not {length} texts")
        yield found


def text(value: object) -> str:
    """ValueError for anything else."""
    return texts([value])[0]


def flag(value: object) -> bool:
    """ValueError for anything else."""
    if not isinstance(value, bool):
        raise ValueError("neither true nor false")
    return value


def listed(column: object) -> list[Any]:
    """ValueError for anything else."""
    if not isinstance(column, list):
        raise ValueError("not a list")
    return column


def _decimal(figure: object) -> Decimal:
    try:
        found = Decimal(text(figure))
    except InvalidOperation as error:
        raise ValueError("not a figure") from error
    if not found.is_finite():
        raise ValueError("not a figure")
    return found
