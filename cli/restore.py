"""`restore`: put back what a table has lost, from a point in time."""

from dataclasses import asdict
from datetime import datetime

import click

from cli.command import Operator, connected, note_change, signed
from cli.output import refusal
from cli.text import INSTANT
from inventory_sync.adapters.dynamodb.restored_table import RestoredTable

TABLES = {
    "events": "EventsTable",
    "requests": "RequestsTable",
    "state": "StateTable",
    "quarantine": "QuarantineTable",
}


@click.command()
@click.argument("which", metavar="TABLE", type=click.Choice(list(TABLES)))
@click.option("--at", type=INSTANT, required=True, help="The point in time, of the last 35 days.")
@click.option("--keep", is_flag=True, help="Keep the copy, to look at it.")
@signed
@connected
def restore(operator: Operator, which: str, at: datetime, keep: bool, who: str, why: str) -> None:
    """Put back into TABLE what it had at a point in time and has no more.

    What stands in the table stays as it is: delete first what is damaged. Takes twenty minutes or
    more, since AWS makes a copy of the whole table; if it is cut off, run it again.

    \b
    Example: inventory-sync restore events --at 2026-03-02T06:00 --why "DC01's were deleted"
    """
    if not why.strip():
        raise refusal("--why must not be empty: it is what the record is for")
    if at >= operator.now:
        raise refusal("--at has to be before now")
    author = operator.author("restore", who, why)
    name = operator.stack.resource(TABLES[which])
    restored = RestoredTable(operator.stack.dynamodb, name, at)
    note_change(operator, "restore", which, {"at": at.isoformat(), "copy": restored.copy}, author)
    operator.out.note(f"AWS copies {name} to {restored.copy}; that takes a while")
    restored.make(operator.stack.connect.sleep)
    found = restored.put_back(operator.now)
    if not keep:
        restored.drop_copy()
    operator.out.result(
        {**asdict(found), "copy": restored.copy if keep else None},
        f"{found.put_back} put back, {found.there} were there, {found.expired} had expired.",
    )
