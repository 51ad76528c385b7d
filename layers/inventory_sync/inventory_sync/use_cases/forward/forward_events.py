"""Forward: bring what the events say into the ERP's books, each exactly once."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from inventory_sync.domain.acknowledgements import believed
from inventory_sync.domain.cut import AppliedRule
from inventory_sync.domain.erp import Dedupe
from inventory_sync.domain.errors import RejectedError, StoreFullError
from inventory_sync.domain.events import EventRef, FulfillmentEvent, OpenEvent
from inventory_sync.domain.inbound import ClaimResult, QuarantineEntry
from inventory_sync.domain.stock import (
    Accepted,
    Acknowledgement,
    AllocationOutcome,
    Conflict,
    MovementOutcome,
    Rejection,
    StockMovement,
    TryLater,
    Unknown,
    allocation_change_of,
    movement_of,
)
from inventory_sync.domain.units import first_left_at, left_at, unit_ids
from inventory_sync.ports.erp import ErpBooks
from inventory_sync.ports.events import EventLog, Quarantine, UnitOwners
from inventory_sync.ports.mode import ModeCheck
from inventory_sync.ports.observe import Clock, Observer, RemainingSeconds
from inventory_sync.use_cases.forward.books import Books
from inventory_sync.use_cases.forward.event_trail import EventTrail
from inventory_sync.use_cases.forward.left_behind import LeftBehind

REJECTED_BY_ERP = "rejected_by_erp"
PUBLISHED_LONG_AGO = "published_long_ago"
CONFLICTING_UNIT = "conflicting_unit"
"""Why an event is in quarantine that stands in the events table."""
BATCH_EVENTS_MAX = 100
SAFETY_SECONDS = 10.0
"""No new batch is begun when the invocation has less time left."""
QUICK_SECONDS = 10.0
"""Where the ERP takes longer, a sweep goes on event by event, and what is booked is marked before
the ERP is asked for anything else."""

BOOKED_AFTER_MAX = timedelta(days=60)
"""An event that comes in later than this after it was published is booked only when a person says
so. NewStore repeats what is up to 30 days old (docs/newstore.md); who owns a unit is kept longer
than either (bootstrap/forward_events.py)."""
TOO_OLD = (
    f"published more than {BOOKED_AFTER_MAX.days} days before it came in: it may have been booked"
    " before; look in the ERP, then `quarantine retry` books it, `quarantine drop` does not"
)
WHICH_IS_RIGHT = (
    "which of the two is right nobody can tell but a person; book in the ERP by hand what left and"
    " is not booked, then `quarantine retry` books the rest of this event"
)
LOCATION_GIGABYTES_MAX = 10.0
"""What DynamoDB takes of one location's events."""
REPLAYED_AFTER = timedelta(minutes=30)
"""What came later than this after it happened may have been here before: NewStore delivers within
15 minutes, and a replayed event whose record had run out looks like a new one."""


@dataclass(frozen=True, slots=True)
class ForwardResult:
    """What became of the events: refs by outcome. `later` are to be tried again."""

    forwarded: list[EventRef] = field(default_factory=list)
    rejected: list[EventRef] = field(default_factory=list)
    later: list[EventRef] = field(default_factory=list)

    @property
    def any(self) -> bool:
        """Whether there is an outcome: an event that another writer has claimed has none."""
        return bool(self.forwarded or self.rejected or self.later)

    def add(self, other: "ForwardResult") -> None:
        """Append what became of further events."""
        self.forwarded.extend(other.forwarded)
        self.rejected.extend(other.rejected)
        self.later.extend(other.later)


@dataclass(frozen=True, slots=True)
class _Due:
    """An event and the items that its movement books; none where it needs no movement."""

    open_event: OpenEvent
    owned: frozenset[str] = frozenset()

    @property
    def event(self) -> FulfillmentEvent:
        return self.open_event.event

    @property
    def movement(self) -> StockMovement:
        """Of the items it owns: the same at every repeat."""
        return movement_of(self.event, self.owned)


