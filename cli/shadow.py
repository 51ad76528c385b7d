"""`shadow report`: what a shadow has seen of the present integration, as a page and as figures."""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

import click
from rich.table import Table

from cli.command import Operator, connected
from cli.output import columns, refusal
from cli.progress import Progress, progress
from cli.shadow_page import page_of
from cli.shadow_story import hours, story_of
from cli.stack import IMPORT_FUNCTION
from cli.text import instant, plain
from inventory_sync.domain.shadow import Look, Promises, RowStory, ShadowReport
from inventory_sync.domain.wording import counted
from inventory_sync.use_cases.reconcile.shadow_report import report_of

_EVERY = 500
"""So many looks are read between two words on how far it is."""


@click.group()
def shadow() -> None:
    """What a stack with Mode shadow has seen of the integration that it stands beside."""


@shadow.command()
@click.option("--days", default=14, show_default=True, type=click.IntRange(1, 400))
@click.option("--rows", default=50, show_default=True, type=click.IntRange(1, 5000))
@click.option(
    "--out",
    default="shadow-report.html",
    show_default=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The page; the same name with .json has the figures.",
)
@connected
def report(operator: Operator, days: int, rows: int, out: Path) -> None:
    """Add up by how much, and for how long, NewStore promised too much and too little.

    By location, product and hour, with the story of the costliest rows, what the adapter would have
    had NewStore promise, and how much of it is certain. Writes one page that needs nothing else,
    and the figures as JSON. Exit code 4 where some locations could not be looked at.

    Example: inventory-sync shadow report --days 14 --out report.html
    """
    since = operator.now - timedelta(days=days)
    with progress("reading what the shadow has seen") as line:
        looks = _watched(operator.stack.looks.between(since, operator.now), line)
        found = report_of(looks, until=operator.now, rows_max=rows)
    if not found.looks and not found.unread:
        raise refusal(
            f"nothing was looked at since {instant(since)}: is the stack's Mode shadow, and does"
            " its location map have enabled locations?"
        )
    lag = operator.stack.variables(IMPORT_FUNCTION).get("OTHER_SYSTEM_LAG_SECONDS") or None
    figures = figures_of(found, None if lag is None else int(lag))
    out.write_text(page_of(found, figures["other_system_lag_seconds"]), encoding="utf-8")
    beside = out.with_suffix(".json")
    beside.write_text(json.dumps(figures, indent=2, default=plain) + os.linesep, encoding="utf-8")
    operator.out.report({**figures, "page": str(out), "file": str(beside)}, *_told(found, out))
    if found.unread:
        operator.out.found()


def figures_of(found: ShadowReport, lag_seconds: int | None) -> dict[str, object]:
    """For scripts."""
    return {
        "since": found.since,
        "until": found.until,
        "other_system_lag_seconds": lag_seconds,
        "looks": found.looks,
        "rows": found.rows,
        "unchecked": found.unchecked,
        "longest_gap_seconds": found.longest_gap,
        "oldest_stock_seconds": found.oldest_stock,
        "unread": dict(found.unread),
        "total": promises_of(found.total),
        "by_location": [
            {"location_id": key, **promises_of(one)} for key, one in found.by_location.items()
        ],
        "by_product": [
            {"product_id": key, **promises_of(one)} for key, one in found.by_product.items()
        ],
        "by_hour": [{"hour": at, **promises_of(one)} for at, one in found.by_hour.items()],
        "costliest": [_row(story) for story in found.costliest],
    }


def promises_of(found: Promises) -> dict[str, float]:
    """Unit hours, row hours and the most units of a row at once, of each kind."""
    return {
        f"{kind}_{name}": round(value, 4)
        for kind, amount in asdict(found).items()
        for name, value in amount.items()
    }


def _row(story: RowStory) -> dict[str, object]:
    worst = story.worst
    return {
        "location_id": story.location_id,
        "product_id": story.product_id,
        **promises_of(story.promises),
        "worst_at": story.at,
        "promised": worst.atp,
        "should_be": worst.should_be,
        "would_send": worst.would_send,
        "story": story_of(story),
    }


def _watched(looks: Iterable[Look], line: Progress) -> Iterator[Look]:
    for number, look in enumerate(looks):
        if number % _EVERY == 0:
            line.say(f"reading what the shadow has seen, {look.at:%Y-%m-%d %H:%M}")
        yield look


def _told(found: ShadowReport, out: Path) -> Iterator[Table | str]:
    total = found.total
    yield (
        f"{counted(found.looks, 'look')} from {instant(found.since)} to {instant(found.until)},"
        f" {counted(found.rows, 'row')}."
    )
    yield (
        f"Promised too much: {hours(total.too_much)}, of which {hours(total.certain)} are certain."
        f" Too little: {hours(total.too_little)}, at least."
    )
    rows: list[Mapping[str, object]] = [
        {
            "location_id": story.location_id,
            "product_id": story.product_id,
            "too_much": f"{story.promises.too_much.unit_hours:.2f}",
            "certain": f"{story.promises.certain.unit_hours:.2f}",
            "too_little": f"{story.promises.too_little.unit_hours:.2f}",
        }
        for story in found.costliest[:10]
    ]
    if rows:
        yield columns(rows, right=["too_much", "certain", "too_little"])
    for location_id, why in found.unread.items():
        yield f"{location_id} could not be looked at: {why}"
    yield f"The page: {out.resolve().as_uri()}"
