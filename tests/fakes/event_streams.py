"""NewStore's event streams straight over the simulator's model, and the watch's memory."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from inventory_sync.adapters.newstore.streams_wire import (
    BodyForm,
    PublicationAnswer,
    StreamAnswer,
    registration_body,
)
from inventory_sync.domain.errors import (
    InventorySyncError,
    LeaseLostError,
    NotOfferedError,
    RejectedError,
)
from inventory_sync.domain.event_stream import EventStream, StreamRegistration
from inventory_sync.domain.publications import Publication
from inventory_sync.domain.stream_check import StreamCheckState
from local.http_server import CallRefusedError
from local.newstore.model import NewStoreModel


class ModelStreams:
    """Set `fails_with` to have the next calls fail before they change anything."""

    def __init__(self, model: NewStoreModel) -> None:
        self._calls = model.calls
        self._form = BodyForm(model.integrations.callback_form)
        self.fails_with: InventorySyncError | None = None

    def streams(self) -> list[EventStream]:
        self._reach()
        found = self._calls.list_integrations()
        return [StreamAnswer.model_validate(entry).stream() for entry in found]

    def stream(self, stream_id: str) -> EventStream | None:
        return next((found for found in self.streams() if found.stream_id == stream_id), None)

    def create(self, registration: StreamRegistration) -> None:
        self._reach()
        found = self.stream(registration.stream_id)
        if found is None:
            self._calls.create_integration(registration_body(registration, self._form, True))
        elif found.callback_url != registration.callback_url:
            raise RejectedError("taken")

    def change(self, registration: StreamRegistration) -> None:
        self._reach()
        try:
            self._calls.change_integration(
                registration.stream_id, registration_body(registration, self._form, False)
            )
        except CallRefusedError as error:
            raise RejectedError(str(error)) from error

    def start(self, stream_id: str) -> None:
        self._reach()
        try:
            self._calls.start_integration(stream_id)
        except CallRefusedError as error:
            raise RejectedError(str(error)) from error

    def delete(self, stream_id: str) -> None:
        if self.stream(stream_id) is not None:
            self._calls.delete_integration(stream_id)

    def failures(self, stream_id: str, since: datetime, until: datetime) -> list[Publication]:
        self._reach()
        filters = {
            "integration_id": stream_id,
            "status": "failure",
            "from": since.astimezone(UTC).replace(microsecond=0).isoformat(),
            "to": (until + timedelta(seconds=1)).astimezone(UTC).isoformat(),
        }
        try:
            found = self._calls.published_events(filters)
        except CallRefusedError as error:
            raise NotOfferedError(str(error)) from error
        return [PublicationAnswer.model_validate(entry).publication() for entry in found]

    def retry(self, stream_id: str, publication_id: str) -> None:
        self._reach()
        try:
            self._calls.retry_publication(stream_id, publication_id)
        except CallRefusedError as error:
            raise NotOfferedError(str(error)) from error

    def _reach(self) -> None:
        if self.fails_with is not None:
            raise self.fails_with


class FakeWatchMemories:
    """By stream."""

    def __init__(self) -> None:
        self._kept: dict[str, StreamCheckState] = {}

    def load(self, stream_id: str) -> StreamCheckState:
        return self._kept.get(stream_id, StreamCheckState())

    def save(self, stream_id: str, memory: StreamCheckState) -> StreamCheckState:
        if self.load(stream_id).version != memory.version:
            raise LeaseLostError("another look")
        self._kept[stream_id] = replace(memory, version=memory.version + 1)
        return self._kept[stream_id]
