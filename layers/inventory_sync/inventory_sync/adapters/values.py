"""Fields of other systems' answers, each read within bounds: instants, figures of stock, names.

A value out of bounds is a fault of its field, like a missing one, and never anything else.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated

from pydantic import Field, PlainValidator

from inventory_sync.adapters.instants import read_instant

FIGURE_DIGITS_MAX = 18
FIGURE_CHARACTERS_MAX = 60
_BEYOND = 10**FIGURE_DIGITS_MAX
_FIGURE = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d{1,3})?", re.ASCII)


def read_figure(value: object) -> int | Decimal:
    """A number, or one written as a text; whole ones as int. ValueError for anything else."""
    if type(value) is int and -_BEYOND < value < _BEYOND:
        return value  # as nearly every row is, of which there may be millions
    if isinstance(value, str):
        if len(value) > FIGURE_CHARACTERS_MAX or not _FIGURE.fullmatch(value):
            raise ValueError("not a number")
    elif isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError("not a number")
    number = Decimal(value)
    if not number.is_finite() or number.adjusted() >= FIGURE_DIGITS_MAX:
        raise ValueError("not a figure of stock")
    return int(number) if number == number.to_integral_value() else number


def _instant(value: object) -> datetime:
    return read_instant(value)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one figure, where that spoils its row alone."""

    text: str


MISSING = Fault("is missing")


def figure_or_fault(value: object) -> int | Decimal | Fault:
    """The number, or what is wrong with it."""
    try:
        return read_figure(value)
    except ValueError as error:
        return Fault(f"is {error}")


FigureOrFault = Annotated[int | Decimal | Fault, PlainValidator(figure_or_fault)]
Figure = Annotated[int | Decimal, PlainValidator(read_figure)]
Instant = Annotated[datetime, PlainValidator(_instant)]
"""A text that names its zone."""
Name = Annotated[str, Field(min_length=1)]
