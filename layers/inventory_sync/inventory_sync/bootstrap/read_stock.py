"""What reading a batch of locations needs, where reads fan out."""

from dataclasses import replace

from inventory_sync.adapters.aws.secrets import Secrets
from inventory_sync.adapters.dynamodb.event_log import DynamoEventLog
from inventory_sync.adapters.dynamodb.location_store import DynamoLocationStore
from inventory_sync.adapters.dynamodb.run_store import DynamoRunStore
from inventory_sync.adapters.dynamodb.state_table import StateTable
from inventory_sync.adapters.dynamodb.unstored_completions import DynamoUnstoredCompletions
from inventory_sync.adapters.s3.file_delivery import s3_uri
from inventory_sync.adapters.s3.file_store import S3FileStore
from inventory_sync.adapters.s3.kept_reads import S3KeptReads
from inventory_sync.bootstrap.erp import ErpWiring
from inventory_sync.bootstrap.runtime import Runtime
from inventory_sync.config import ReadSettings
from inventory_sync.observability import PowertoolsObserver, make_observer
from inventory_sync.use_cases.import_stock.read_locations import ReadLocations


def read_stock(runtime: Runtime) -> tuple[ReadLocations, PowertoolsObserver]:
    """Over the real ports. As many as read at once share the calls that the ERP bears."""
    settings, clock = ReadSettings.read(runtime.variables), runtime.clock
    client, observer = runtime.clients(), make_observer()
    table = StateTable(client("dynamodb"), settings.state_table)
    locations = DynamoLocationStore(table)
    share = max(1, settings.erp.calls_per_second // settings.erp.reads_at_once)
    erp = replace(settings.erp, calls_per_second=share)
    secrets = Secrets(client("secretsmanager"), clock)
    bucket = settings.import_bucket
    reader = ReadLocations(
        erp=ErpWiring(erp, secrets, locations, clock, observer, client).stock(),
        event_log=DynamoEventLog(client("dynamodb"), settings.events_table, settings.retention),
        unstored=DynamoUnstoredCompletions(table),
        files=S3FileStore(client.s3(), bucket, lambda key: s3_uri(bucket, key)),
        runs=DynamoRunStore(table, settings.retention),
        location_store=locations,
        kept=S3KeptReads(client.s3(), bucket),
        clock=clock,
        observer=observer,
    )
    return reader, observer