@dataclass(frozen=True, slots=True)
class _Ready:
    """An event whose allocation is next; `applied` where its booking is still to be marked."""

    due: _Due
    applied: Acknowledgement | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ForwardEvents:
    """`claim` is how long a forwarder is an event's only writer: longer than a post can hang.

    A `shadow` marks what another system books, and leaves what ships from go-live on as it is.
    """

    event_log: EventLog
    owners: UnitOwners
    quarantine: Quarantine
    erp: ErpBooks
    clock: Clock
    observer: Observer
    rule: AppliedRule
    claim: timedelta
    sweep_age: timedelta
    mode_check: ModeCheck
    shadow: bool = False

    def __call__(self, events: Iterable[OpenEvent]) -> ForwardResult:
        """Forward these; an event that fails never holds up the others."""
        self.mode_check()
        waiting = [e for e in events if e.forwarded_at is None and e.rejected_reason is None]
        if self.shadow:
            waiting = [e for e in waiting if self._all_by_other_system(e.event)]
        waiting.sort(key=lambda e: e.event.ref)
        result, began = ForwardResult(), self.clock.monotonic()
        ready = self._book_movements(waiting, result)
        if not self._is_quick(began):
            self._mark_applied(ready, result)
        self._change_allocations(ready, result)
        self.observer.count("EventsForwarded", len(result.forwarded))
        self.observer.count("EventsRejected", len(result.rejected))
        self.observer.count("EventsToRetry", len(result.later))
        return result

    def sweep(self, remaining_seconds: RemainingSeconds) -> ForwardResult:
        """Forward every open event that the stream has left behind.

        Begins with one event and doubles as long as the ERP is quick: however slow it is, what it
        has booked is marked before the invocation ends, so every sweep makes progress. Events that
        are left to another writer say nothing of the ERP.
        """
        self.mode_check()
        waiting = self.left_behind()
        total, start, size = ForwardResult(), 0, 1
        while start < len(waiting):
            if remaining_seconds() < SAFETY_SECONDS:
                self.observer.log("sweep out of time", left=len(waiting) - start)
                break
            began = self.clock.monotonic()
            found = self(waiting[start : start + size])
            total.add(found)
            start += size
            if not self._is_quick(began):
                size = 1
            elif found.any:
                size = min(2 * size, BATCH_EVENTS_MAX)
        return total

    def left_behind(self) -> list[OpenEvent]:
        """What waits for the sweep; its figures are counted."""
        look = LeftBehind(
            event_log=self.event_log,
            quarantine=self.quarantine,
            clock=self.clock,
            observer=self.observer,
            sweep_age=self.sweep_age,
        )
        return look()

    @property
    def _books(self) -> Books:
        return Books(self.erp)

    def _all_by_other_system(self, event: FulfillmentEvent) -> bool:
        if not event.completed:
            return self.rule.by_other_system(event.published_at)
        return all(self.rule.by_other_system(left_at(event, item)) for item in event.items)

    def _is_quick(self, began: float) -> bool:
        return self.clock.monotonic() - began < QUICK_SECONDS

    def _book_movements(self, waiting: list[OpenEvent], result: ForwardResult) -> list[_Ready]:
        """Book what has to be booked; returns the events whose allocations are next."""
        ready: list[_Ready] = []
        to_post: list[_Due] = []
        for open_event in waiting:
            with self._held_where_full(open_event.event, result):
                if not open_event.event.completed:
                    ready.append(_Ready(_Due(open_event)))
                elif due := self._own(open_event, result):
                    if due.owned and open_event.applied_at is None:
                        self._claim(due, to_post, ready, result)
                    else:
                        ready.append(_Ready(due))
        if to_post:
            for due, outcome in zip(to_post, self._post(to_post), strict=True):
                with self._held_where_full(due.event, result):
                    self._record_outcome(due, self._certain(due, outcome), ready, result)
        return ready

    @contextmanager
    def _held_where_full(self, event: FulfillmentEvent, result: ForwardResult) -> Iterator[None]:
        """An event of which the table takes no more marks waits, alone.

        What is not marked as posted is posted again by the next sweep, so an ERP that books a
        repeat twice gets nothing before its claim is written.
        """
        try:
            yield
        except StoreFullError as error:
            self._trail.to_retry(event, "mark", f"{error}; see the runbook, Location full")
            self.observer.count("LocationGigabytes", LOCATION_GIGABYTES_MAX)
            if event.ref not in result.later:
                result.later.append(event.ref)

    def _own(self, open_event: OpenEvent, result: ForwardResult) -> _Due | None:
        """Let the event own its units before anything is posted; None where nothing is to be done.

        Events are cumulative: what an earlier one owns is not booked again.
        """
        event = open_event.event
        try:
            found = self.owners.own(event, self.clock.now())
        except RejectedError as error:
            self._reject(open_event, str(error), result)
            return None
        if found.conflict and open_event.applied_at is None and not open_event.retried:
            detail = f"{found.conflict}: {WHICH_IS_RIGHT}"
            self._reject(open_event, detail, result, CONFLICTING_UNIT)
            return None
        if len(found.owned) < len(set(unit_ids(event))) and open_event.owned is None:
            # Else an import would take off again what others have booked.
            self.event_log.mark_owned(event, found.owned)
        if not found.owned:
            self._mark_forwarded(_Ready(_Due(open_event)), result, close=not found.lowers)
            return None
        to_book = self.rule.to_book(event, found.owned)
        if to_book and open_event.applied_at is None and _too_old(open_event):
            self._reject(open_event, TOO_OLD, result, PUBLISHED_LONG_AGO)
            return None
        return _Due(open_event, to_book)

    def _claim(
        self, due: _Due, to_post: list[_Due], ready: list[_Ready], result: ForwardResult
    ) -> None:
        """Sort an event under what may be done now.

        An ERP that books a repeat twice gets one writer for each reference, and is asked before
        anything that may have been posted is posted again. What another writer has claimed is
        left to it, and to the sweep once its claim has run out.
        """
        if self.erp.capabilities().dedupe is Dedupe.NATIVE:
            to_post.append(due)
            return
        now = self.clock.now()
        match self.event_log.claim(due.event.ref, now=now, until=now + self.claim):
            case ClaimResult.FIRST if not _may_be_replayed(due.open_event):
                to_post.append(due)
            case ClaimResult.FIRST:
                booked = self._look_up(due)
                if booked is None:
                    to_post.append(due)
                else:
                    self._record_outcome(due, booked, ready, result)
            case ClaimResult.AGAIN:
                found = self._look_up(due)
                if found is None:
                    # By itself: it may be what made the ERP fail before.
                    [found] = self._post([due])
                self._record_outcome(due, found, ready, result)
            case ClaimResult.TAKEN:
                self._trail.claimed_elsewhere(due.event)

    def _certain(self, due: _Due, outcome: MovementOutcome) -> MovementOutcome:
        """After an unknown outcome look it up, then post it again where that is safe."""
        if not isinstance(outcome, Unknown):
            return outcome
        found = self._look_up(due)
        if found is not None:
            return found
        if self.erp.capabilities().dedupe is not Dedupe.NATIVE:
            return outcome
        [posted] = self._post([due])
        return posted

    def _post(self, dues: list[_Due]) -> list[MovementOutcome]:
        outcomes = self._books.post([due.movement for due in dues])
        return [self._answered(*one) for one in zip(dues, outcomes, strict=True)]

    def _answered(self, due: _Due, outcome: MovementOutcome) -> MovementOutcome:
        """After a conflict what stands under the movement id, which names the same units for ever.

        It differs where the product map or the location map has changed after an answer was lost.
        """
        if not isinstance(outcome, Conflict):
            return self._believed(due, outcome)
        found = self._look_up(due)
        return outcome if found is None or isinstance(found, Rejection) else found

    def _look_up(self, due: _Due) -> MovementOutcome | None:
        found = self._books.look_up(due.movement.movement_id)
        return None if found is None else self._believed(due, found)

    def _believed(self, due: _Due, outcome: MovementOutcome) -> MovementOutcome:
        return believed(outcome, due.open_event, self.clock.now())

    def _record_outcome(
        self, due: _Due, outcome: MovementOutcome, ready: list[_Ready], result: ForwardResult
    ) -> None:
        match outcome:
            case Acknowledgement():
                self._count_delay(due)
                ready.append(_Ready(due, outcome))
            case Rejection(reason):
                self._reject(due.open_event, reason, result)
            case TryLater(reason) | Unknown(reason):
                self._trail.to_retry(due.event, "movement", reason)
                result.later.append(due.event.ref)

    def _count_delay(self, due: _Due) -> None:
        """How long ago the first of the units that the ERP has booked left."""
        if (left := first_left_at(due.event, due.owned)) is not None:
            seconds = max(0.0, (self.clock.now() - left).total_seconds())
            self.observer.count("ShipmentToErpSeconds", seconds)

    def _mark_applied(self, ready: list[_Ready], result: ForwardResult) -> None:
        """By themselves: the invocation may end before their allocations have an outcome."""
        for found in ready:
            if found.applied is not None:
                applied, event = found.applied, found.due.event
                with self._held_where_full(event, result):
                    self.event_log.mark_applied(event.ref, applied.applied_at, applied.document_id)

    def _change_allocations(self, ready: list[_Ready], result: ForwardResult) -> None:
        """Whatever becomes of the allocation, what the ERP has booked is marked."""
        if not ready:
            return
        ours = [f for f in ready if not self.rule.by_other_system(f.due.event.published_at)]
        theirs = [f for f in ready if self.rule.by_other_system(f.due.event.published_at)]
        outcomes: list[AllocationOutcome] = [Accepted() for _ in ours]
        if ours and self.erp.capabilities().reservations:
            changes = [allocation_change_of(found.due.event) for found in ours]
            outcomes = self._books.change_allocations(changes)
        outcomes += [Accepted() for _ in theirs]
        gigabytes = 0.0
        for found, outcome in zip([*ours, *theirs], outcomes, strict=True):
            event = found.due.event
            if not isinstance(outcome, Accepted):
                self._mark_applied([found], result)
            with self._held_where_full(event, result):
                match outcome:
                    case Accepted():
                        close = not event.completed and not event.mispicked
                        gigabytes = max(gigabytes, self._mark_forwarded(found, result, close=close))
                    case Rejection(reason):
                        self._reject(found.due.open_event, reason, result)
                    case TryLater(reason):
                        self._trail.to_retry(event, "allocation", reason, found.applied)
                        result.later.append(event.ref)
        self.observer.count("LocationGigabytes", gigabytes)

    def _mark_forwarded(self, found: _Ready, result: ForwardResult, *, close: bool) -> float:
        """A completed event stays open until an import has counted it, unless it brings nothing:
        neither a unit that no other event owns, nor a lower logical timestamp for one. So does a
        mispick, until it is over.

        Returns how many gigabytes the location's events take at most.
        """
        event, now = found.due.event, self.clock.now()
        gigabytes = self.event_log.mark_forwarded(
            event.ref, now, close=close, applied=found.applied
        )
        self._trail.forwarded(event, found.applied)
        result.forwarded.append(event.ref)
        return gigabytes

    def _reject(
        self,
        open_event: OpenEvent,
        detail: str,
        result: ForwardResult,
        reason: str = REJECTED_BY_ERP,
    ) -> None:
        """Quarantine first: a crash between the two writes repeats the rejection."""
        ref = open_event.event.ref
        self.quarantine.add(
            QuarantineEntry(
                reason=reason,
                detail=detail,
                body=b"",
                received_at=open_event.received_at,
                ref=ref,
            )
        )
        self.event_log.mark_rejected(ref, detail)
        self.observer.count("EventsQuarantined")
        self._trail.rejected(open_event.event, detail)
        result.rejected.append(ref)

    @property
    def _trail(self) -> EventTrail:
        return EventTrail(self.observer)


def _may_be_replayed(open_event: OpenEvent) -> bool:
    return open_event.received_at - open_event.event.published_at > REPLAYED_AFTER


def _too_old(open_event: OpenEvent) -> bool:
    """Whether its units may have been booked so long ago that nothing here knows it any more."""
    age = open_event.received_at - open_event.event.published_at
    return age > BOOKED_AFTER_MAX and not open_event.retried
