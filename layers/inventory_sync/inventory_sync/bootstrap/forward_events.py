"""What the forwarder needs."""

from datetime import timedelta

from inventory_sync.adapters.aws.secrets import Secrets
from inventory_sync.adapters.dynamodb.event_log import DynamoEventLog
from inventory_sync.adapters.dynamodb.location_store import DynamoLocationStore
from inventory_sync.adapters.dynamodb.quarantine import DynamoQuarantine
from inventory_sync.adapters.dynamodb.state_table import StateTable
from inventory_sync.adapters.dynamodb.unit_owners import DynamoUnitOwners
from inventory_sync.bootstrap.erp import make_erp
from inventory_sync.bootstrap.runtime import Runtime
from inventory_sync.config import ForwardSettings
from inventory_sync.domain.cut import AppliedRule
from inventory_sync.observability import PowertoolsObserver, make_observer
from inventory_sync.use_cases.forward.forward_events import ForwardEvents

UNIT_OWNERS_KEPT = timedelta(days=400)
"""From the last event of a request on: longer than an event may be old and still be booked."""
CLAIM = timedelta(seconds=180)
"""Longer than the function may run: its last post has long arrived when it ends."""


def forward_events(runtime: Runtime) -> tuple[ForwardEvents, PowertoolsObserver]:
    """Over the real ports."""
    settings, clock = ForwardSettings.read(runtime.variables), runtime.clock
    client = runtime.clients()
    dynamodb = client("dynamodb")
    secrets = Secrets(client("secretsmanager"), clock)
    observer = make_observer()
    locations = DynamoLocationStore(StateTable(dynamodb, settings.state_table))
    forward = ForwardEvents(
        event_log=DynamoEventLog(dynamodb, settings.events_table, settings.retention),
        owners=DynamoUnitOwners(dynamodb, settings.requests_table, UNIT_OWNERS_KEPT),
        quarantine=DynamoQuarantine(dynamodb, settings.quarantine_table, settings.retention),
        erp=make_erp(settings.erp, secrets, locations, clock, observer, client),
        clock=clock,
        observer=observer,
        rule=AppliedRule(
            settings.erp.apply_lag, settings.erp.other_channel_lags, settings.erp.go_live_at
        ),
        claim=CLAIM,
        sweep_age=settings.sweep_age,
    )
    return forward, observer
