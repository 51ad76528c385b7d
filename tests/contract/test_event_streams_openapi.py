"""Event streams: client and simulator held against NewStore's files, operation by operation."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

import pytest

from inventory_sync.adapters.newstore.stream_records import NewStoreStreamRecords
from inventory_sync.adapters.newstore.streams import NewStoreStreams
from inventory_sync.domain.errors import RejectedError, RetriableError
from inventory_sync.domain.event_stream import StreamRegistration
from local.newstore.events import Event
from tests.contract.newstore import connection
from tests.contract.openapi import Exchange, load
from tests.unit.local.newstore_builder import Newstore

STREAM = "stock-sync"
WANTED = StreamRegistration(
    stream_id=STREAM, callback_url="https://example.com/event", api_key="key-1"
)
CONFIGURATION = "integration-eventstream-graphql-stream_webhook_sink_api"
OBSERVABILITY = "integration-eventstream-graphql-eventstream-observability-api"


@dataclass
class Wire:
    """The clients, the NewStore they talk to, and what went over the wire."""

    streams: NewStoreStreams
    records: NewStoreStreamRecords
    newstore: Newstore
    exchanges: list[Exchange]

    def of(self, *, published: bool) -> list[Exchange]:
        return [e for e in self.exchanges if e.path.endswith("/published-events") == published]

    def event(self, number: int) -> Event:
        """With ids as long as NewStore's."""
        request = str(UUID(int=number))
        items = [(str(UUID(int=1000 + number)), "SKU-1")]
        return self.newstore.model.assign(request, str(UUID(int=2000 + number)), "DC01", items)


@contextmanager
def wire() -> Iterator[Wire]:
    with connection() as to:
        yield Wire(
            NewStoreStreams(to.authorized, base_url=to.base_url),
            NewStoreStreamRecords(to.authorized, base_url=to.base_url),
            to.newstore,
            to.exchanges,
        )


def manage(wire: Wire) -> None:
    """Every call of registrations and what is kept of them, with what NewStore refuses."""
    streams, records, model = wire.streams, wire.records, wire.newstore.model
    model.publications.send = lambda body: 500
    now = wire.newstore.clock()
    streams.create(WANTED)
    streams.create(WANTED)
    hour = timedelta(hours=1)
    streams.create(replace(WANTED, stream_id="replay", starts_at=now - hour, ends_at=now))
    model.integrations.create(
        {
            "id": "to-s3",
            "integration_type": "permanent",
            "s3_parameters": {
                "aws_access_key_id": "i",
                "aws_secret_access_key": "s",
                "aws_region": "us-east-1",
                "bucket": "b",
            },
        }
    )
    with pytest.raises(RejectedError):
        streams.change(WANTED)
    streams.stop(STREAM)
    streams.change(replace(WANTED, api_key="key-2"))
    streams.start(STREAM)
    first, second = (model.integrations.reject(STREAM, wire.event(n)) for n in (1, 2))
    streams.streams()
    records.log(STREAM)
    records.rejected_events(STREAM)
    records.rejected_event(STREAM, first)
    with pytest.raises(RetriableError):
        records.retry_rejected(STREAM, first)
    model.publications.send = lambda body: 200
    records.retry_rejected(STREAM, first)
    records.retry_rejected(STREAM, first)
    records.delete_rejected(STREAM, second)
    records.delete_rejected(STREAM, second)
    records.failures(STREAM, now, wire.newstore.clock())
    streams.delete(STREAM)
    streams.delete(STREAM)


def test_registrations_and_what_is_kept_of_them_are_as_newstore_documents_them() -> None:
    api = load(CONFIGURATION)
    with wire() as over:
        manage(over)

    assert api.faults(over.of(published=False)) == []
    assert api.called(over.exchanges) == api.operations


def test_attempts_to_publish_are_listed_as_newstore_documents_them() -> None:
    api = load(OBSERVABILITY)
    with wire() as over:
        manage(over)
    listed = over.of(published=True)

    assert listed[-1].answer
    assert api.faults(listed) == []
    assert api.called(listed) == api.operations
