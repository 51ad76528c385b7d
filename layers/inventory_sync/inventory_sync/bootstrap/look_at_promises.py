"""What a shadow needs in place of an import: no client of it can post anything."""

from datetime import timedelta

from inventory_sync.adapters.aws.secrets import Secrets
from inventory_sync.adapters.dynamodb.event_history import DynamoEventHistory
from inventory_sync.adapters.dynamodb.event_log import DynamoEventLog
from inventory_sync.adapters.dynamodb.leases import DynamoLeases
from inventory_sync.adapters.dynamodb.location_store import DynamoLocationStore
from inventory_sync.adapters.dynamodb.shadow_times import DynamoShadowTimes
from inventory_sync.adapters.dynamodb.state_table import StateTable
from inventory_sync.adapters.s3.looks import S3Looks
from inventory_sync.bootstrap.erp import ErpWiring
from inventory_sync.bootstrap.mode_checks import applied_rule
from inventory_sync.bootstrap.newstore import authorized_http, make_locations, make_stock
from inventory_sync.bootstrap.runtime import Runtime
from inventory_sync.config import ImportSettings
from inventory_sync.observability import PowertoolsObserver, make_observer
from inventory_sync.use_cases.reconcile.look_at_promises import LookAtPromises


def look_at_promises(runtime: Runtime) -> tuple[LookAtPromises, PowertoolsObserver]:
    """Over the real ports."""
    settings, clock = ImportSettings.read(runtime.variables), runtime.clock
    client, observer = runtime.clients(), make_observer()
    dynamodb, secrets = client("dynamodb"), Secrets(client("secretsmanager"), clock)
    table = StateTable(dynamodb, settings.state_table)
    locations = DynamoLocationStore(table)
    http = authorized_http(settings.newstore, secrets, clock)
    look = LookAtPromises(
        event_log=DynamoEventLog(dynamodb, settings.events_table, settings.retention),
        history=DynamoEventHistory(dynamodb, settings.events_table),
        erp=ErpWiring(settings.erp, secrets, locations, clock, observer, client).stock(),
        newstore=make_locations(settings.newstore, http),
        stock=make_stock(settings.newstore, http),
        location_store=locations,
        looks=S3Looks(client.s3(), settings.import_bucket),
        leases=DynamoLeases(table),
        times=DynamoShadowTimes(table, "import"),
        clock=clock,
        observer=observer,
        rule=applied_rule(settings.erp, timedelta(0)),
        mispick_hold=settings.mispick_hold,
    )
    return look, observer
