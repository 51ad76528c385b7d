"""What the stream has left behind, and the figures of every sweep."""

from dataclasses import dataclass
from datetime import timedelta

from inventory_sync.domain.errors import InventorySyncError
from inventory_sync.domain.events import OpenEvent
from inventory_sync.ports.events import EventLog, Quarantine
from inventory_sync.ports.observe import Clock, Observer


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftBehind:
    """`sweep_age` is the age from which an event that was not forwarded counts as left behind."""

    event_log: EventLog
    quarantine: Quarantine
    clock: Clock
    observer: Observer
    sweep_age: timedelta

    def __call__(self) -> list[OpenEvent]:
        """Those that wait, by age, from another one each minute.

        The ERP may hang on some of them: they must not come first in every sweep. Counts all that
        is open, and the quarantine.
        """
        now, in_all = self.clock.now(), 0
        waiting: list[OpenEvent] = []
        for e in self.event_log.open_events():
            in_all += 1
            waits = e.forwarded_at is None and e.rejected_reason is None
            if waits and e.received_at <= now - self.sweep_age:
                waiting.append(e)
        waiting.sort(key=lambda e: (e.received_at, e.event.ref))
        oldest = waiting[0].received_at if waiting else now
        self.observer.count("OpenEvents", in_all)
        self.observer.count("OldestUnappliedSeconds", (now - oldest).total_seconds())
        self._quarantine_unreadable()
        self._count_quarantine()
        start = int(now.timestamp()) // 60 % len(waiting) if waiting else 0
        return waiting[start:] + waiting[:start]

    def _quarantine_unreadable(self) -> None:
        """One that cannot be kept there is met again by the next sweep."""
        found = self.event_log.unreadable_events()
        self.observer.count("RecordsUnreadable", len(found))
        for event in found:
            self.observer.log("record unreadable", event_ref=event.ref, fault=event.fault)
            try:
                self.quarantine.add(event.entry(self.clock.now()))
            except InventorySyncError as error:
                self.observer.log("event not quarantined", event_ref=event.ref, error=error)

    def _count_quarantine(self) -> None:
        """A figure only: where it cannot be had the sweep goes on."""
        try:
            self.observer.count("QuarantineDepth", self.quarantine.depth())
        except InventorySyncError as error:
            self.observer.log("quarantine not counted", error=error)
