"""Ingest: take what NewStore sends, once, and lose nothing of it."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from inventory_sync.domain.errors import RejectedError
from inventory_sync.domain.events import EventRef, FulfillmentEvent
from inventory_sync.domain.inbound import (
    AppendResult,
    IgnoredEvent,
    MalformedEventError,
    ParseEvent,
    QuarantineEntry,
)

if TYPE_CHECKING:
    from inventory_sync.ports.events import EventLog, InboundKeys, Quarantine
    from inventory_sync.ports.observe import Clock, Observer

CONFLICTING_BODY = "conflicting_body"
NOT_STORABLE = "not_storable"
BODY_BYTES_MAX = 131_072
"""What leaves room for the event's own fields, twice, in a table item of 400 KB."""


class IngestResult(StrEnum):
    """What became of a body; all but the last are final, a repeat changes nothing."""

    STORED = "stored"
    ALREADY_STORED = "already_stored"
    IGNORED = "ignored"
    QUARANTINED = "quarantined"
    TOO_LARGE = "too_large"


@dataclass(frozen=True, slots=True)
class IngestOutcome:
    """`reason` is one word, set where quarantined; `detail` is for people."""

    result: IngestResult
    reason: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestEvent:
    """A longer body than `body_bytes_max` is refused."""

    parse: ParseEvent
    event_log: "EventLog"
    quarantine: "Quarantine"
    clock: "Clock"
    observer: "Observer"
    body_bytes_max: int = BODY_BYTES_MAX

    def __call__(self, body: bytes) -> IngestOutcome:
        """Store, ignore or quarantine it; RetriableError or FatalError where it was not kept."""
        if len(body) > self.body_bytes_max:
            self.observer.count("EventsTooLarge")
            self.observer.log("event too large", bytes=len(body), allowed=self.body_bytes_max)
            detail = f"the body has {len(body)} bytes, allowed are {self.body_bytes_max}"
            return IngestOutcome(IngestResult.TOO_LARGE, detail=detail)
        try:
            event = self.parse(body)
        except MalformedEventError as error:
            return self._set_aside(error.reason, error.detail, body)
        if isinstance(event, IgnoredEvent):
            detail = f"events named {event.name} do not concern stock"
            return IngestOutcome(IngestResult.IGNORED, detail=detail)
        return self._store(event, body)

    def _store(self, event: FulfillmentEvent, body: bytes) -> IngestOutcome:
        try:
            found = self.event_log.append(event, body, self.clock.now())
        except RejectedError as error:
            return self._set_aside(NOT_STORABLE, str(error), body, event.ref)
        match found:
            case AppendResult.APPENDED:
                self.observer.count("EventsStored")
                return IngestOutcome(IngestResult.STORED)
            case AppendResult.ALREADY_STORED:
                self.observer.count("EventsAlreadyStored")
                return IngestOutcome(IngestResult.ALREADY_STORED)
            case AppendResult.CONFLICTING:
                detail = "another body is stored under this event's key; compare the two"
                return self._set_aside(CONFLICTING_BODY, detail, body, event.ref)

    def _set_aside(
        self, reason: str, detail: str, body: bytes, ref: EventRef | None = None
    ) -> IngestOutcome:
        """Counted after it is kept: what the alarm announces can be found."""
        self.quarantine.add(
            QuarantineEntry(
                reason=reason, detail=detail, body=body, received_at=self.clock.now(), ref=ref
            )
        )
        self.observer.count("EventsQuarantined")
        self.observer.log("event quarantined", reason=reason, detail=detail, event_ref=ref)
        return IngestOutcome(IngestResult.QUARANTINED, reason, detail)


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestResources:
    """What the webhook's function is made of; `flush` writes out what the observer has counted."""

    keys: "InboundKeys"
    ingest: IngestEvent
    observer: "Observer"
    flush: Callable[[], None]
