"""Forward: bring what the events say into the ERP's books, each exactly once."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta

from inventory_sync.domain.cut import AppliedRule
from inventory_sync.domain.erp import Dedupe
from inventory_sync.domain.events import EventRef, OpenEvent
from inventory_sync.domain.inbound import ClaimResult, QuarantineEntry
from inventory_sync.domain.stock import (
    Accepted,
    Acknowledgement,
    AllocationOutcome,
    MovementOutcome,
    Rejection,
    TryLater,
    Unknown,
    allocation_change_of,
    movement_of,
)
from inventory_sync.ports.erp import Erp
from inventory_sync.ports.events import EventLog, Quarantine
from inventory_sync.ports.observe import Clock, Observer, RemainingSeconds
from inventory_sync.use_cases.forward.event_trail import EventTrail
from inventory_sync.use_cases.forward.left_behind import LeftBehind

REJECTED_BY_ERP = "rejected_by_erp"
"""Why an event is in quarantine that stands in the events table."""
BATCH_EVENTS_MAX = 100
SAFETY_SECONDS = 10.0
"""No new batch is begun when the invocation has less time left."""


REPLAYED_AFTER = timedelta(minutes=30)
"""What came later than this after it happened may have been here before: NewStore delivers within
15 minutes, and a replayed event whose record had run out looks like a new one."""


@dataclass(frozen=True, slots=True)
class ForwardResult:
    """What became of the events: refs by outcome. `later` are to be tried again."""

    forwarded: list[EventRef] = field(default_factory=list)
    rejected: list[EventRef] = field(default_factory=list)
    later: list[EventRef] = field(default_factory=list)

    def add(self, other: "ForwardResult") -> None:
        """Append what became of further events."""
        self.forwarded.extend(other.forwarded)
        self.rejected.extend(other.rejected)
        self.later.extend(other.later)


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
        left_behind = LeftBehind(
            event_log=self.event_log,
            quarantine=self.quarantine,
            clock=self.clock,
            observer=self.observer,
            sweep_age=self.sweep_age,
        )
        waiting = left_behind()
        total = ForwardResult()
        for start in range(0, len(waiting), BATCH_EVENTS_MAX):
            if remaining_seconds() < SAFETY_SECONDS:
                self.observer.log("sweep out of time", left=len(waiting) - start)
                break
            total.add(self(waiting[start : start + BATCH_EVENTS_MAX]))
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
                self._record_outcome(open_event, certain, ready, result)
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
            case ClaimResult.FIRST if not _may_be_replayed(open_event):
                to_post.append(open_event)
            case ClaimResult.FIRST:
                booked = self.erp.look_up(movement_of(open_event.event).movement_id)
                if booked is None:
                    to_post.append(open_event)
                else:
                    self._record_outcome(open_event, booked, ready, result)
            case ClaimResult.AGAIN:
                found = self.erp.look_up(movement_of(open_event.event).movement_id)
                if found is None:
                    # By itself: it may be what made the ERP fail before.
                    movement = movement_of(open_event.event)
                    found = self.erp.post_movements([movement])[0]
                self._record_outcome(open_event, found, ready, result)
            case ClaimResult.TAKEN:
                self._trail.claimed_elsewhere(open_event.event)

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

    def _record_outcome(
        self,
        open_event: OpenEvent,
        outcome: MovementOutcome,
        ready: list[_Ready],
        result: ForwardResult,
    ) -> None:
        match outcome:
            case Acknowledgement():
                ready.append(_Ready(open_event, outcome))
            case Rejection(reason):
                self._reject(open_event, reason, result)
            case TryLater(reason) | Unknown(reason):
                self._trail.to_retry(open_event.event, "movement", reason)
                result.later.append(open_event.event.ref)

    def _change_allocations(self, ready: list[_Ready], result: ForwardResult) -> None:
        """Whatever becomes of the allocation, what the ERP has booked is noted."""
        if not ready:
            return
        outcomes: list[AllocationOutcome] = [Accepted() for _ in ready]
        if self.erp.capabilities().reservations:
            changes = [allocation_change_of(found.open_event.event) for found in ready]
            outcomes = self.erp.change_allocations(changes)
        gigabytes = 0.0
        for found, outcome in zip(ready, outcomes, strict=True):
            ref = found.open_event.event.ref
            if found.applied is not None and not isinstance(outcome, Accepted):
                applied = found.applied
                self.event_log.mark_applied(ref, applied.applied_at, applied.document_id)
            match outcome:
                case Accepted():
                    gigabytes = max(gigabytes, self._note_forwarded(found, result))
                case Rejection(reason):
                    self._reject(found.open_event, reason, result)
                case TryLater(reason):
                    event = found.open_event.event
                    self._trail.to_retry(event, "allocation", reason, found.applied)
                    result.later.append(ref)
        self.observer.count("LocationGigabytes", gigabytes)

    def _note_forwarded(self, found: _Ready, result: ForwardResult) -> float:
        """A completed event stays open until an import has released it.

        Returns how many gigabytes the location's events take at most.
        """
        event, now = found.open_event.event, self.clock.now()
        gigabytes = self.event_log.mark_forwarded(
            event.ref, now, close=not event.completed, applied=found.applied
        )
        self._trail.forwarded(event, found.applied)
        result.forwarded.append(event.ref)
        return gigabytes

    def _reject(self, open_event: OpenEvent, reason: str, result: ForwardResult) -> None:
        """Quarantine first: a crash between the two writes repeats the rejection."""
        ref = open_event.event.ref
        self.quarantine.add(
            QuarantineEntry(
                reason=REJECTED_BY_ERP,
                detail=reason,
                body=b"",
                received_at=open_event.received_at,
                ref=ref,
            )
        )
        self.event_log.mark_rejected(ref, reason)
        self.observer.count("EventsQuarantined")
        self._trail.rejected(open_event.event, reason)
        result.rejected.append(ref)

    @property
    def _trail(self) -> EventTrail:
        return EventTrail(self.observer)


def _may_be_replayed(open_event: OpenEvent) -> bool:
    return open_event.received_at - open_event.event.published_at > REPLAYED_AFTER
