"""Set the watermark: move it back, so that the next import releases from there once more."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from inventory_sync.domain.errors import RejectedError
from inventory_sync.domain.events import FulfillmentEvent
from inventory_sync.domain.import_head import ImportHead
from inventory_sync.ports.events import EventLog
from inventory_sync.ports.observe import Clock
from inventory_sync.ports.runs import Leases, RunHistory, RunStore

LEASE = timedelta(minutes=3)
SHOW_WINDOW = timedelta(minutes=15)
"""What NewStore lists as finished may take so long to have its effect."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watermark:
    """It can be moved back to `lowest` and no further: `because` is the event that stands there."""

    value: int
    lowest: int
    because: FulfillmentEvent | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetWatermark:
    """Only ever moves it back: imports move it forward by themselves.

    The next range then starts there, and its end may lie below what is released already. Released
    twice is released once; but the sum adds back what the ERP has applied after the cut end, as if
    NewStore still had it to release. So no open event that NewStore may have released is left
    above the watermark: those that are closed are in no sum any more.
    """

    runs: RunStore
    leases: Leases
    event_log: EventLog
    history: RunHistory
    clock: Clock

    def show(self) -> Watermark | None:
        """None before the first finished import."""
        value = self.runs.head().watermark
        return None if value is None else self._watermark(value)

    def __call__(self, value: int) -> Watermark:
        """What it was; RejectedError where it cannot be set so, with what to do."""
        now = self.clock.now()
        lease = self.leases.acquire(now=now, until=now + LEASE)
        if lease is None:
            raise RejectedError("an import tick is at work; try again in a minute")
        try:
            head = self.runs.head()
            before = self._checked(head, value)
            self.runs.save(replace(head, watermark=value), lease=lease, now=self.clock.now())
        finally:
            self.leases.release(lease)
        return before

    def _checked(self, head: ImportHead, value: int) -> Watermark:
        if head.run is not None and not head.run.ended:
            raise RejectedError(
                f"run {head.run.run_id} is {head.run.state}; wait until it has ended: `run last`"
            )
        if head.watermark is None:
            raise RejectedError(
                "no import has finished: the first range starts at FIRST_LOGICAL_TIMESTAMP"
            )
        if head.unfinished_run_id is not None and not head.refused_again:
            raise RejectedError(
                f"rows of run {head.unfinished_run_id} are to be sent again;"
                " wait until the next import has finished"
            )
        if value >= head.watermark:
            raise RejectedError(
                f"it stands at {head.watermark}: imports alone move it forward, past events"
                " whose settle window is over"
            )
        found = self._watermark(head.watermark)
        if value < found.lowest and found.because is not None:
            raise RejectedError(
                f"event {found.lowest} of {found.because.location_id} is open and may be released"
                f" already: {found.lowest} is as far back as it can go until the event is done"
            )
        return found

    def _watermark(self, value: int) -> Watermark:
        released_before = self._released_before()
        doubtful = [
            e.event
            for e in self.event_log.open_events()
            if e.event.completed
            and e.event.logical_timestamp <= value
            and (e.counted_by is not None or _before(e.event, released_before))
        ]
        because = max(doubtful, key=lambda e: (e.logical_timestamp, e.ref), default=None)
        return Watermark(
            value=value, lowest=because.logical_timestamp if because else 0, because=because
        )

    def _released_before(self) -> datetime | None:
        """What was published until then may be released: when the last job ended, and a while."""
        for run in self.history.newest_first():
            if run.job_id:
                return (run.ended_at or run.planned_at) + SHOW_WINDOW
        return None


def _before(event: FulfillmentEvent, released_before: datetime | None) -> bool:
    return released_before is not None and event.published_at < released_before
