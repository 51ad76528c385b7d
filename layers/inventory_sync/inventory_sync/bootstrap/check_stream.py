"""What the stream check needs."""

from datetime import timedelta
from functools import partial

from inventory_sync.adapters.aws.secrets import Secrets
from inventory_sync.adapters.dynamodb.event_log import DynamoEventLog
from inventory_sync.adapters.dynamodb.state_table import StateTable
from inventory_sync.adapters.dynamodb.stream_check_states import DynamoStreamCheckStates
from inventory_sync.adapters.newstore.event_body import parse_event
from inventory_sync.adapters.newstore.stream_records import NewStoreStreamRecords
from inventory_sync.adapters.newstore.streams import NewStoreStreams
from inventory_sync.bootstrap.newstore import authorized_http
from inventory_sync.bootstrap.runtime import Runtime
from inventory_sync.config import CheckStreamSettings, NewStoreSettings
from inventory_sync.observability import PowertoolsObserver, make_observer
from inventory_sync.ports.observe import Clock
from inventory_sync.use_cases.stream.check_stream import CheckStream
from inventory_sync.use_cases.stream.retry_rejected import RetryRejected


def check_stream(runtime: Runtime) -> tuple[CheckStream, PowertoolsObserver]:
    """Over the real ports."""
    settings, clock = CheckStreamSettings.read(runtime.variables), runtime.clock
    client = runtime.clients()
    dynamodb = client("dynamodb")
    observer = make_observer()
    secrets = Secrets(client("secretsmanager"), clock)
    streams, records = make_streams(settings.stream.newstore, secrets, clock)
    check = CheckStream(
        streams=streams,
        records=records,
        event_log=DynamoEventLog(dynamodb, settings.events_table, timedelta(0)),
        memories=DynamoStreamCheckStates(StateTable(dynamodb, settings.state_table)),
        retry_rejected=RetryRejected(
            records=records,
            parse=partial(parse_event, tenant=settings.stream.newstore.tenant),
            observer=observer,
            stream_id=settings.stream.stream_id,
        ),
        clock=clock,
        observer=observer,
        stream_id=settings.stream.stream_id,
        callback_url=settings.stream.event_url,
    )
    return check, observer


def make_streams(
    settings: NewStoreSettings, secrets: Secrets, clock: Clock
) -> tuple[NewStoreStreams, NewStoreStreamRecords]:
    """NewStore's event streams, and what it keeps of them."""
    http = authorized_http(settings, secrets, clock)
    base_url = settings.base_url
    return (
        NewStoreStreams(http, base_url=base_url),
        NewStoreStreamRecords(http, base_url=base_url),
    )
