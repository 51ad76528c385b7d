"""Finalize: mark and close the events of a run that has finished; may be repeated."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from inventory_sync.domain.errors import StoreFullError
from inventory_sync.domain.events import EventRef, OpenEvent
from inventory_sync.domain.import_run import ImportRun
from inventory_sync.domain.manifest import Basis
from inventory_sync.domain.units import first_left_at
from inventory_sync.ports.events import EventLog
from inventory_sync.ports.files import FileStore
from inventory_sync.ports.locations import LocationStore
from inventory_sync.ports.observe import Observer


@dataclass(frozen=True, slots=True, kw_only=True)
class FinalizeRun:
    """`time_for_more` is asked before each event; it keeps the lease too."""

    event_log: EventLog
    files: FileStore
    location_store: LocationStore
    observer: Observer
    time_for_more: Callable[[], bool]
    go_live_at: datetime | None = None

    def __call__(self, run: ImportRun) -> bool:
        """False when time ran out; what was done stays done, and may be done again."""
        if not self._mark_events(run):
            return False
        self._use_approvals(run)
        self._end_resends(run)
        return True

    def _mark_events(self, run: ImportRun) -> bool:
        finalization = self.files.finalization(run.run_id)
        closed = {EventRef(*pair) for pair in finalization.closed}
        to_note = {EventRef(*pair) for pair in finalization.counted} - closed
        for open_event in list(self.event_log.open_events()):
            if not self.time_for_more():
                return False
            ref = open_event.event.ref
            try:
                if ref in closed:
                    self.event_log.close(ref)
                elif ref in to_note and open_event.counted_by is None:
                    self.event_log.mark_counted(ref, run.run_id)
                else:
                    continue
            except StoreFullError as error:
                # The next run counts it once more: what the ERP had applied changes no quantity.
                self.observer.log("event not marked", event_ref=ref, reason=str(error))
                continue
            self._log_counted(run, open_event, closed=ref in closed)
            self._count_delay(run, open_event)
        return True

    def _count_delay(self, run: ImportRun, found: OpenEvent) -> None:
        """How long after the first of its units left NewStore had what the run says of them."""
        event = found.event
        if not event.completed or found.counted_by is not None or run.ended_at is None:
            return
        own = frozenset(i.item_id for i in event.items) if found.owned is None else found.owned
        if (left := first_left_at(event, own, self.go_live_at)) is not None:
            seconds = max(0.0, (run.ended_at - left).total_seconds())
            self.observer.count("ShipmentToNewStoreSeconds", seconds)

    def _log_counted(self, run: ImportRun, found: OpenEvent, *, closed: bool) -> None:
        """The link from an event to this run and its job; an earlier run may have counted it."""
        self.observer.log(
            "event closed" if closed else "event counted",
            event_ref=found.event.ref,
            run_id=run.run_id,
            job_id=run.job_id,
            counted_by=found.counted_by or run.run_id,
        )

    def _use_approvals(self, run: ImportRun) -> None:
        """Those for one import; one that was given since the run was planned is for another."""
        given = self.location_store.approvals() if run.approvals else {}
        for location_id in run.approvals:
            for approval in given.get(location_id, ()):
                if approval.until is None and approval.at <= run.planned_at:
                    self.location_store.use_approval(approval, run.run_id)

    def _end_resends(self, run: ImportRun) -> None:
        """Where a location's stock was not read the request waits for a run that reads it."""
        resends = self.location_store.resends()
        locations = self.files.manifest(run.run_id).locations if resends else {}
        for location_id, resend in resends.items():
            entry = locations.get(location_id)
            read = entry is not None and entry.basis is Basis.SNAPSHOT
            if read and resend.at <= run.planned_at:
                self.location_store.resend_done(resend)
