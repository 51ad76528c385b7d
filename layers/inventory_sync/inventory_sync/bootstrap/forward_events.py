"""What the forwarder needs."""

from datetime import timedelta

from inventory_sync.adapters.aws.secrets import Secrets
from inventory_sync.adapters.dynamodb.event_log import DynamoEventLog
from inventory_sync.adapters.dynamodb.location_store import DynamoLocationStore
from inventory_sync.adapters.dynamodb.quarantine import DynamoQuarantine
from inventory_sync.adapters.dynamodb.state_table import StateTable
from inventory_sync.adapters.dynamodb.unit_owners import DynamoUnitOwners
from inventory_sync.bootstrap.erp import ErpWiring
from inventory_sync.bootstrap.mode_checks import applied_rule, mode_check
from inventory_sync.bootstrap.runtime import Runtime
from inventory_sync.config import ForwardSettings
from inventory_sync.domain.mode import Mode
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
    table = StateTable(dynamodb, settings.state_table)
    locations, rule = DynamoLocationStore(table), applied_rule(settings.erp, settings.erp.apply_lag)
    forward = ForwardEvents(
        event_log=DynamoEventLog(dynamodb, settings.events_table, settings.retention),
        owners=DynamoUnitOwners(dynamodb, settings.requests_table, UNIT_OWNERS_KEPT),
        quarantine=DynamoQuarantine(dynamodb, settings.quarantine_table, settings.retention),
        erp=ErpWiring(settings.erp, secrets, locations, clock, observer, client).books(),
        clock=clock,
        observer=observer,
        rule=rule,
        claim=CLAIM,
        sweep_age=settings.sweep_age,
        mode_check=mode_check(settings.erp, table, "forward", clock),
        shadow=settings.erp.mode is Mode.SHADOW,
    )
    return forward, observer
