"""What the import needs."""

from datetime import timedelta

from inventory_sync.adapters.aws.secrets import Secrets
from inventory_sync.adapters.dynamodb.leases import DynamoLeases
from inventory_sync.adapters.dynamodb.location_store import DynamoLocationStore
from inventory_sync.adapters.dynamodb.run_store import DynamoRunStore
from inventory_sync.adapters.dynamodb.state_table import StateTable
from inventory_sync.bootstrap.build_import import make_build
from inventory_sync.bootstrap.newstore import authorized_http, make_newstore, make_stock
from inventory_sync.bootstrap.runtime import Runtime
from inventory_sync.config import ImportSettings
from inventory_sync.observability import PowertoolsObserver, make_observer
from inventory_sync.use_cases.import_stock.import_stock import ImportStock, ImportStockSettings

LEASE = timedelta(seconds=600)


def import_stock(runtime: Runtime) -> tuple[ImportStock, PowertoolsObserver]:
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
    )
    return importer, observer
