"""What the webhook needs."""

from time import monotonic
from typing import TYPE_CHECKING

from inventory_sync.adapters.aws.inbound_keys import SecretInboundKeys
from inventory_sync.adapters.dynamodb.event_log import DynamoEventLog
from inventory_sync.adapters.dynamodb.quarantine import DynamoQuarantine
from inventory_sync.adapters.dynamodb.state_table import StateTable
from inventory_sync.adapters.dynamodb.unstored_completions import DynamoUnstoredCompletions
from inventory_sync.adapters.newstore.event_body import parse_event
from inventory_sync.adapters.s3.bucket import Bucket
from inventory_sync.adapters.s3.event_bodies import EventBodies
from inventory_sync.bootstrap.clients import Clients
from inventory_sync.bootstrap.runtime import Runtime
from inventory_sync.config import IngestSettings
from inventory_sync.observability import make_observer
from inventory_sync.use_cases.ingest.ingest_event import IngestEvent, IngestResources

if TYPE_CHECKING:
    from inventory_sync.ports.observe import Clock, Observer

READ_SECONDS = 1.5
"""Three attempts end well before the webhook's time-out, so that NewStore gets its 500."""


def ingest_event(runtime: Runtime) -> IngestResources:
    """Over the real ports."""
    settings = IngestSettings.read(runtime.variables)
    observer = make_observer()
    client = runtime.clients(READ_SECONDS, parameter_validation=False)
    return IngestResources(
        keys=SecretInboundKeys(
            client("secretsmanager"),
            settings.inbound_keys_secret_arn,
            monotonic,
            observer,
        ),
        ingest=_ingest(settings, client, observer, runtime.clock),
        observer=observer,
        flush=observer.flush,
    )


def ingest_with(runtime: Runtime, observer: "Observer") -> IngestEvent:
    """What takes a body that the webhook has taken before."""
    return _ingest(
        IngestSettings.read(runtime.variables), runtime.clients(), observer, runtime.clock
    )


def _ingest(
    settings: IngestSettings, client: Clients, observer: "Observer", clock: "Clock"
) -> IngestEvent:
    dynamodb, retention = client("dynamodb"), settings.retention
    bodies = EventBodies(lambda: Bucket(client("s3"), settings.import_bucket))
    completions = DynamoUnstoredCompletions(StateTable(dynamodb, settings.state_table))
    return IngestEvent(
        parse=lambda body: parse_event(body, settings.tenant),
        event_log=DynamoEventLog(dynamodb, settings.events_table, retention, bodies),
        quarantine=DynamoQuarantine(
            dynamodb, settings.quarantine_table, retention, bodies, completions
        ),
        clock=clock,
        observer=observer,
    )
