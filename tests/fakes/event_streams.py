"""NewStore's event streams straight over the simulator's model, and the stream check's memory."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from inventory_sync.adapters.newstore.streams_wire import (
    AttemptAnswer,
    LogAnswer,
    RejectedAnswer,
    StreamAnswer,
    changed_registration,
    new_registration,
)
from inventory_sync.domain.errors import (
    InventorySyncError,
    LeaseLostError,
    RejectedError,
    RetriableError,
)
from inventory_sync.domain.event_stream import EventStream, StreamRegistration
from inventory_sync.domain.stream_check import StreamCheckState
from inventory_sync.domain.stream_records import FailedAttempt, RejectedEvent, StreamLogEntry
from local.http_server import CallRefusedError
from local.newstore.model import NewStoreModel

_NOT_FOUND = 404
T = TypeVar("T")


class _OverModel:
    """Set `fails_with` to have the next calls fail before they change anything."""

    def __init__(self, model: NewStoreModel) -> None:
        self._calls = model.stream_calls
        self.fails_with: InventorySyncError | None = None

    @contextmanager
    def _asking(self) -> Iterator[None]:
        if self.fails_with is not None:
            raise self.fails_with
        try:
            yield
        except CallRefusedError as error:
            kind = RetriableError if error.status >= 500 else RejectedError
            raise kind(str(error)) from error

    def _find(self, call: Callable[[], T]) -> T | None:
        with self._asking():
            try:
                return call()
            except CallRefusedError as error:
                if error.status != _NOT_FOUND:
                    raise
        return None


class ModelStreams(_OverModel):
    """ports.EventStreams."""

    def streams(self) -> list[EventStream]:
        with self._asking():
            found = self._calls.list_integrations()["integrations"]
        return [StreamAnswer.model_validate(entry).stream() for entry in found]

    def stream(self, stream_id: str) -> EventStream | None:
        return next((found for found in self.streams() if found.stream_id == stream_id), None)

    def create(self, registration: StreamRegistration) -> None:
        found = self.stream(registration.stream_id)
        if found is None:
            with self._asking():
                self._calls.create_integration(new_registration(registration))
        elif found.callback_url != registration.callback_url:
            raise RejectedError("taken")

    def change(self, registration: StreamRegistration) -> None:
        with self._asking():
            self._calls.change_integration(
                registration.stream_id, changed_registration(registration)
            )

    def start(self, stream_id: str) -> None:
        with self._asking():
            self._calls.start_integration(stream_id)

    def stop(self, stream_id: str) -> None:
        with self._asking():
            self._calls.stop_integration(stream_id)

    def delete(self, stream_id: str) -> None:
        self._find(lambda: self._calls.delete_integration(stream_id))


class ModelStreamRecords(_OverModel):
    """ports.StreamRecords."""

    def log(self, stream_id: str) -> list[StreamLogEntry]:
        found = self._find(lambda: self._calls.integration_logs(stream_id)) or {"entries": []}
        return [LogAnswer.model_validate(entry).entry() for entry in found["entries"]]

    def failures(self, stream_id: str, since: datetime, until: datetime) -> list[FailedAttempt]:
        return [found.attempt() for found in self._attempts(stream_id, "failure", since, until)]

    def delivered(self, stream_id: str, since: datetime, until: datetime) -> bool:
        return bool(self._attempts(stream_id, "success", since, until))

    def _attempts(
        self, stream_id: str, status: str, since: datetime, until: datetime
    ) -> list[AttemptAnswer]:
        filters = {
            "integration_id": stream_id,
            "status": status,
            "from": since.astimezone(UTC).replace(microsecond=0).isoformat(),
            "to": (until + timedelta(seconds=1)).astimezone(UTC).isoformat(),
        }
        with self._asking():
            found = self._calls.published_events(filters)
        return [AttemptAnswer.model_validate(entry) for entry in found]

    def rejected_events(self, stream_id: str) -> list[RejectedEvent]:
        found = self._find(lambda: self._calls.rejected_events(stream_id))
        entries = found["rejected_events"] if found else []
        return [RejectedAnswer.model_validate(entry).rejected() for entry in reversed(entries)]

    def rejected_event(self, stream_id: str, rejected_id: str) -> bytes | None:
        found = self._find(lambda: self._calls.rejected_event(stream_id, rejected_id))
        return None if found is None else json.dumps(found).encode()

    def retry_rejected(self, stream_id: str, rejected_id: str) -> None:
        self._find(lambda: self._calls.retry_rejected_event(stream_id, rejected_id))

    def delete_rejected(self, stream_id: str, rejected_id: str) -> None:
        self._find(lambda: self._calls.delete_rejected_event(stream_id, rejected_id))


class FakeStreamCheckStates:
    """By stream."""

    def __init__(self) -> None:
        self._kept: dict[str, StreamCheckState] = {}

    def load(self, stream_id: str) -> StreamCheckState:
        return self._kept.get(stream_id, StreamCheckState())

    def save(self, stream_id: str, memory: StreamCheckState) -> StreamCheckState:
        if self.load(stream_id).version != memory.version:
            raise LeaseLostError("another check")
        self._kept[stream_id] = replace(memory, version=memory.version + 1)
        return self._kept[stream_id]
