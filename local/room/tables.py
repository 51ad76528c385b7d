"""Reads the stack's tables through the adapters that write them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from cli.room.reading import standing_holds
from inventory_sync.adapters.codec import decode
from inventory_sync.adapters.dynamodb.event_log import read_open_event
from inventory_sync.adapters.dynamodb.location_store import DynamoLocationStore
from inventory_sync.adapters.dynamodb.run_store import DynamoRunStore
from inventory_sync.adapters.dynamodb.state_table import StateTable
from inventory_sync.domain.events import OpenEvent
from inventory_sync.domain.holds import LocationHold
from inventory_sync.domain.import_head import ImportHead
from inventory_sync.domain.import_run import ImportRun

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True)
class TableNames:
    """As they are called in AWS."""

    events: str
    state: str
    quarantine: str


class Tables:
    """Consistent reads only; nothing here writes."""

    def __init__(self, client: DynamoDBClient, names: TableNames) -> None:
        self._client, self._names = client, names
        self._state = StateTable(client, names.state)
        # A retention matters to what is written, and nothing is.
        self._runs = DynamoRunStore(self._state, timedelta())
        self.locations = DynamoLocationStore(self._state)

    def head(self) -> ImportHead:
        """The import head."""
        return self._runs.head()

    def runs(self) -> tuple[ImportRun, ...]:
        """All that are kept, the newest first."""
        records = self._state.records("run")
        runs = [decode(ImportRun, record, f"run {run_id}") for run_id, record in records]
        return tuple(sorted(runs, key=lambda run: run.planned_at, reverse=True))

    def events(self) -> tuple[list[OpenEvent], list[OpenEvent]]:
        """Open events and closed ones: a scan of the whole table, so for small stacks only."""
        opened: list[OpenEvent] = []
        closed: list[OpenEvent] = []
        for item in self._scan(self._names.events):
            (opened if "open_key" in item else closed).append(read_open_event(item))
        return opened, closed

    def holds(self) -> Mapping[str, LocationHold]:
        """What guards hold, and what operators do."""
        return standing_holds(self.locations.holds(), self.locations.operator_holds())

    def quarantined(self) -> int:
        """How many messages are in quarantine that nobody has dealt with."""
        return sum("resolution" not in item for item in self._scan(self._names.quarantine))

    def _scan(self, table: str) -> Any:
        pages = self._client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
        for page in pages:
            yield from page["Items"]
