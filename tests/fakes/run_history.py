"""Run and event history over the fakes that write them."""

from collections.abc import Iterator
from datetime import datetime

from inventory_sync.domain.events import EventRef, StoredEvent, logical_timestamp
from inventory_sync.domain.import_run import ImportRun
from tests.fakes.event_log import FakeEventLog
from tests.fakes.import_state import FakeRunStore


class FakeRunHistory:
    """What a FakeRunStore has written."""

    def __init__(self, runs: FakeRunStore) -> None:
        self._runs = runs

    def newest_first(self) -> Iterator[ImportRun]:
        return iter([self._runs.history[key] for key in sorted(self._runs.history, reverse=True)])

    def run(self, run_id: str) -> ImportRun | None:
        return self._runs.history.get(run_id)


class FakeEventHistory:
    """What a FakeEventLog holds."""

    def __init__(self, log: FakeEventLog) -> None:
        self._log = log

    def of_location(
        self, location_id: str, *, first: int = 0, last: int | None = None
    ) -> Iterator[StoredEvent]:
        for ref in self._log.refs():
            at = logical_timestamp(ref)
            if ref.location_id == location_id and first <= at and (last is None or at <= last):
                stored = self.event(ref)
                assert stored is not None
                yield stored

    def published_between(self, since: datetime, until: datetime) -> Iterator[StoredEvent]:
        for ref in self._log.refs():
            stored = self.event(ref)
            if stored is not None and since <= stored.state.event.published_at < until:
                yield stored

    def event(self, ref: EventRef) -> StoredEvent | None:
        record = self._log.record_of(ref)
        if record is None:
            return None
        return StoredEvent(
            state=record.state,
            is_open=record.open,
            document_id=record.document_id or "",
            attempts=record.attempts,
        )
