"""`audit`: who has changed what, when and why."""

import json
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import click

from cli.command import Operator, connected
from cli.text import INSTANT, cell, instant
from inventory_sync.adapters.dynamodb.audit import AuditRecord, Change

LINE_CHARACTERS_MAX = 100


@click.group()
def audit() -> None:
    """The record that every changing command leaves."""


@audit.command("list")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 100_000))
@click.option("--since", type=INSTANT, help="No older ones (UTC).")
@click.option("--who", default="", help="Only what this person has changed.")
@connected
def list_records(operator: Operator, limit: int, since: Any, who: str) -> None:
    """List changes, the newest first, by their beginnings; --json has each in full.

    Example: inventory-sync audit list --since 2026-03-02
    """
    found = (
        record
        for record in operator.stack.audited.records(newest_first=True)
        if (since is None or record.author.at >= since) and (not who or record.author.who == who)
    )
    records = list(islice(found, limit))
    figures = {"records": [_figures(record) for record in records]}
    lines = [line for record in records for line in _lines(record)]
    operator.out.report(figures, *(lines or ["Nothing has been changed."]))


def _lines(record: AuditRecord) -> Iterator[str]:
    author = record.author
    yield _short(f"{instant(author.at)}  {author.who}  {author.command}")
    more = len(record.changes) - 1
    for change in record.changes[:1]:
        also = f" and {more} more" if more else ""
        yield _short(f"    {change.kind} {change.item_id}{also}: {_difference(change)}")
    if author.why:
        yield _short(f"    why: {author.why}")


def _difference(change: Change) -> str:
    """The fields that are others than before."""
    if change.after is None:
        return "removed"
    before, after = _fields(change.before), _fields(change.after)
    told = [
        f"{name} " + (f"{cell(before[name])} -> " if name in before else "") + cell(value)
        for name, value in after.items()
        if before.get(name) != value
    ]
    return ", ".join(told) or "the same"


def _fields(record: str | None) -> Mapping[str, Any]:
    """Of a record that is no JSON object, `is`."""
    found = _parsed(record)
    if isinstance(found, dict):
        return found
    return {} if found is None else {"is": found}


def _parsed(record: str | None) -> Any:
    """A record is JSON, or a text."""
    try:
        return None if record is None else json.loads(record)
    except ValueError:
        return record


def _short(text: str) -> str:
    return text if len(text) <= LINE_CHARACTERS_MAX else text[: LINE_CHARACTERS_MAX - 3] + "..."


def _figures(record: AuditRecord) -> dict[str, Any]:
    author = record.author
    return {
        "at": author.at,
        "who": author.who,
        "command": author.command,
        "why": author.why,
        "changes": [
            {
                "kind": change.kind,
                "id": change.item_id,
                "before": _parsed(change.before),
                "after": _parsed(change.after),
            }
            for change in record.changes
        ],
    }
