"""`events`: what NewStore sent, and how far each has come."""

from collections.abc import Iterator
from itertools import islice

import click

from cli.command import Operator, connected
from cli.output import refusal
from cli.text import short_name
from inventory_sync.domain.events import StoredEvent


@click.command()
@click.argument("location", required=False)
@click.option("--open", "only_open", is_flag=True, help="Only events that are not done with.")
@click.option("--unapplied", is_flag=True, help="Only completed events the ERP has not booked.")
@click.option("--rejected", is_flag=True, help="Only events that the ERP refused.")
@click.option("--product", help="Only events of this product.")
@click.option("--from", "first", default=0, type=click.IntRange(0), help="Logical timestamp.")
@click.option("--to", "last", type=click.IntRange(0), help="Logical timestamp, inclusive.")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 1_000_000))
@connected
def events(
    operator: Operator,
    location: str | None,
    only_open: bool,
    unapplied: bool,
    rejected: bool,
    product: str | None,
    first: int,
    last: int | None,
    limit: int,
) -> None:
    """List events of LOCATION by logical timestamp, open ones and history.

    Without a LOCATION one of --open, --unapplied and --rejected is needed: open events of all.

    Example: inventory-sync events DC01 --from 10 --to 20
    """
    if location is None and not (only_open or unapplied or rejected):
        raise refusal("name a LOCATION, or ask for --open, --unapplied or --rejected events")
    found = (
        stored
        for stored in _read(operator, location, first, last)
        if (not only_open or stored.is_open)
        and (not unapplied or (stored.state.event.completed and stored.state.applied_at is None))
        and (not rejected or stored.state.rejected_reason is not None)
        and (product is None or product in stored.state.event.units())
    )
    rows = [_row(stored) for stored in islice(found, limit)]
    operator.out.table("events", rows, "There is no such event.")


def _read(
    operator: Operator, location: str | None, first: int, last: int | None
) -> Iterator[StoredEvent]:
    if location is not None:
        yield from operator.stack.history.of_location(location, first=first, last=last)
        return
    for state in operator.stack.event_log.open_events():
        at = state.event.logical_timestamp
        if first <= at and (last is None or at <= last):
            yield StoredEvent(state=state, is_open=True)


def _row(stored: StoredEvent) -> dict[str, object]:
    state, event = stored.state, stored.state.event
    return {
        "location_id": event.location_id,
        "logical_timestamp": event.logical_timestamp,
        "name": short_name(event),
        "fulfillment_request_id": event.fulfillment_request_id,
        "units": dict(sorted(event.units().items())),
        "published_at": event.published_at,
        "received_at": state.received_at,
        "acknowledged_at": state.applied_at,
        "document_id": stored.document_id or None,
        "counted_by": state.counted_by or None,
        "state": "open" if stored.is_open else "done",
        "rejected": state.rejected_reason,
    }
