"""What shows the watermark and moves it back."""

import os
from collections.abc import Mapping

from inventory_sync.adapters.dynamodb.audit import Author
from inventory_sync.adapters.dynamodb.event_log import DynamoEventLog
from inventory_sync.adapters.dynamodb.leases import DynamoLeases
from inventory_sync.adapters.dynamodb.run_history import DynamoRunHistory
from inventory_sync.adapters.dynamodb.run_store import DynamoRunStore
from inventory_sync.adapters.dynamodb.state_table import StateTable
from inventory_sync.bootstrap.clients import Clients
from inventory_sync.bootstrap.system_clock import SystemClock
from inventory_sync.config import ImportSettings
from inventory_sync.ports.observe import Clock
from inventory_sync.use_cases.import_stock.set_watermark import SetWatermark


def set_watermark(
    author: Author | None,
    variables: Mapping[str, str] | None = None,
    clock: Clock | None = None,
) -> SetWatermark:
    """`author` signs what is changed."""
    settings = ImportSettings.read(os.environ if variables is None else variables)
    client = Clients()
    dynamodb = client("dynamodb")
    table = StateTable(dynamodb, settings.state_table)
    return SetWatermark(
        runs=DynamoRunStore(table, settings.retention, author),
        leases=DynamoLeases(table),
        event_log=DynamoEventLog(dynamodb, settings.events_table, settings.retention),
        history=DynamoRunHistory(table),
        clock=clock or SystemClock(),
    )
