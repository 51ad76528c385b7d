"""The words and the table in which a story is told."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

from inventory_sync.domain.wording import counted
from local.figures import Figures
from local.newstore.events import Event

WIDTH = 100
HEADINGS = (
    "    | NewStore: on hand   open  shipped*    ATP | ERP: on hand  allocated |"
    " events  watermark | on the shelf |"
)
LEGEND = "    * completed, and not yet released by an import"


def tell_text(number: int, text: str) -> str:
    """What happened."""
    return textwrap.fill(f"{number:2}. {text}", WIDTH, subsequent_indent="    ")


def tell_figures(now: Figures) -> str:
    """What each system holds, under the headings."""
    watermark = "-" if now.watermark is None else str(now.watermark)
    return (
        f"    | {now.newstore_on_hand:17} {now.newstore_open_allocations:6}"
        f" {now.newstore_completed_unreleased:9} {now.newstore_atp:6}"
        f" | {now.erp_on_hand:12} {now.erp_allocated:10}"
        f" | {now.events_stored:6} {watermark:>10} | {now.physical:12} |"
    )


def tell_event(event: Event) -> str:
    """What NewStore publishes."""
    payload = event["payload"]
    products = ", ".join(item["product_id"] for item in payload["items"])
    return (
        f"NewStore publishes {event['name'].rpartition('.')[2]} of {payload['id']} ({products}),"
        f" logical timestamp {payload['logical_timestamp']};"
    )


def tell_answer(answer: Mapping[str, Any]) -> str:
    """Figures by name."""
    return ", ".join(f"{value} {name}" for name, value in answer.items()) + "."


def tell_run(answer: Mapping[str, Any]) -> str:
    """How an import tick ended."""
    told = f"Import tick: {answer['outcome']}"
    if answer["detail"]:
        told += f" ({answer['detail']})"
    run = answer.get("run")
    if run is None:
        return f"{told}."
    rows = counted(run["rows"], "row")
    told += f"; run {run['state']}, {rows} up to logical timestamp {run['cut_end']}"
    if run["failure"]:
        told += f"; {run['failure']}"
    for location, reason in run["left_out"].items():
        told += f"; {location} left out: {reason}"
    return f"{told}."


def tell_import(now: Figures) -> str:
    """What stood in the file of the last finished import."""
    quantity = now.imported_quantity
    said = "nothing of this row" if quantity is None else counted(quantity, "unit")
    return (
        f"The file said {said}, range {now.range_start}-{now.range_end},"
        " and NewStore finished the job."
    )


def tell_comparison(expected: Mapping[Any, int | None], now: Figures) -> str:
    """Expected and actual figures, line by line."""
    actual = now.named()
    lines = [f"    {'at the end':30} {'expected':>10} {'actual':>10}"]
    for name, value in expected.items():
        mark = "" if actual[name] == value else "   <- differs"
        lines.append(f"    {name:30} {value!s:>10} {actual[name]!s:>10}{mark}")
    return "\n".join(lines)
