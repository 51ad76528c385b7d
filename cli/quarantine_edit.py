"""`quarantine edit`: what an entry's body should have been, taken in by the webhook's own code."""

import difflib
import json
from typing import IO

import click

from cli.command import Operator, connected, signed
from cli.output import refusal
from cli.quarantine import OF_STORED_EVENTS, body_of, figures_of, named, open_entry
from inventory_sync.domain.inbound import IgnoredEvent, MalformedEventError
from inventory_sync.domain.unreadable import UNREADABLE_RECORD
from inventory_sync.use_cases.ingest.ingest_event import IngestResult


@click.command()
@click.argument("entry_id", metavar="ID")
@click.option(
    "--file", "file", type=click.File("rb"), default="-", help="The body.  [default: input]"
)
@click.option("--yes", is_flag=True, help="Send it in; without, only the difference is shown.")
@signed
@connected
def edit(operator: Operator, entry_id: str, file: IO[bytes], yes: bool, who: str, why: str) -> None:
    """Send an entry's body in as it should have been.

    Shows the difference first. With --yes the body goes through the webhook's own code, as if
    NewStore had sent it; the original stays as it is, byte for byte, and is resolved. A body that
    is of no use either is refused. Exit code 4 where it is in quarantine again.

    \b
    Example: inventory-sync quarantine edit 3fa9c1 --file body.json --yes --why "product id added"
    """
    one, body = open_entry(operator, entry_id), file.read()
    if one.entry.reason in OF_STORED_EVENTS | {UNREADABLE_RECORD}:
        raise refusal(f"{named(one)} is a stored event, which nobody edits; see `quarantine retry`")
    _require_event(operator, body)
    difference = _difference(body_of(operator, one), body)
    shown = {**figures_of(one), "difference": difference}
    if not yes:
        operator.out.result(
            {**shown, "outcome": ""}, *difference, "", "Nothing was sent; repeat it with --yes."
        )
        return
    if not why.strip():
        raise refusal("--why must not be empty: it is what says who changed NewStore's word")
    author = operator.author("quarantine edit", who, why)
    outcome = operator.stack.ingest(body)
    again = outcome.result is IngestResult.QUARANTINED
    word = outcome.result.value + (f", {outcome.reason}" if outcome.reason else "")
    if not again:
        operator.stack.quarantine.resolve(one.entry_id, f"edited, {word}", author)
    operator.out.result(
        {**shown, "outcome": outcome.result.value, "reason": outcome.reason},
        *difference,
        "",
        f"{named(one)}: {word}" + (f": {outcome.detail}" if outcome.detail else ""),
    )
    if again:
        operator.out.found()


def _require_event(operator: Operator, body: bytes) -> None:
    try:
        event = operator.stack.parse(body)
    except MalformedEventError as error:
        raise refusal(f"the edited body is of no use either: {error.detail}") from error
    if isinstance(event, IgnoredEvent):
        raise refusal(f"the edited body is an event named {event.name}, which is not taken in")


def _difference(before: bytes, after: bytes) -> list[str]:
    """Of what they say; of their form where they say the same."""
    old, new = _lines(before), _lines(after)
    if old == new:
        old, new = _raw_lines(before), _raw_lines(after)
    found = difflib.unified_diff(old, new, "original", "edited", lineterm="")
    return list(found) or ["The two are the same."]


def _lines(body: bytes) -> list[str]:
    try:
        text = json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return _raw_lines(body)
    return text.splitlines()


def _raw_lines(body: bytes) -> list[str]:
    return body.decode("utf-8", "backslashreplace").splitlines()
