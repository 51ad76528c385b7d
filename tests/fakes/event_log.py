"""The events table in memory."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from inventory_sync.adapters.dynamodb.event_log import (
    NOTE_BYTES_MAX,
    event_item,
    refuse_oversized,
    same_content,
)
from inventory_sync.adapters.dynamodb.item_size import shortened
from inventory_sync.adapters.s3.event_bodies import body_attributes
from inventory_sync.domain.errors import FatalError, InventorySyncError, StoreFullError
from inventory_sync.domain.events import EventRef, FulfillmentEvent, OpenEvent
from inventory_sync.domain.inbound import AppendResult, ClaimResult, same_event
from inventory_sync.domain.stock import Acknowledgement
from inventory_sync.domain.unreadable import UnreadableEvent


@dataclass
class _Record:
    state: OpenEvent
    body: bytes
    open: bool = True
    attempts: int = 0
    claim_until: datetime | None = None
    document_id: str | None = None


class FakeEventLog:
    """Nothing expires. Set `fails_with` to have the next calls fail before they change anything.

    `gigabytes` is what it says a location's events take; of locations in `full` it takes no more.
    """

    def __init__(self) -> None:
        self.gigabytes: dict[str, float] = {}
        self.full: set[str] = set()
        self._records: dict[EventRef, _Record] = {}
        self._spoilt: dict[EventRef, datetime] = {}
        self.fails_with: InventorySyncError | None = None

    def append(self, event: FulfillmentEvent, body: bytes, received_at: datetime) -> AppendResult:
        refuse_oversized(event_item(event, body_attributes(body), received_at, received_at))
        self._reach(event.ref)
        stored = self._records.get(event.ref)
        if stored is not None:
            if not same_event(stored.state.event, event):
                return AppendResult.CONFLICTING
            same = same_content(stored.body, body)
            return AppendResult.ALREADY_STORED if same else AppendResult.STORED_OTHERWISE
        state = OpenEvent(event=event, received_at=received_at)
        self._records[event.ref] = _Record(state, bytes(body))
        return AppendResult.APPENDED

    def has(self, ref: EventRef) -> bool:
        self._reach()
        _refuse_as_key(ref)
        return ref in self._records

    def open_events(self) -> Iterator[OpenEvent]:
        """By ref; what happens while it is read does not disturb it."""
        self._reach()
        refs = [ref for ref, record in self._records.items() if record.open]
        refs.sort(key=lambda ref: (ref.location_id, ref.event_key))  # by far quicker than `<`
        return iter([self._records[ref].state for ref in refs])

    def unreadable_events(self) -> tuple[UnreadableEvent, ...]:
        return tuple(UnreadableEvent(ref, "spoilt", at) for ref, at in sorted(self._spoilt.items()))

    def spoil(self, ref: EventRef) -> None:
        """The event cannot be read any more."""
        self._spoilt[ref] = self._records.pop(ref).state.received_at

    def open_events_of(self, location_id: str) -> list[OpenEvent]:
        return [e for e in self.open_events() if e.event.location_id == location_id]

    def claim(self, ref: EventRef, *, now: datetime, until: datetime) -> ClaimResult:
        self._reach(ref)
        record = self._records.get(ref)
        if record is None or record.state.applied_at or record.state.forwarded_at:
            return ClaimResult.TAKEN
        if record.claim_until is not None and record.claim_until > now:
            return ClaimResult.TAKEN
        record.claim_until = until
        record.attempts += 1
        return ClaimResult.FIRST if record.attempts == 1 else ClaimResult.AGAIN

    def mark_owned(self, event: FulfillmentEvent, owned: frozenset[str]) -> None:
        self._reach(event.ref)
        if (record := self._records.get(event.ref)) is not None:
            record.state = replace(record.state, owned=owned)

    def mark_applied(self, ref: EventRef, applied_at: datetime, document_id: str) -> None:
        self._reach(ref)
        self._apply(ref, applied_at, document_id)

    def _apply(self, ref: EventRef, applied_at: datetime, document_id: str) -> None:
        if (record := self._records.get(ref)) is None:
            return
        first = record.state.applied_at or applied_at
        record.document_id = record.document_id or shortened(document_id, NOTE_BYTES_MAX)
        record.state = replace(
            record.state, applied_at=first, rejected_reason=None, owned=_owned(record.state)
        )

    def mark_forwarded(
        self,
        ref: EventRef,
        forwarded_at: datetime,
        *,
        close: bool,
        applied: Acknowledgement | None = None,
    ) -> float:
        self._reach(ref)
        if applied is not None:
            self._apply(ref, applied.applied_at, applied.document_id)
        if (record := self._records.get(ref)) is None:
            return 0.0
        first = record.state.forwarded_at or forwarded_at
        record.state = replace(record.state, forwarded_at=first, owned=_owned(record.state))
        record.open = record.open and not close
        return self.gigabytes.get(ref.location_id, 0.0)

    def mark_rejected(self, ref: EventRef, reason: str) -> None:
        self._reach(ref)
        if (record := self._records.get(ref)) is not None:
            stored = shortened(reason, NOTE_BYTES_MAX)
            record.state = replace(record.state, rejected_reason=stored)

    def mark_counted(self, ref: EventRef, run_id: str) -> None:
        self._reach(ref)
        if (record := self._records.get(ref)) is not None:
            first = record.state.counted_by or run_id
            record.state = replace(record.state, counted_by=first)

    def close(self, ref: EventRef) -> None:
        self._reach(ref)
        if (record := self._records.get(ref)) is not None:
            record.open = False

    # For tests: what a store of this kind holds besides what the port shows.

    def forget(self, ref: EventRef) -> None:
        """Its retention is over."""
        del self._records[ref]

    def refs(self) -> list[EventRef]:
        """Of everything stored, open or closed."""
        return sorted(self._records)

    def is_claimed(self, ref: EventRef, now: datetime) -> bool:
        """Whether a forwarder's claim of it has not run out."""
        until = self._records[ref].claim_until
        return until is not None and until > now

    def body_of(self, ref: EventRef) -> bytes | None:
        """What came, byte for byte; None where nothing is stored."""
        record = self._records.get(ref)
        return record.body if record else None

    def state_of(self, ref: EventRef) -> OpenEvent | None:
        """What is known about an event, open or closed."""
        record = self._records.get(ref)
        return record.state if record else None

    def record_of(self, ref: EventRef) -> "_Record | None":
        """All that is stored of an event."""
        return self._records.get(ref)

    def is_open(self, ref: EventRef) -> bool:
        record = self._records.get(ref)
        return record is not None and record.open

    def _reach(self, marked: EventRef | None = None) -> None:
        if self.fails_with is not None:
            raise self.fails_with
        if marked is not None:
            _refuse_as_key(marked)
        if marked is not None and marked.location_id in self.full:
            raise StoreFullError("the location has the 10 GB that DynamoDB takes")


def _refuse_as_key(ref: EventRef) -> None:
    """What DynamoDB takes for no key: an empty text, or one that is too long."""
    partition, sort = len(ref.location_id.encode()), len(ref.event_key.encode())
    if not (1 <= partition <= 2048 and 1 <= sort <= 1024):
        raise FatalError("events table: ValidationException")


def _owned(state: OpenEvent) -> frozenset[str]:
    """What it owns once it is done: all, unless it was marked before."""
    every = frozenset(item.item_id for item in state.event.items)
    return every if state.owned is None else state.owned
