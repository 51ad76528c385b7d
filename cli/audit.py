"""`audit`: who has changed what, when and why."""

from itertools import islice
from typing import Any

import click

from cli.command import Operator, connected
from cli.output import columns
from cli.text import INSTANT, instant, iso
from inventory_sync.adapters.dynamodb.audit import AuditRecord

_CHARACTERS_MAX = 160


@click.group()
def audit() -> None:
    """The record that every changing command leaves."""


@audit.command("list")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 100_000))
@click.option("--since", type=INSTANT, help="No older ones (UTC).")
@click.option("--who", default="", help="Only what this person has changed.")
@connected
def list_records(operator: Operator, limit: int, since: Any, who: str) -> None:
    """List changes, the newest first; --json has each record before and after in full.

    Example: inventory-sync audit list --since 2026-03-02
    """
    found = (
        record
        for record in operator.stack.audited.records(newest_first=True)
        if (since is None or record.author.at >= since) and (not who or record.author.who == who)
    )
    records = list(islice(found, limit))
    figures = {"records": [_figures(record) for record in records]}
    rows = [row for record in records for row in _rows(record)]
    operator.out.report(figures, columns(rows) if rows else "Nothing has been changed.")


def _rows(record: AuditRecord) -> list[dict[str, str]]:
    author, first = record.author, record.changes[:1]
    more = len(record.changes) - 1
    return [
        {
            "when": instant(author.at),
            "who": author.who,
            "command": author.command,
            "what": f"{change.kind} {change.item_id}" + (f" and {more} more" if more else ""),
            "before": _short(change.before),
            "after": _short(change.after),
            "why": author.why,
        }
        for change in first
    ]


def _short(record: str | None) -> str:
    if record is None:
        return "-"
    return record if len(record) <= _CHARACTERS_MAX else record[:_CHARACTERS_MAX] + "..."


def _figures(record: AuditRecord) -> dict[str, Any]:
    author = record.author
    return {
        "at": iso(author.at),
        "who": author.who,
        "command": author.command,
        "why": author.why,
        "changes": [
            {
                "kind": change.kind,
                "id": change.item_id,
                "before": change.before,
                "after": change.after,
            }
            for change in record.changes
        ],
    }
