"""`quarantine`: what was taken but could not be used, until somebody has dealt with it."""

import base64
from typing import Any

import click

from cli.command import Operator, connected, signed
from cli.output import refusal
from cli.text import instant
from inventory_sync.adapters.dynamodb.quarantine_review import Quarantined
from inventory_sync.domain.events import logical_timestamp
from inventory_sync.use_cases.forward.forward_events import PUBLISHED_LONG_AGO, REJECTED_BY_ERP
from inventory_sync.use_cases.ingest.ingest_event import IngestResult

_ID_CHARACTERS = 12


@click.group()
def quarantine() -> None:
    """Bodies and events that could not be used. They are kept whole for their retention."""


@quarantine.command("list")
@click.option("--all", "everything", is_flag=True, help="Accepted ones too.")
@connected
def list_entries(operator: Operator, everything: bool) -> None:
    """Show what somebody has to look at, the oldest first.

    Example: inventory-sync quarantine list
    """
    found = [one for one in operator.stack.quarantine.entries() if everything or not one.resolution]
    found.sort(key=lambda one: (one.entry.received_at, one.entry_id))
    rows = [_row(one) for one in found]
    operator.out.table("quarantine", rows, "Nothing is in quarantine.")


@quarantine.command()
@click.argument("entry_id", metavar="ID")
@connected
def show(operator: Operator, entry_id: str) -> None:
    """Show one entry with its body; the beginning of its ID is enough.

    A body that is no text is shown in base64, which is how --json has every body.

    Example: inventory-sync quarantine show 3fa9c1
    """
    one = operator.stack.quarantine.find(entry_id)
    ref, body = one.entry.ref, _body(operator, one)
    try:
        text = body.decode()
    except UnicodeDecodeError:
        text = base64.b64encode(body).decode()
    operator.out.result(
        {**_figures(one), "body_base64": base64.b64encode(body).decode()},
        f"{one.entry_id}",
        f"  {one.entry.reason}: {one.entry.detail}",
        f"  received {instant(one.entry.received_at)}"
        + (f", event {ref.event_key} of {ref.location_id}" if ref else ""),
        *([f"  resolved: {one.resolution}"] if one.resolution else []),
        "",
        *text.splitlines(),
    )


@quarantine.command()
@click.argument("entry_id", metavar="ID")
@signed
@connected
def retry(operator: Operator, entry_id: str, who: str, why: str) -> None:
    """Try an entry again, once what was wrong has been put right.

    A body goes through the webhook's own code, as if NewStore had sent it again. An event that the
    ERP refused is forwarded again by the next sweep, within five minutes. Exit code 4 where it is
    in quarantine again.

    \b
    Example: inventory-sync quarantine retry 3fa9c1 --why "the ERP knows SKU-9 now"
    """
    author = operator.author("quarantine retry", who, why)
    one = _open_entry(operator, entry_id)
    if one.entry.ref is not None and one.entry.reason in {REJECTED_BY_ERP, PUBLISHED_LONG_AGO}:
        events_table = operator.stack.resource("EventsTable")
        operator.stack.quarantine.release(one.entry_id, one.entry.ref, events_table, author)
        operator.out.result(
            {**_figures(one), "outcome": "to be forwarded again"},
            f"{_named(one)}: the next sweep forwards it again.",
        )
        return
    outcome = operator.stack.ingest(_body(operator, one))
    word = outcome.result.value + (f", {outcome.reason}" if outcome.reason else "")
    again = outcome.result is IngestResult.QUARANTINED
    if not again or outcome.reason != one.entry.reason:
        operator.stack.quarantine.resolve(one.entry_id, f"retried, {word}", author)
    operator.out.result(
        {**_figures(one), "outcome": outcome.result.value, "reason": outcome.reason},
        f"{_named(one)}: {word}" + (f": {outcome.detail}" if outcome.detail else ""),
    )
    if again:
        operator.out.found()


@quarantine.command()
@click.argument("entry_id", metavar="ID")
@signed
@connected
def drop(operator: Operator, entry_id: str, who: str, why: str) -> None:
    """Note that nothing is to be done about an entry. It stays for its retention.

    An event that the ERP refused stays open all the same: its units are taken off every import
    until the ERP has booked it.

    \b
    Example: inventory-sync quarantine drop 3fa9c1 --why "a test call of ours"
    """
    if not why.strip():
        raise refusal("--why must not be empty: it is what is left of the entry in the records")
    author = operator.author("quarantine drop", who, why)
    one = _open_entry(operator, entry_id)
    operator.stack.quarantine.resolve(one.entry_id, "dropped", author)
    operator.out.result(
        {**_figures(one), "outcome": "dropped"},
        f"{_named(one)}: dropped; it is kept until its retention ends.",
    )


def _open_entry(operator: Operator, entry_id: str) -> Quarantined:
    one = operator.stack.quarantine.find(entry_id)
    if one.resolution:
        raise refusal(f"{_named(one)} is resolved already: {one.resolution}")
    return one


def _body(operator: Operator, one: Quarantined) -> bytes:
    """Of an event that is stored, its stored body."""
    if one.entry.body:
        return one.entry.body
    if one.body_bytes or one.entry.ref is None:
        return operator.stack.quarantine.body(one.entry_id)
    return operator.stack.history.body(one.entry.ref) or b""


def _named(one: Quarantined) -> str:
    return one.entry_id[:_ID_CHARACTERS]


def _row(one: Quarantined) -> dict[str, object]:
    ref = one.entry.ref
    return {
        "id": _named(one),
        "received_at": one.entry.received_at,
        "reason": one.entry.reason,
        "location_id": ref.location_id if ref else None,
        "logical_timestamp": logical_timestamp(ref) if ref else None,
        "body_bytes": one.body_bytes,
        "detail": one.entry.detail,
        "resolution": one.resolution or None,
    }


def _figures(one: Quarantined) -> dict[str, Any]:
    ref = one.entry.ref
    return {
        "id": one.entry_id,
        "received_at": one.entry.received_at,
        "reason": one.entry.reason,
        "detail": one.entry.detail,
        "location_id": ref.location_id if ref else None,
        "event_key": ref.event_key if ref else None,
        "resolution": one.resolution or None,
    }
