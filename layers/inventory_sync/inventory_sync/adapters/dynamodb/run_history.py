"""Every run on record, from the state table."""

from collections.abc import Iterator

from inventory_sync.adapters.codec import decode
from inventory_sync.adapters.dynamodb.records import readable
from inventory_sync.adapters.dynamodb.state_table import StateTable
from inventory_sync.domain.import_run import ImportRun


class DynamoRunHistory:
    """Run ids sort by the time at which runs were planned."""

    def __init__(self, table: StateTable) -> None:
        self._table = table

    def newest_first(self) -> Iterator[ImportRun]:
        """Page by page, as far as it is asked for."""
        for _, run in readable(self._table, "run", ImportRun, newest_first=True):
            yield run

    def run(self, run_id: str) -> ImportRun | None:
        """Read consistently."""
        record = self._table.record("run", run_id)
        return None if record is None else decode(ImportRun, record, f"run {run_id}")
