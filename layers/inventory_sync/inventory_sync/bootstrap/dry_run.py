"""What a dry run of the import needs; it changes nothing."""

from pathlib import Path

from inventory_sync.adapters.aws.secrets import Secrets
from inventory_sync.adapters.dynamodb.run_store import DynamoRunStore
from inventory_sync.adapters.dynamodb.state_table import StateTable
from inventory_sync.adapters.s3.scratch_archive import ZipOnDisk
from inventory_sync.bootstrap.build_import import make_build
from inventory_sync.bootstrap.newstore import authorized_http, make_newstore
from inventory_sync.bootstrap.runtime import Runtime
from inventory_sync.config import ImportSettings
from inventory_sync.ports.observe import Observer
from inventory_sync.use_cases.import_stock.dry_run import DryRun


def dry_run(runtime: Runtime, observer: Observer, archive: Path, rows_max: int) -> DryRun:
    """Keeps the archive on this machine."""
    settings, clock = ImportSettings.read(runtime.variables), runtime.clock
    client = runtime.clients()
    table = StateTable(client("dynamodb"), settings.state_table)
    http = authorized_http(settings.newstore, Secrets(client("secretsmanager"), clock), clock)
    newstore = make_newstore(settings.newstore, http)
    return DryRun(
        build=make_build(settings, client, table, newstore, clock, observer),
        runs=DynamoRunStore(table, settings.retention),
        scratch=ZipOnDisk(archive),
        clock=clock,
        rows_max=rows_max,
    )
