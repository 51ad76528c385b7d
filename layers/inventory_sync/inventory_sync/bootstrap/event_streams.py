"""What an operator manages NewStore's event stream with."""

from collections.abc import Mapping
from dataclasses import dataclass

from inventory_sync.adapters.aws.inbound_keys import current_key
from inventory_sync.adapters.aws.secrets import Secrets
from inventory_sync.bootstrap.check_stream import make_streams
from inventory_sync.bootstrap.clients import Clients
from inventory_sync.bootstrap.system_clock import SystemClock
from inventory_sync.config import Environment, StreamSettings
from inventory_sync.ports.newstore import EventStreams, StreamRecords
from inventory_sync.ports.observe import Clock


@dataclass(frozen=True, slots=True)
class StreamAdmin:
    """NewStore's streams, and which of them has to call which address."""

    streams: EventStreams
    records: StreamRecords
    stream_id: str
    event_url: str


def stream_admin(variables: Mapping[str, str], clock: Clock | None = None) -> StreamAdmin:
    """As the stream check with these variables has it."""
    settings = StreamSettings.read(Environment(variables))
    clock = clock or SystemClock()
    secrets = Secrets(Clients()("secretsmanager"), clock)
    streams, records = make_streams(settings.newstore, secrets, clock)
    return StreamAdmin(streams, records, settings.stream_id, settings.event_url)


def inbound_key(variables: Mapping[str, str]) -> str:
    """The key NewStore is to call with, as the webhook with these variables takes it."""
    arn = Environment(variables).text("INBOUND_KEYS_SECRET_ARN")
    return current_key(Clients()("secretsmanager"), arn)
