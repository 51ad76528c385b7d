"""Explain: where a quantity at NewStore comes from, and what has happened since."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from inventory_sync.domain.errors import RejectedError
from inventory_sync.domain.events import OpenEvent, StoredEvent
from inventory_sync.domain.explain import RowSum, row_sum
from inventory_sync.domain.import_run import ImportRun, RunState
from inventory_sync.domain.manifest import Ledger
from inventory_sync.domain.mispick import MispickRule
from inventory_sync.domain.run_record import LocationRecord
from inventory_sync.ports.events import EventHistory, EventLog
from inventory_sync.ports.files import FileStore, RunRecords
from inventory_sync.ports.runs import RunHistory

SINCE_MAX = 500
RUNS_BACK_MAX = 50_000
"""Half a year of runs every five minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """`run` is the finished import that last sent the row; `later` are those planned after it.

    `later` and `since` are by time and go up to the moment that was asked for. `since` are events
    of the product that the row's sum does not have. `mispicks` say that units of it were not found,
    and are in force.
    """

    location_id: str
    product_id: str
    run: ImportRun
    row: RowSum
    later: tuple[ImportRun, ...]
    since: tuple[StoredEvent, ...]
    mispicks: tuple[OpenEvent, ...] = ()

    @property
    def told(self) -> int:
        """What NewStore was told: less than the sum where the run knew of a mispick."""
        known = [e.event for e in self.mispicks if e.received_at <= self.run.planned_at]
        failed = sum(event.mispicked.count(self.product_id) for event in known)
        return MispickRule().sent(self.row.quantity, failed) if failed else self.row.sent


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainQuantity:
    """Reads only what runs have left behind and the events table: changes nothing."""

    runs: RunHistory
    files: FileStore
    records: RunRecords
    event_log: EventLog
    history: EventHistory

    def __call__(
        self, location_id: str, product_id: str, at: datetime | None = None
    ) -> Explanation:
        """As of now, or of `at`; RejectedError where no import on record has sent the row."""
        later: list[ImportRun] = []
        for run in islice(self._until(at), RUNS_BACK_MAX):
            ledger = self._ledger_that_sent(run, location_id, product_id, at)
            if ledger is not None:
                record = self._record(run.run_id, location_id)
                return Explanation(
                    location_id=location_id,
                    product_id=product_id,
                    run=run,
                    row=row_sum(product_id, ledger, record),
                    later=tuple(reversed(later)),
                    since=self._since(location_id, product_id, run, record, at),
                    mispicks=self._mispicks(ledger, product_id, at),
                )
            later.append(run)
        when = f" by {at:%Y-%m-%d %H:%M:%S}Z" if at else ""
        raise RejectedError(
            f"no import on record has sent {product_id} at {location_id}{when};"
            " look at the ids with `locations list`, and at the runs with `runs`"
        )

    def _until(self, at: datetime | None) -> Iterator[ImportRun]:
        return (run for run in self.runs.newest_first() if at is None or run.planned_at <= at)

    def _ledger_that_sent(
        self, run: ImportRun, location_id: str, product_id: str, at: datetime | None
    ) -> Ledger | None:
        if run.state not in {RunState.FINISHED, RunState.FINALIZED}:
            return None
        if run.ended_at is None or (at is not None and run.ended_at > at) or not run.rows:
            return None
        ledger = self.files.ledger(location_id, run.run_id)
        return ledger if ledger is not None and product_id in ledger.sent else None

    def _mispicks(
        self, ledger: Ledger, product_id: str, at: datetime | None
    ) -> tuple[OpenEvent, ...]:
        """One that is over has sent its row: the ledger of that run, or of a later one, says so."""
        over = {key for key, product in ledger.mispicks_over if product == product_id}
        return tuple(
            e
            for e in self.event_log.open_events_of(ledger.location_id)
            if product_id in e.event.mispicked
            and e.event.ref.event_key not in over
            and (at is None or e.received_at <= at)
        )

    def _record(self, run_id: str, location_id: str) -> LocationRecord | None:
        found = (r for r in self.records.locations(run_id) if r.location_id == location_id)
        return next(found, None)

    def _since(
        self,
        location_id: str,
        product_id: str,
        run: ImportRun,
        record: LocationRecord | None,
        at: datetime | None,
    ) -> tuple[StoredEvent, ...]:
        """Behind the cut end only open events are looked at: the others are in a later sum."""
        cut_end = record.cut_end if record else run.cut_end
        in_sum = {
            event.event_key
            for event in (record.events if record else ())
            if event.logical_timestamp <= cut_end
        }
        behind = [
            StoredEvent(state=e, is_open=True)
            for e in self.event_log.open_events_of(location_id)
            if e.event.completed
            and e.event.logical_timestamp <= cut_end
            and e.event.ref.event_key not in in_sum
            and e.counted_by is None
        ]
        after = self.history.of_location(location_id, first=cut_end + 1)
        found = (
            stored
            for stored in (*behind, *islice(after, RUNS_BACK_MAX))
            if product_id in stored.state.event.units()
            and (at is None or stored.state.received_at <= at)
        )
        return tuple(islice(found, SINCE_MAX))
