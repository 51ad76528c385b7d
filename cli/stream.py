"""`stream`: the registration at NewStore that feeds the webhook."""

from dataclasses import asdict, dataclass
from datetime import timedelta

import click

from cli.command import Operator, connected, note_change, signed
from cli.findings import CALLS_WITHIN, failed_since_the_last_event
from cli.output import columns
from cli.rejected_events import rejected
from cli.text import instant, iso
from inventory_sync.adapters.dynamodb.stream_check_states import DynamoStreamCheckStates
from inventory_sync.domain.event_stream import EventStream, RestartRule, faults_of
from inventory_sync.domain.stream_records import (
    REJECTED_EVENTS_MAX,
    RejectedEvent,
    StreamLogEntry,
    stopped_at,
    time_left,
)
from inventory_sync.domain.wording import counted
from inventory_sync.use_cases.stream.register_stream import RegisterStream

KIND = "stream"
LOG_SHOWN_MAX = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamFound:
    """What NewStore says of the tenant's streams and of ours."""

    ours: EventStream | None
    streams: list[EventStream]
    faults: list[str]
    log: list[StreamLogEntry]
    rejected: list[RejectedEvent]
    stopped: bool


@click.group()
def stream() -> None:
    """NewStore's event stream: without it nothing here hears of a sale."""


@stream.command()
@connected
def show(operator: Operator) -> None:
    """Show the tenant's streams, what is wrong with ours, its log and its rejected events.

    Exit code 4 where something is wrong.

    Example: inventory-sync stream show
    """
    found = look_at_stream(operator)
    desk = operator.stack.stream_admin
    figures, watched = _checked(operator, found)
    failed = failed_since_the_last_event(operator, operator.now - CALLS_WITHIN)
    watched.append({"": "failed since the last event", "state": counted(failed, "attempt")})
    operator.out.report(
        {
            "stream_id": desk.stream_id,
            "event_url": desk.event_url,
            "faults": found.faults,
            "streams": [_figures(one) for one in found.streams],
            "log": [asdict(one) for one in found.log],
            "rejected_events": [
                {"id": one.rejected_id, "rejected_at": one.rejected_at} for one in found.rejected
            ],
            "failed_since_the_last_event": failed,
            **figures,
        },
        *([columns([_row(one) for one in found.streams])] if found.streams else []),
        "",
        columns(watched),
        "",
        *([columns([asdict(e) for e in found.log[:LOG_SHOWN_MAX]])] if found.log else []),
        "",
        *_concerns(desk.stream_id, found, failed),
    )
    if found.faults or found.rejected or failed:
        operator.out.found()


@stream.command()
@signed
@connected
def register(operator: Operator, who: str, why: str) -> None:
    """Have NewStore call this stack's webhook: make the registration, or mend it, and start it.

    The key is the first one of the inbound secret; it is never shown. To repeat it is harmless,
    and what to do after the key was changed: a running stream is stopped for it and started again,
    and what happened meanwhile comes then. Exit code 4 where something is still wrong.

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
    done = RegisterStream(desk.streams, operator.stack.connect)(wanted)
    faults = [fault.value for fault in faults_of(done.now, desk.event_url)]
    operator.out.result(
        {**_figures(done.now), "did": list(done.did), "faults": faults},
        f"{desk.stream_id}: {' and '.join(done.did)}; it is {done.now.status} and calls"
        f" {done.now.callback_url or wanted.callback_url}.",
        *([f"! still wrong: {', '.join(faults)}"] if faults else []),
    )
    if faults:
        operator.out.found()


def look_at_stream(operator: Operator) -> StreamFound:
    """By NewStore's answers, as they are now."""
    desk = operator.stack.stream_admin
    listed = desk.streams.streams()
    ours = next((one for one in listed if one.stream_id == desk.stream_id), None)
    return StreamFound(
        ours=ours,
        streams=listed,
        faults=[fault.value for fault in faults_of(ours, desk.event_url)],
        log=desk.records.log(desk.stream_id),
        rejected=desk.records.rejected_events(desk.stream_id),
        stopped=ours is not None and not ours.running,
    )


def _checked(
    operator: Operator, found: StreamFound
) -> tuple[dict[str, object], list[dict[str, str]]]:
    """What the stream check remembers, for scripts and for people."""
    memory = DynamoStreamCheckStates(operator.stack.state).load(
        operator.stack.stream_admin.stream_id
    )
    restarts = RestartRule().counted(memory.restarts, operator.now)
    missing = memory.arrivals.missing(operator.now)
    since = memory.stopped_since or stopped_at(found.log) if found.stopped else None
    days = time_left(since, operator.now) / timedelta(days=1)
    figures: dict[str, object] = {
        "last_look_at": memory.arrivals.looked_at,
        "last_event_at": memory.arrivals.last_at,
        "missing": round(missing, 1),
        "restarts": list(restarts),
        "stopped_since": since,
        "days_left": round(days, 1),
    }
    stopped = f"{instant(since)}, {days:.1f} days until events get lost" if since else "-"
    lines = {
        "webhook": operator.stack.stream_admin.event_url,
        "last look": instant(memory.arrivals.looked_at),
        "last event": instant(memory.arrivals.last_at),
        "usual since then": counted(missing, "event"),
        "restarts": ", ".join(map(instant, restarts)) or "none in six hours",
        "stopped since": stopped,
        "rejected events": f"{len(found.rejected)} of {REJECTED_EVENTS_MAX}",
    }
    return figures, [{"": name, "state": text} for name, text in lines.items()]


def _concerns(stream_id: str, found: StreamFound, failed: int) -> list[str]:
    concerns = []
    if found.faults:
        concerns.append(f"! {stream_id}: {', '.join(found.faults)}; see `stream register`")
    if found.rejected:
        concerns.append(
            f"! {counted(len(found.rejected), 'event')} were rejected; see `stream rejected list`"
        )
    if failed:
        concerns.append(
            f"! {counted(failed, 'attempt')} to deliver failed since the last event came: where the"
            " key was changed, see `stream register`; else see `preflight`"
        )
    return concerns or ["All well."]


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


stream.add_command(rejected)
