"""The flow of the README, with the figures of one moment."""

from __future__ import annotations

from inventory_sync.domain.wording import counted
from local.pictures.drawing import Drawing
from local.pictures.example import Example

WIDTH, HEIGHT = 980, 330
NEWSTORE, ERP = (16, 132), (832, 132)
"""Where the two systems begin and how wide they are; the adapter stands between them."""
ROW, BOX = (64, 212), 66
"""Where the way out and the way back begin, and how high a step is."""


def draw_flow(example: Example, scheme: str) -> str:
    """Events go from NewStore to the ERP above; stock comes back below."""
    figures, drawing = example.figures, Drawing(WIDTH, HEIGHT, _told(example), scheme)
    out, back = ROW
    for (x, width), name in ((NEWSTORE, "NewStore"), (ERP, "ERP")):
        drawing.box(x, out - 32, width, back + BOX - out + 64, fill="soft")
        drawing.text(x + width // 2, out, name, size=16, bold=True)
    promise = ("promises", counted(figures.newstore_atp, "unit"))
    shows = ("shows", counted(figures.erp_shown, "unit"))
    for (x, width), (verb, units) in ((NEWSTORE, promise), (ERP, shows)):
        drawing.text(x + width // 2, 162, verb, size=13, fill="muted")
        drawing.text(x + width // 2, 184, units, bold=True)
    steps = ((254, 108, "Ingest"), (424, 124, "Events table"), (610, 116, "Forward"))
    for x, width, name in steps:
        _step(drawing, x, out, width, name, figures.events_stored if x == 424 else None)
    middle = out + BOX // 2
    for start, end, label in (
        (148, 254, "POST /event"), (362, 424, "put"), (548, 610, "stream"), (726, 832, "movements"),
    ):  # fmt: skip
        drawing.line((start, middle), (end, middle), arrow=True)
        drawing.text((start + end) // 2, middle - 8, label, size=13, fill="muted")
    _way_back(drawing, example)
    drawing.text(
        WIDTH // 2, HEIGHT - 10,
        f"{counted(figures.physical, 'unit')} on the shelf, of which"
        f" {figures.newstore_open_allocations} allocated: the promise is what is left",
        size=13, fill="muted",
    )  # fmt: skip
    return drawing.svg()


def _way_back(drawing: Drawing, example: Example) -> None:
    figures, y = example.figures, ROW[1]
    middle = y + BOX // 2
    drawing.box(424, y, 302, BOX)
    drawing.text(575, y + 28, "Import", bold=True)
    drawing.text(575, y + 49, "cut, guards, archive in S3", size=13, fill="muted")
    drawing.line((832, middle), (726, middle), arrow=True)
    drawing.text(779, middle - 8, "snapshot", size=13, fill="muted")
    drawing.line((486, ROW[0] + BOX), (486, y), arrow=True)
    drawing.text(
        496, (ROW[0] + BOX + y) // 2 + 4, "open events", size=13, fill="muted", anchor="start"
    )
    drawing.line((424, middle), (148, middle), arrow=True)
    quantity = counted(figures.imported_quantity or 0, "unit")
    said = f"{quantity} as of {figures.range_end}"
    drawing.text(286, middle - 8, "availabilities.zip", size=13, fill="muted")
    drawing.text(286, middle + 20, said, size=13, fill="ink")
    drawing.text(286, middle + 38, f"range {figures.range_start}\u2013{figures.range_end}", size=13)


def _step(drawing: Drawing, x: int, y: int, width: int, name: str, events: int | None) -> None:
    drawing.box(x, y, width, BOX)
    middle = x + width // 2
    drawing.text(middle, y + (38 if events is None else 28), name, bold=True)
    if events is not None:
        drawing.text(middle, y + 49, counted(events, "event"), size=13, fill="muted")


def _told(example: Example) -> str:
    figures = example.figures
    return (
        "NewStore posts events to ingest, which puts them into the events table; its stream wakes"
        " forward, which books movements in the ERP. The import reads the ERP's snapshot and the"
        f" open events and gives NewStore {figures.imported_quantity} as of {figures.range_end}"
        f" with the range {figures.range_start} to {figures.range_end};"
        f" NewStore then promises {figures.newstore_atp}."
    )
