"""Forward: bring what the events say into the ERP's books, each exactly once."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from inventory_sync.domain.cut import AppliedRule
from inventory_sync.domain.events import EventName, EventRef, OpenEvent
from inventory_sync.domain.stock import (
    Acknowledgement,
    AllocationOutcome,
    MovementOutcome,
    Rejection,
    Settled,
    TryLater,
    Unknown,
    allocation_change_of,
    movement_of,
)
from inventory_sync.ports import (
    ClaimResult,
    Clock,
    Dedupe,
    Erp,
    EventLog,
    Observer,
    Quarantine,
    QuarantineEntry,
    RemainingSeconds,
)

BATCH_EVENTS_MAX = 100
SAFETY_SECONDS = 10.0
"""No new batch is begun when the invocation has less time left."""


@dataclass(frozen=True, slots=True)
class ForwardResult:
    """What became of the events: refs by outcome. `later` are to be tried again."""

    forwarded: list[EventRef] = field(default_factory=list)
    rejected: list[EventRef] = field(default_factory=list)
    later: list[EventRef] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Ready:
    """An event whose allocation is next; `applied` where its booking is still to be noted."""

    open_event: OpenEvent
    applied: Acknowledgement | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ForwardEvents:
    """`claim` is how long a forwarder is an event's only writer: longer than a post can hang."""

    event_log: EventLog
    quarantine: Quarantine
    erp: Erp
    clock: Clock
    observer: Observer
    rule: AppliedRule
    claim: timedelta
    sweep_age: timedelta

    def __call__(self, events: Iterable[OpenEvent]) -> ForwardResult:
        """Forward these; an event that fails never holds up the others."""
        waiting = [e for e in events if e.forwarded_at is None and e.rejected_reason is None]
        waiting.sort(key=lambda e: e.event.ref)
        result = ForwardResult()
        ready = self._book_movements(waiting, result)
        self._change_allocations(ready, result)
        self.observer.count("EventsForwarded", len(result.forwarded))
        self.observer.count("EventsRejected", len(result.rejected))
        self.observer.count("EventsToRetry", len(result.later))
        return result

    def sweep(self, remaining_seconds: RemainingSeconds) -> ForwardResult:
        """Forward every open event that the stream has left behind."""
        now = self.clock.now()
        waiting = [
            e
            for e in self.event_log.open_events()
            if e.forwarded_at is None
            and e.rejected_reason is None
            and e.received_at <= now - self.sweep_age
        ]
        oldest = min((e.received_at for e in waiting), default=now)
        self.observer.count("OldestUnappliedSeconds", (now - oldest).total_seconds())
        waiting.sort(key=lambda e: (e.received_at, e.event.ref))
        total = ForwardResult()
        for start in range(0, len(waiting), BATCH_EVENTS_MAX):
            if remaining_seconds() < SAFETY_SECONDS:
                self.observer.note("sweep out of time", left=len(waiting) - start)
                break
            part = self(waiting[start : start + BATCH_EVENTS_MAX])
            total.forwarded.extend(part.forwarded)
            total.rejected.extend(part.rejected)
            total.later.extend(part.later)
        return total

    def _book_movements(self, waiting: list[OpenEvent], result: ForwardResult) -> list[_Ready]:
        """Book what has to be booked; returns the events whose allocations are next."""
        ready = [_Ready(e) for e in waiting if not self._needs_movement(e)]
        to_post: list[OpenEvent] = []
        for open_event in waiting:
            if self._needs_movement(open_event):
                self._claim(open_event, to_post, ready, result)
        if to_post:
            outcomes = self.erp.post_movements([movement_of(e.event) for e in to_post])
            for open_event, outcome in zip(to_post, outcomes, strict=True):
                certain = self._certain(open_event, outcome)
                self._settle_movement(open_event, certain, ready, result)
        return ready

    def _needs_movement(self, open_event: OpenEvent) -> bool:
        return (
            open_event.event.completed
            and open_event.applied_at is None
            and not self.rule.other_channel(open_event.event)
        )

    def _claim(
        self,
        open_event: OpenEvent,
        to_post: list[OpenEvent],
        ready: list[_Ready],
        result: ForwardResult,
    ) -> None:
        """Sort an event under what may be done now.

        An ERP that books a repeat twice gets one writer for each reference, and is asked before
        anything that may have been posted is posted again. What another writer has in hand is
        left to it, and to the sweep once its claim has run out.
        """
        if self.erp.capabilities().dedupe is Dedupe.NATIVE:
            to_post.append(open_event)
            return
        now = self.clock.now()
        match self.event_log.claim(open_event.event.ref, now=now, until=now + self.claim):
            case ClaimResult.FIRST:
                to_post.append(open_event)
            case ClaimResult.AGAIN:
                found = self.erp.look_up(movement_of(open_event.event).movement_id)
                if found is None:
                    # By itself: it may be what made the ERP fail before.
                    movement = movement_of(open_event.event)
                    found = self.erp.post_movements([movement])[0]
                self._settle_movement(open_event, found, ready, result)
            case ClaimResult.TAKEN:
                self.observer.note("movement in other hands", ref=open_event.event.ref)

    def _certain(self, open_event: OpenEvent, outcome: MovementOutcome) -> MovementOutcome:
        """After an unknown outcome look it up, then post it again where that is safe."""
        if not isinstance(outcome, Unknown):
            return outcome
        movement = movement_of(open_event.event)
        found = self.erp.look_up(movement.movement_id)
        if found is not None:
            return found
        if self.erp.capabilities().dedupe is not Dedupe.NATIVE:
            return outcome
        return self.erp.post_movements([movement])[0]

    def _settle_movement(
        self,
        open_event: OpenEvent,
        outcome: MovementOutcome,
        ready: list[_Ready],
        result: ForwardResult,
    ) -> None:
        ref = open_event.event.ref
        match outcome:
            case Acknowledgement():
                ready.append(_Ready(open_event, outcome))
            case Rejection(reason):
                self._reject(open_event, reason, result)
            case TryLater(reason) | Unknown(reason):
                self.observer.note("movement to retry", ref=ref, reason=reason)
                result.later.append(ref)

    def _change_allocations(self, ready: list[_Ready], result: ForwardResult) -> None:
        """Whatever becomes of the allocation, what the ERP has booked is noted."""
        if not ready:
            return
        outcomes: list[AllocationOutcome] = [Settled() for _ in ready]
        if self.erp.capabilities().reservations:
            changes = [allocation_change_of(found.open_event.event) for found in ready]
            outcomes = self.erp.change_allocations(changes)
        for found, outcome in zip(ready, outcomes, strict=True):
            ref = found.open_event.event.ref
            if found.applied is not None and not isinstance(outcome, Settled):
                applied = found.applied
                self.event_log.note_applied(ref, applied.applied_at, applied.document_id)
            match outcome:
                case Settled():
                    self._note_forwarded(found, self.clock.now(), result)
                case Rejection(reason):
                    self._reject(found.open_event, reason, result)
                case TryLater(reason):
                    self.observer.note("allocation to retry", ref=ref, reason=reason)
                    result.later.append(ref)

    def _note_forwarded(self, found: _Ready, now: datetime, result: ForwardResult) -> None:
        """A completed event stays open until an import has released it."""
        event = found.open_event.event
        ref = event.ref
        completed = event.name is EventName.ITEMS_COMPLETED
        self.event_log.note_forwarded(ref, now, close=not completed, applied=found.applied)
        result.forwarded.append(ref)

    def _reject(self, open_event: OpenEvent, reason: str, result: ForwardResult) -> None:
        """Quarantine first: a crash between the two writes repeats the rejection."""
        ref = open_event.event.ref
        self.quarantine.add(
            QuarantineEntry(
                reason="rejected_by_erp",
                detail=reason,
                body=b"",
                received_at=open_event.received_at,
                ref=ref,
            )
        )
        self.event_log.note_rejected(ref, reason)
        self.observer.count("EventsQuarantined", reason="rejected_by_erp")
        self.observer.note("the ERP rejected an event", ref=ref, reason=reason)
        result.rejected.append(ref)
