"""What shows the watermark and moves it back."""

from inventory_sync.adapters.dynamodb.audit import Author
from inventory_sync.adapters.dynamodb.event_log import DynamoEventLog
from inventory_sync.adapters.dynamodb.leases import DynamoLeases
from inventory_sync.adapters.dynamodb.run_history import DynamoRunHistory
from inventory_sync.adapters.dynamodb.run_store import DynamoRunStore
from inventory_sync.adapters.dynamodb.state_table import StateTable
from inventory_sync.bootstrap.runtime import Runtime
from inventory_sync.config import ImportSettings
from inventory_sync.use_cases.import_stock.set_watermark import SetWatermark


def set_watermark(runtime: Runtime, author: Author | None) -> SetWatermark:
    """`author` signs what is changed."""
    settings = ImportSettings.read(runtime.variables)
    client = runtime.clients()
    dynamodb = client("dynamodb")
    table = StateTable(dynamodb, settings.state_table)
    return SetWatermark(
        runs=DynamoRunStore(table, settings.retention, author),
        leases=DynamoLeases(table),
        event_log=DynamoEventLog(dynamodb, settings.events_table, settings.retention),
        history=DynamoRunHistory(table),
        clock=runtime.clock,
    )
