"""What an operator manages NewStore's event stream with."""

from dataclasses import dataclass

from inventory_sync.adapters.aws.inbound_keys import current_key
from inventory_sync.adapters.aws.secrets import Secrets
from inventory_sync.bootstrap.check_stream import make_streams
from inventory_sync.bootstrap.runtime import Runtime
from inventory_sync.config import Environment, StreamSettings
from inventory_sync.ports.newstore import EventStreams, StreamRecords


@dataclass(frozen=True, slots=True)
class StreamAdmin:
    """NewStore's streams, and which of them has to call which address."""

    streams: EventStreams
    records: StreamRecords
    stream_id: str
    event_url: str


def stream_admin(runtime: Runtime) -> StreamAdmin:
    """As the stream check with these variables has it."""
    settings = StreamSettings.read(Environment(runtime.variables))
    secrets = Secrets(runtime.clients()("secretsmanager"), runtime.clock)
    streams, records = make_streams(settings.newstore, secrets, runtime.clock)
    return StreamAdmin(streams, records, settings.stream_id, settings.event_url)


def inbound_key(runtime: Runtime) -> str:
    """The key NewStore is to call with, as the webhook with these variables takes it."""
    arn = Environment(runtime.variables).text("INBOUND_KEYS_SECRET_ARN")
    return current_key(runtime.clients()("secretsmanager"), arn)
