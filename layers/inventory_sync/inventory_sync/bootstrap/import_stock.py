"""What the import needs."""

import os
from datetime import timedelta

from inventory_sync.adapters.aws.read_executions import StepFunctionsReads
from inventory_sync.adapters.aws.secrets import Secrets
from inventory_sync.adapters.dynamodb.leases import DynamoLeases
from inventory_sync.adapters.dynamodb.location_store import DynamoLocationStore
from inventory_sync.adapters.dynamodb.run_store import DynamoRunStore
from inventory_sync.adapters.dynamodb.state_table import StateTable
from inventory_sync.bootstrap.build_import import make_build
from inventory_sync.bootstrap.clients import Clients
from inventory_sync.bootstrap.look_at_promises import look_at_promises
from inventory_sync.bootstrap.mode_checks import mode_check
from inventory_sync.bootstrap.newstore import authorized_http, make_newstore, make_stock
from inventory_sync.bootstrap.runtime import Runtime
from inventory_sync.config import ImportSettings
from inventory_sync.domain.mode import Mode
from inventory_sync.observability import PowertoolsObserver, make_observer
from inventory_sync.use_cases.import_stock.build_import.build_import import BuildImport
from inventory_sync.use_cases.import_stock.fan_out import FanOut
from inventory_sync.use_cases.import_stock.import_stock import ImportStock, ImportStockSettings
from inventory_sync.use_cases.reconcile.look_at_promises import LookAtPromises

LEASE = timedelta(seconds=600)


def import_stock(runtime: Runtime) -> tuple[ImportStock | LookAtPromises, PowertoolsObserver]:
    """By the mode: a shadow has no client by which NewStore or the ERP could be changed."""
    mode = ImportSettings.read(runtime.variables).erp.mode
    return look_at_promises(runtime) if mode is Mode.SHADOW else live_import(runtime)


def live_import(runtime: Runtime) -> tuple[ImportStock, PowertoolsObserver]:
    """Over the real ports."""
    settings, clock = ImportSettings.read(runtime.variables), runtime.clock
    client = runtime.clients()
    observer = make_observer()
    table = StateTable(client("dynamodb"), settings.state_table)
    locations = DynamoLocationStore(table)
    http = authorized_http(settings.newstore, Secrets(client("secretsmanager"), clock), clock)
    newstore = make_newstore(settings.newstore, http)
    build = make_build(settings, client, table, newstore, clock, observer)
    importer = ImportStock(
        build=build,
        event_log=build.event_log,
        newstore=newstore,
        stock=make_stock(settings.newstore, http),
        files=build.files,
        records=build.records,
        runs=DynamoRunStore(table, settings.retention),
        leases=DynamoLeases(table),
        location_store=locations,
        clock=clock,
        observer=observer,
        settings=ImportStockSettings(
            lease=LEASE,
            job_spacing=settings.job_spacing,
            poll_seconds_max=settings.poll_seconds_max,
        ),
        mode_check=mode_check(settings.erp, table, "import", clock),
        fan_out=_fan_out(settings, client, build, locations, observer),
    )
    return importer, observer


def _fan_out(
    settings: ImportSettings,
    client: Clients,
    build: BuildImport,
    locations: DynamoLocationStore,
    observer: PowertoolsObserver,
) -> FanOut | None:
    """None where the import reads by itself."""
    if build.kept is None:
        return None
    executions = StepFunctionsReads(
        client("stepfunctions"),
        client.s3(),
        machine_arn=settings.read_machine_arn,
        bucket=settings.import_bucket,
        tick_function=os.environ.get("AWS_LAMBDA_FUNCTION_NAME", ""),
    )
    return FanOut(
        kept=build.kept,
        executions=executions,
        files=build.files,
        location_store=locations,
        observer=observer,
        read_every=settings.job_spacing,
    )
