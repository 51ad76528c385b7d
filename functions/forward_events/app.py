"""Forward: called by the events table's stream, and by a schedule with {"sweep": true}."""

from collections.abc import Mapping
from dataclasses import dataclass

from inventory_sync.adapters.dynamodb.event_log import NOT_OURS, read_open_event
from inventory_sync.bootstrap.forward_events import forward_events
from inventory_sync.bootstrap.handler import (
    Answer,
    Event,
    Handler,
    Make,
    SecondsLeft,
    handler_of,
)
from inventory_sync.bootstrap.runtime import in_lambda
from inventory_sync.domain.errors import InventorySyncError
from inventory_sync.domain.events import EventRef, OpenEvent
from inventory_sync.observability import PowertoolsObserver
from inventory_sync.use_cases.forward.forward_events import ForwardEvents


@dataclass(frozen=True, slots=True)
class Batch:
    """Events of a stream batch, and the sequence number under which each is reported."""

    events: tuple[OpenEvent, ...]
    sequence_numbers: Mapping[EventRef, str]
    unreadable: tuple[str, ...]


def build_handler(make: Make[ForwardEvents]) -> Handler:
    """The handler over whatever `make` gives."""
    return handler_of(make, _sweep_or_forward)


def _sweep_or_forward(
    forward: ForwardEvents, observer: PowertoolsObserver, event: Event, seconds_left: SecondsLeft
) -> Answer:
    if event.get("sweep"):
        return _sweep(forward, seconds_left)
    return _forward(forward, observer, read_batch(event))


def _sweep(forward: ForwardEvents, seconds_left: SecondsLeft) -> Answer:
    swept = forward.sweep(seconds_left)
    return {
        "forwarded": len(swept.forwarded),
        "rejected": len(swept.rejected),
        "later": len(swept.later),
    }


def _forward(forward: ForwardEvents, observer: PowertoolsObserver, batch: Batch) -> Answer:
    """Lambda repeats the batch from the lowest record named here on: repeats are harmless."""
    failed = list(batch.unreadable)
    try:
        result = forward(batch.events)
        failed += [batch.sequence_numbers[ref] for ref in result.later]
    except InventorySyncError as error:
        observer.failure(error)
        failed += batch.sequence_numbers.values()
    return {"batchItemFailures": [{"itemIdentifier": number} for number in sorted(failed)]}


def read_batch(event: Event) -> Batch:
    """The new events among a stream's records; other changes of the table concern nobody."""
    events: list[OpenEvent] = []
    numbers: dict[EventRef, str] = {}
    unreadable: list[str] = []
    for record in event.get("Records", ()):
        if record.get("eventName") != "INSERT":
            continue
        number = record["dynamodb"]["SequenceNumber"]
        try:
            open_event = read_open_event(record["dynamodb"]["NewImage"])
        except NOT_OURS:
            unreadable.append(number)
            continue
        events.append(open_event)
        numbers[open_event.event.ref] = number
    return Batch(tuple(events), numbers, tuple(unreadable))


lambda_handler = build_handler(in_lambda(forward_events))
