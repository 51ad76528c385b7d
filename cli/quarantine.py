"""`quarantine`: what was taken but could not be used, until somebody has dealt with it."""

import base64
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import click

from cli.command import Operator, connected, signed
from cli.output import refusal
from cli.stack import INGEST_FUNCTION
from cli.text import INSTANT, instant, iso
from inventory_sync.adapters.dynamodb.quarantine_review import Quarantined
from inventory_sync.adapters.newstore.event_body import UNPARSABLE, parse_event
from inventory_sync.domain.acknowledgements import believed
from inventory_sync.domain.errors import RejectedError
from inventory_sync.domain.events import EventRef, logical_timestamp
from inventory_sync.domain.inbound import (
    MalformedEventError,
    UnstoredCompletion,
    short_entry_id,
)
from inventory_sync.domain.stock import Acknowledgement, Unknown
from inventory_sync.domain.unreadable import UNREADABLE_RECORD
from inventory_sync.use_cases.forward.forward_events import (
    CONFLICTING_UNIT,
    PUBLISHED_LONG_AGO,
    REJECTED_BY_ERP,
)
from inventory_sync.use_cases.ingest.ingest_event import IngestResult

OF_STORED_EVENTS = frozenset({REJECTED_BY_ERP, PUBLISHED_LONG_AGO, CONFLICTING_UNIT})
"""Reasons of entries whose event is stored, and waits for a person."""


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
    unstored = {one.entry_id: one.completion for one in operator.stack.unstored.unresolved()}
    rows = [_row(one, unstored.get(one.entry_id)) for one in found]
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
    ref, body = one.entry.ref, body_of(operator, one)
    try:
        text = body.decode()
    except UnicodeDecodeError:
        text = base64.b64encode(body).decode()
    operator.out.result(
        {**figures_of(one), "body_base64": base64.b64encode(body).decode()},
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
    ERP refused is forwarded again by the next sweep, within five minutes. An `unreadable_record`
    is resolved once its item in the events table has been put right; until then it is refused, with
    what to do. Exit code 4 where it is in quarantine again.

    \b
    Example: inventory-sync quarantine retry 3fa9c1 --why "the ERP knows SKU-9 now"
    """
    author = operator.author("quarantine retry", who, why)
    one = open_entry(operator, entry_id)
    if one.entry.ref is not None and one.entry.reason in OF_STORED_EVENTS:
        events_table = operator.stack.resource("EventsTable")
        operator.stack.quarantine.release(one.entry_id, one.entry.ref, events_table, author)
        operator.out.result(
            {**figures_of(one), "outcome": "to be forwarded again"},
            f"{named(one)}: the next sweep forwards it again.",
        )
        return
    if one.entry.ref is not None and one.entry.reason == UNREADABLE_RECORD:
        if not _readable_by_now(operator, one.entry.ref):
            raise refusal(_still_unreadable(one, one.entry.ref))
        operator.stack.quarantine.resolve(one.entry_id, "its event can be read again", author)
        operator.out.result(
            {**figures_of(one), "outcome": "to be forwarded again"},
            f"{named(one)}: its event can be read again, and the next sweep forwards it.",
        )
        return
    outcome = operator.stack.ingest(body_of(operator, one))
    word = outcome.result.value + (f", {outcome.reason}" if outcome.reason else "")
    again = outcome.result is IngestResult.QUARANTINED
    if not again or outcome.reason != one.entry.reason:
        operator.stack.quarantine.resolve(one.entry_id, f"retried, {word}", author)
    operator.out.result(
        {**figures_of(one), "outcome": outcome.result.value, "reason": outcome.reason},
        f"{named(one)}: {word}" + (f": {outcome.detail}" if outcome.detail else ""),
    )
    if again:
        operator.out.found()


@quarantine.command()
@click.argument("entry_id", metavar="ID")
@click.option(
    "--applied-at",
    type=INSTANT,
    help="Of an event that the ERP refused: from when on the ERP's stock is right without it.",
)
@signed
@connected
def resolve(
    operator: Operator, entry_id: str, applied_at: datetime | None, who: str, why: str
) -> None:
    """Note that an entry is dealt with. It stays for its retention.

    Where it reports units that were shipped, imports go on as if they had not: the ERP has to have
    them booked. An event that the ERP refused is not sent to it any more, and needs --applied-at:
    when its units were booked by hand, or when it was published if they never have to be. Stock
    that was read before that moment is imported without them. An `unreadable_record`, an event that
    is stored and cannot be read, is closed, so that imports count it no more; one that was put
    right goes on.

    \b
    Example: inventory-sync quarantine resolve 3fa9c1 --why "a test call of ours"
    """
    if not why.strip():
        raise refusal("--why must not be empty: it is what is left of the entry in the records")
    author = operator.author("quarantine resolve", who, why)
    one = open_entry(operator, entry_id)
    ref = one.entry.ref
    if ref is not None and one.entry.reason in OF_STORED_EVENTS:
        at = _applied_at(operator, one, ref, applied_at)
        events_table = operator.stack.resource("EventsTable")
        operator.stack.quarantine.apply(one.entry_id, ref, events_table, at, author)
    elif applied_at is not None:
        raise refusal(f"--applied-at is for an event that the ERP refused, not {one.entry.reason}")
    elif (
        ref is not None
        and one.entry.reason == UNREADABLE_RECORD
        and not _readable_by_now(operator, ref)
    ):
        events_table = operator.stack.resource("EventsTable")
        operator.stack.quarantine.close(one.entry_id, ref, events_table, author)
    else:
        operator.stack.quarantine.resolve(one.entry_id, "resolved", author)
    operator.out.result(
        {**figures_of(one), "outcome": "resolved"},
        f"{named(one)}: resolved; it is kept until its retention ends.",
    )


def _applied_at(
    operator: Operator, one: Quarantined, ref: EventRef, at: datetime | None
) -> datetime:
    """RefusedError where nobody has said when, or it cannot be."""
    state = operator.stack.history.event(ref)
    if state is None:
        raise refusal(f"{named(one)}: its event is gone; its retention is over")
    published_at = state.state.event.published_at
    if at is None:
        raise refusal(
            f"{named(one)} is an event that the ERP refused: its units are taken off every import."
            f" `quarantine retry {named(one)}` once the ERP takes it; or, once they are booked"
            f" there by hand, `quarantine resolve {named(one)} --applied-at INSTANT`; with"
            f" {iso(published_at)}, when it was published, if they never have to be"
        )
    if isinstance(believed(Acknowledgement(at, ""), state.state, operator.now), Unknown):
        raise refusal(
            f"--applied-at {iso(at)} must lie between {iso(published_at)}, when NewStore published"
            " the event, and now"
        )
    return at


def _readable_by_now(operator: Operator, ref: EventRef) -> bool:
    """Whether somebody has put the stored event right."""
    try:
        return operator.stack.history.event(ref) is not None
    except RejectedError:
        return False


def _still_unreadable(one: Quarantined, ref: EventRef) -> str:
    return (
        f"{named(one)} is an event that is stored and cannot be read, so trying it again changes"
        f" nothing. Put its item right in the events table (location_id {ref.location_id!r},"
        f" event_key {ref.event_key!r}) and retry; or book its units in the ERP by hand, then"
        f" `quarantine resolve {named(one)} --why ...`, which closes the event."
        f" What is wrong: {one.entry.detail}"
    )


def open_entry(operator: Operator, entry_id: str) -> Quarantined:
    """RefusedError where somebody has resolved it."""
    one = operator.stack.quarantine.find(entry_id)
    if one.resolution:
        raise refusal(f"{named(one)} is resolved already: {one.resolution}")
    return one


def body_of(operator: Operator, one: Quarantined) -> bytes:
    """Of an event that is stored, its stored body."""
    if one.entry.body:
        return one.entry.body
    if one.body_bytes or one.entry.ref is None:
        return operator.stack.quarantine.body(one.entry_id)
    return operator.stack.history.body(one.entry.ref) or b""


def named(one: Quarantined) -> str:
    """As much of its id as people are shown."""
    return short_entry_id(one.entry_id)


def bodies_that_say_nothing(
    operator: Operator, waiting: Iterable[Quarantined]
) -> list[Quarantined]:
    """Those of which nothing can be read, the oldest first: each may report a shipment."""
    unparsable = [one for one in waiting if one.entry.reason == UNPARSABLE]
    if not unparsable:
        return []
    tenant = operator.stack.variables(INGEST_FUNCTION).get("NEWSTORE_TENANT", "")
    found = [one for one in unparsable if _says_nothing(one, tenant)]
    return sorted(found, key=lambda one: one.entry.received_at)


def _says_nothing(one: Quarantined, tenant: str) -> bool:
    """One that is large is not read for this: it counts."""
    try:
        parse_event(one.entry.body, tenant)
    except MalformedEventError as error:
        return error.completion is None and not error.harmless
    return False


def _row(one: Quarantined, unstored: UnstoredCompletion | None) -> dict[str, object]:
    """Location and event as far as the body says them."""
    ref = one.entry.ref
    location_id, at = (ref.location_id, logical_timestamp(ref)) if ref else ("", None)
    if unstored:
        location_id, at = unstored.location_id, unstored.logical_timestamp
    return {
        "id": named(one),
        "received_at": one.entry.received_at,
        "reason": one.entry.reason,
        "location_id": location_id or None,
        "logical_timestamp": at,
        "body_bytes": one.body_bytes,
        "detail": one.entry.detail,
        "resolution": one.resolution or None,
    }


def figures_of(one: Quarantined) -> dict[str, Any]:
    """For scripts."""
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
