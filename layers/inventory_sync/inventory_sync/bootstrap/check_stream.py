"""What the watch over the event stream needs."""

from datetime import timedelta

from inventory_sync.adapters.aws.secrets import Secrets
from inventory_sync.adapters.dynamodb.event_log import DynamoEventLog
from inventory_sync.adapters.dynamodb.state_table import StateTable
from inventory_sync.adapters.dynamodb.stream_check_states import DynamoStreamCheckStates
from inventory_sync.adapters.newstore.streams import NewStoreStreams
from inventory_sync.bootstrap.newstore import authorized_http
from inventory_sync.bootstrap.runtime import Runtime
from inventory_sync.config import CheckStreamSettings, NewStoreSettings
from inventory_sync.observability import PowertoolsObserver, make_observer
from inventory_sync.ports.observe import Clock
from inventory_sync.use_cases.stream.check_stream import CheckStream
from inventory_sync.use_cases.stream.retry_publications import RetryPublications


def check_stream(runtime: Runtime) -> tuple[CheckStream, PowertoolsObserver]:
    """Over the real ports."""
    settings, clock = CheckStreamSettings.read(runtime.variables), runtime.clock
    client = runtime.clients()
    dynamodb = client("dynamodb")
    observer = make_observer()
    secrets = Secrets(client("secretsmanager"), clock)
    streams = make_streams(settings.stream.newstore, secrets, clock)
    watch = CheckStream(
        streams=streams,
        event_log=DynamoEventLog(dynamodb, settings.events_table, timedelta(0)),
        memories=DynamoStreamCheckStates(StateTable(dynamodb, settings.state_table)),
        retry_publications=RetryPublications(
            streams=streams, clock=clock, observer=observer, stream_id=settings.stream.stream_id
        ),
        clock=clock,
        observer=observer,
        stream_id=settings.stream.stream_id,
        callback_url=settings.stream.event_url,
    )
    return watch, observer


def make_streams(settings: NewStoreSettings, secrets: Secrets, clock: Clock) -> NewStoreStreams:
    """NewStore's event streams."""
    return NewStoreStreams(authorized_http(settings, secrets, clock), base_url=settings.base_url)
