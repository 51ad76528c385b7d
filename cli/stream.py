"""`stream`: the registration at NewStore that feeds the webhook."""

import click

from cli.command import Operator, connected, note_change, signed
from cli.output import columns
from cli.text import instant, iso
from inventory_sync.adapters.dynamodb.stream_check_states import DynamoStreamCheckStates
from inventory_sync.domain.event_stream import EventStream, RestartRule, faults_of
from inventory_sync.use_cases.stream.register_stream import RegisterStream

KIND = "stream"


@click.group()
def stream() -> None:
    """NewStore's event stream: without it nothing here hears of a sale."""


@stream.command()
@connected
def show(operator: Operator) -> None:
    """Show the tenant's streams, what is wrong with ours, and what the watch over it remembers.

    Exit code 4 where something is wrong.

    Example: inventory-sync stream show
    """
    desk = operator.stack.stream_admin
    listed = desk.streams.streams()
    ours = next((found for found in listed if found.stream_id == desk.stream_id), None)
    faults = [fault.value for fault in faults_of(ours, desk.event_url)]
    memory = DynamoStreamCheckStates(operator.stack.state).load(desk.stream_id)
    restarts = RestartRule().counted(memory.restarts, operator.now)
    missing = memory.arrivals.missing(operator.now)
    watched = [
        {"": "webhook", "state": desk.event_url},
        {"": "last look", "state": instant(memory.arrivals.looked_at)},
        {"": "last event", "state": instant(memory.arrivals.last_at)},
        {"": "usual since then", "state": f"{missing:.0f} events"},
        {"": "restarts", "state": ", ".join(map(instant, restarts)) or "none in six hours"},
    ]
    operator.out.report(
        {
            "stream_id": desk.stream_id,
            "event_url": desk.event_url,
            "faults": faults,
            "streams": [_figures(found) for found in listed],
            "last_look": iso(memory.arrivals.looked_at),
            "last_event": iso(memory.arrivals.last_at),
            "missing": round(missing, 1),
            "restarts": [iso(at) for at in restarts],
        },
        *([columns([_row(found) for found in listed])] if listed else []),
        "",
        columns(watched),
        "",
        f"! {desk.stream_id}: {', '.join(faults)}; see `stream register`"
        if faults
        else "All well.",
    )
    if faults:
        operator.out.found()


@stream.command()
@signed
@connected
def register(operator: Operator, who: str, why: str) -> None:
    """Have NewStore call this stack's webhook: make the registration, or mend it, and start it.

    The key is the first one of the inbound secret; it is never shown. To repeat it is harmless,
    and what to do after the key was changed. Exit code 4 where something is still wrong.

    \b
    Example: inventory-sync stream register --why "go-live"
    """
    author = operator.author("stream register", who, why)
    desk = operator.stack.stream_admin
    wanted = operator.stack.registration()
    before = desk.streams.stream(desk.stream_id)
    asked = {
        "asked_at": iso(operator.now),
        "callback_url": wanted.callback_url,
        "was": _figures(before) if before else None,
    }
    note_change(operator, KIND, desk.stream_id, asked, author)
    done = RegisterStream(desk.streams)(wanted)
    faults = [fault.value for fault in faults_of(done.now, desk.event_url)]
    operator.out.result(
        {**_figures(done.now), "did": list(done.did), "faults": faults},
        f"{desk.stream_id}: {' and '.join(done.did)}; it is {done.now.status} and calls"
        f" {done.now.callback_url or wanted.callback_url}.",
        *([f"! still wrong: {', '.join(faults)}"] if faults else []),
    )
    if faults:
        operator.out.found()


def _figures(found: EventStream) -> dict[str, object]:
    return {
        "stream_id": found.stream_id,
        "status": found.status,
        "temporary": found.temporary,
        "callback_url": found.callback_url,
        "event_filter": sorted(found.event_filter),
        "entity_filter": sorted(found.entity_filter),
    }


def _row(found: EventStream) -> dict[str, str]:
    return {
        "stream": found.stream_id,
        "status": found.status,
        "kind": "temporary" if found.temporary else "permanent",
        "calls": found.callback_url or "?",
        "events": ", ".join(sorted(found.event_filter)) or "all",
    }
