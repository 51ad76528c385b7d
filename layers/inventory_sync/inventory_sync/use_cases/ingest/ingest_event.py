"""Ingest: take what NewStore sends, once, and lose nothing of it."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from inventory_sync.domain.errors import RejectedError, StoreFullError
from inventory_sync.domain.events import EventRef, FulfillmentEvent
from inventory_sync.domain.inbound import (
    AppendResult,
    IgnoredEvent,
    MalformedEventError,
    ParseEvent,
    QuarantineEntry,
    UnstoredCompletion,
)

if TYPE_CHECKING:
    from inventory_sync.ports.events import EventLog, InboundKeys, Quarantine
    from inventory_sync.ports.observe import Clock, Observer

CONFLICTING_BODY = "conflicting_body"
LOCATION_FULL = "location_full"
"""Kept in quarantine: to answer 500 would stop the stream for all locations."""
NOT_STORABLE = "not_storable"
TOO_LARGE = "too_large"
COMPLETIONS_UNSTORED = "CompletionsUnstored"

PARSED_BYTES_MAX = 6 * 1024**2
"""Longer bodies are not parsed. AWS Lambda takes no more in one call, so only an export file has
them; ten thousand items of NewStore's take less."""


class IngestResult(StrEnum):
    """What became of a body. Each is final: a repeat changes nothing."""

    STORED = "stored"
    ALREADY_STORED = "already_stored"
    IGNORED = "ignored"
    QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True)
class IngestOutcome:
    """`reason` is one word, set where quarantined; `detail` is for people."""

    result: IngestResult
    reason: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestEvent:
    """Takes one body at a time, from whatever channel it came."""

    parse: ParseEvent
    event_log: "EventLog"
    quarantine: "Quarantine"
    clock: "Clock"
    observer: "Observer"

    def __call__(self, body: bytes) -> IngestOutcome:
        """Store, ignore or quarantine it; RetriableError or FatalError where it was not kept."""
        if len(body) > PARSED_BYTES_MAX:
            detail = f"the body has {len(body)} bytes; parsed are at most {PARSED_BYTES_MAX}"
            return self._set_aside(TOO_LARGE, detail, body, unstored=True)
        try:
            event = self.parse(body)
        except MalformedEventError as error:
            return self._set_aside(
                error.reason,
                error.detail,
                body,
                completion=error.completion,
                unstored=not error.harmless,
            )
        if isinstance(event, IgnoredEvent):
            detail = f"events named {event.name} do not concern stock"
            return IngestOutcome(IngestResult.IGNORED, detail=detail)
        return self._store(event, body)

    def _store(self, event: FulfillmentEvent, body: bytes) -> IngestOutcome:
        try:
            found = self.event_log.append(event, body, self.clock.now())
        except RejectedError as error:
            completion = UnstoredCompletion.of(event) if event.completed else None
            return self._set_aside(
                LOCATION_FULL if isinstance(error, StoreFullError) else NOT_STORABLE,
                str(error),
                body,
                ref=event.ref,
                completion=completion,
                unstored=event.completed,
            )
        match found:
            case AppendResult.APPENDED:
                self.observer.count("EventsStored")
                return IngestOutcome(IngestResult.STORED)
            case AppendResult.ALREADY_STORED:
                self.observer.count("EventsAlreadyStored")
                return IngestOutcome(IngestResult.ALREADY_STORED)
            case AppendResult.STORED_OTHERWISE:
                self.observer.count("EventsAlreadyStored")
                self.observer.log("event stored otherwise", event_ref=event.ref)
                detail = "the stored body differs in what does not count"
                return IngestOutcome(IngestResult.ALREADY_STORED, detail=detail)
            case AppendResult.CONFLICTING:
                detail = "an event with other products for these items is stored; compare the two"
                return self._set_aside(CONFLICTING_BODY, detail, body, ref=event.ref)

    def _set_aside(
        self,
        reason: str,
        detail: str,
        body: bytes,
        *,
        ref: EventRef | None = None,
        completion: UnstoredCompletion | None = None,
        unstored: bool = False,
    ) -> IngestOutcome:
        """Counted after it is kept: what the alarm announces can be found.

        `unstored` says that it reports, or may report, units that were shipped.
        """
        entry = QuarantineEntry(
            reason=reason,
            detail=detail,
            body=body,
            received_at=self.clock.now(),
            ref=ref,
            completion=completion,
        )
        self.quarantine.add(entry)
        self.observer.count("EventsQuarantined")
        if unstored:
            self.observer.count(COMPLETIONS_UNSTORED)
        self.observer.log("event quarantined", reason=reason, detail=detail, event_ref=ref)
        return IngestOutcome(IngestResult.QUARANTINED, reason, detail)


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestResources:
    """What the webhook's function is made of; `flush` writes out what the observer has counted."""

    keys: "InboundKeys"
    ingest: IngestEvent
    observer: "Observer"
    flush: Callable[[], None]
