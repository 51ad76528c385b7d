"""The sum of design.md, drawn with the units of one row."""

from __future__ import annotations

from collections.abc import Mapping

from inventory_sync.domain.cut import Part
from inventory_sync.domain.explain import Term
from inventory_sync.domain.wording import counted
from local.pictures.drawing import Drawing
from local.pictures.example import Example

WHY: Mapping[Part, tuple[str, str]] = {
    Part.IN_BASE: ("up to E, in the", "snapshot: as it is"),
    Part.SUBTRACTED: ("up to E, not in the", "snapshot: taken off"),
    Part.ADDED_BACK: ("after E, but in the", "snapshot: added back"),
    Part.AFTER: ("after E, not in the", "snapshot: as it is"),
}
COLUMN, LEFT, TOP, BOTTOM, BLOCK = 158, 16, 84, 306, 96
"""Of a column its width; then where the blocks begin and end, and how wide they are."""


def draw_sum(example: Example, scheme: str) -> str:
    """A column for the ERP's figure, one for each event by its logical timestamp, one for the sum.

    Heights are from 0 up, so that they can be compared.
    """
    row = example.row
    terms = sorted(row.terms, key=lambda term: term.event.logical_timestamp)
    width = 2 * LEFT + COLUMN * (len(terms) + 2)
    drawing = Drawing(width, 372, _told(example, terms), scheme)
    levels = [int(row.base)]
    for term in terms:
        levels.append(levels[-1] + term.units)
    high = (BOTTOM - TOP) // max(1, *levels)

    def column(number: int) -> int:
        return LEFT + COLUMN * number + COLUMN // 2

    def bar(number: int, low: int, top: int, kind: str) -> None:
        if top > low:
            left = column(number) - BLOCK // 2
            drawing.block(left, BOTTOM - high * top, BLOCK, high * (top - low), kind=kind)

    drawing.text(column(0), 28, "ERP's snapshot", bold=True)
    drawing.text(column(0), 48, "on hand", size=13, fill="muted")
    drawing.text(column(0), BOTTOM - high * levels[0] - 8, str(levels[0]), bold=True)
    bar(0, 0, levels[0], "full")
    for number, term in enumerate(terms, start=1):
        before, after = levels[number - 1], levels[number]
        _event(drawing, column(number), term)
        bar(number, 0, min(before, after), "full")
        bar(number, min(before, after), max(before, after), "full" if after > before else "dashed")
        sign = f"{term.units:+d}".replace("-", "\u2212") if term.units else "\u00b10"
        drawing.text(column(number), BOTTOM - high * max(before, after) - 8, sign, bold=True)
    last = len(terms) + 1
    drawing.text(column(last), 28, "Quantity", bold=True)
    drawing.text(column(last), 48, f"as of E = {example.cut_end}", size=13, fill="muted")
    drawing.text(column(last), BOTTOM - high * row.sent - 8, str(row.sent), bold=True)
    bar(last, 0, row.sent, "full")
    drawing.line((LEFT, BOTTOM), (width - LEFT, BOTTOM))
    _cut_line(drawing, example.cut_end, terms)
    drawing.text(column(last), BOTTOM + 24, "sent to NewStore,", size=13, fill="muted")
    drawing.text(column(last), BOTTOM + 42, f"range up to {example.cut_end}", size=13, fill="muted")
    return drawing.svg()


def _event(drawing: Drawing, middle: int, term: Term) -> None:
    at = term.event.logical_timestamp
    drawing.text(middle, 28, f"Event {at}", bold=True)
    shipped = f"{counted(term.units_of_event, 'unit')} shipped"
    drawing.text(middle, 48, shipped, size=13, fill="muted")
    for line, words in enumerate(WHY[term.event.part]):
        drawing.text(middle, BOTTOM + 24 + 18 * line, words, size=13, fill="muted")


def _cut_line(drawing: Drawing, cut_end: int, terms: list[Term]) -> None:
    """After the last event that the import releases."""
    released = sum(term.event.logical_timestamp <= cut_end for term in terms)
    x = LEFT + COLUMN * (1 + released)
    drawing.line((x, 14), (x, BOTTOM + 48), dashed=True)
    drawing.text(x, BOTTOM + 62, f"E = {cut_end}", size=13, bold=True)


def _told(example: Example, terms: list[Term]) -> str:
    parts = [f"event {t.event.logical_timestamp} {t.units:+d}" for t in terms]
    return (
        f"{example.product} at {example.location}: {example.row.base} in the ERP's snapshot,"
        f" {', '.join(parts)}, makes {example.row.sent} as of {example.cut_end}."
    )
