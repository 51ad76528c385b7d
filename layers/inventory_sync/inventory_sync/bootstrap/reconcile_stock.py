"""What the reconciliation needs; it writes nothing but its report."""

from datetime import timedelta

from inventory_sync.adapters.aws.secrets import Secrets
from inventory_sync.adapters.dynamodb.event_history import DynamoEventHistory
from inventory_sync.adapters.dynamodb.event_log import DynamoEventLog
from inventory_sync.adapters.dynamodb.location_store import DynamoLocationStore
from inventory_sync.adapters.dynamodb.run_history import DynamoRunHistory
from inventory_sync.adapters.dynamodb.run_store import DynamoRunStore
from inventory_sync.adapters.dynamodb.state_table import StateTable
from inventory_sync.adapters.s3.file_store import S3FileStore
from inventory_sync.adapters.s3.reports import S3Reports
from inventory_sync.bootstrap.erp import ErpWiring
from inventory_sync.bootstrap.newstore import (
    authorized_http,
    make_exports,
    make_locations,
    make_stock,
)
from inventory_sync.bootstrap.runtime import Runtime
from inventory_sync.config import ReconcileSettings
from inventory_sync.observability import PowertoolsObserver, make_observer
from inventory_sync.ports.observe import Observer
from inventory_sync.use_cases.reconcile.export_atp import ExportAtp
from inventory_sync.use_cases.reconcile.reconcile_stock import ReconcileLimits, ReconcileStock


def reconcile_stock(runtime: Runtime) -> tuple[ReconcileStock, PowertoolsObserver]:
    """Over the real ports."""
    observer = make_observer()
    return reconcile_with(runtime, observer), observer


def reconcile_with(runtime: Runtime, observer: Observer) -> ReconcileStock:
    """The reconciliation, telling the observer: an operator's shell wants no log lines."""
    settings, clock = ReconcileSettings.read(runtime.variables), runtime.clock
    client = runtime.clients()
    dynamodb, s3 = client("dynamodb"), client.s3()
    secrets = Secrets(client("secretsmanager"), clock)
    table = StateTable(dynamodb, settings.state_table)
    locations = DynamoLocationStore(table)
    http = authorized_http(settings.newstore, secrets, clock)
    return ReconcileStock(
        event_log=DynamoEventLog(dynamodb, settings.events_table, timedelta(0)),
        history=DynamoEventHistory(dynamodb, settings.events_table),
        erp=ErpWiring(settings.erp, secrets, locations, clock, observer, client).stock(),
        newstore=make_locations(settings.newstore, http),
        stock=make_stock(settings.newstore, http),
        export_atp=ExportAtp(make_exports(settings.newstore, http, clock), clock),
        files=S3FileStore(s3, settings.import_bucket, str),
        runs=DynamoRunStore(table, timedelta(0)),
        run_history=DynamoRunHistory(table),
        location_store=locations,
        reports=S3Reports(s3, settings.import_bucket),
        clock=clock,
        observer=observer,
        limits=ReconcileLimits(
            other_channel_lags=settings.erp.other_channel_lags,
            go_live_at=settings.erp.go_live_at,
            other_system_lag=settings.erp.other_system_lag,
        ),
    )
