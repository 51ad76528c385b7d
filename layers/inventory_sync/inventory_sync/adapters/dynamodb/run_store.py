"""The import head and the history of runs, written only under a current lease."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from inventory_sync.adapters.codec import decode, encode
from inventory_sync.adapters.dynamodb.audit import AuditedTable, Author, Change
from inventory_sync.adapters.dynamodb.calls import transact
from inventory_sync.adapters.dynamodb.leases import LEASE_KEY
from inventory_sync.adapters.dynamodb.state_table import StateTable
from inventory_sync.adapters.instants import to_milliseconds
from inventory_sync.adapters.unreadable import report_unreadable
from inventory_sync.domain.errors import FatalError, LeaseLostError
from inventory_sync.domain.import_head import ImportHead, Lease
from inventory_sync.domain.release_evidence import VerdictChange

_HEAD_KEY = StateTable.key("head", "import")


class DynamoRunStore:
    """Head and history item change in one transaction with a check of the lease.

    So is the audit record of the watermark, where an operator is the `author`, and that of a
    verdict on the release reading.
    """

    def __init__(
        self, table: StateTable, retention: timedelta, author: Author | None = None
    ) -> None:
        self._table = table
        self._retention = retention
        self._author = author

    def head(self) -> ImportHead:
        """The first head there is stands for: nothing was ever imported.

        Nothing can be imported without one: where it cannot be read that is an error, and counted.
        """
        record = self._table.record("head", "import")
        if record is None:
            return ImportHead()
        try:
            return decode(ImportHead, record, "import head")
        except FatalError as error:
            report_unreadable(error)
            remedy = "no import goes on before it is put right: see docs/runbook.md, Import errors"
            raise type(error)(f"{error}; {remedy}") from error

    def save(
        self,
        head: ImportHead,
        *,
        lease: Lease,
        now: datetime,
        verdict: VerdictChange | None = None,
    ) -> ImportHead:
        """One transaction: lease current, nobody wrote since, head and run written."""
        written = replace(head, version=head.version + 1)
        items = self._items(written, lease, now)
        if self._author is not None:
            # The condition on the version holds for this reading too.
            change = _watermark_change(self.head(), written)
            items.append(AuditedTable(self._table).record_of([change], self._author))
        if verdict is not None:
            items.append(AuditedTable(self._table).record_of(*_verdict_change(verdict)))
        if not transact("state table", self._table.client, items):
            raise LeaseLostError(
                f"fencing token {lease.fencing_token} is over,"
                f" or another run wrote version {written.version}"
            )
        return written

    def _items(self, head: ImportHead, lease: Lease, now: datetime) -> Any:
        table = self._table.name
        items: list[Any] = [
            {
                "ConditionCheck": {
                    "TableName": table,
                    "Key": LEASE_KEY,
                    "ConditionExpression": "fencing_token = :token AND expires_at_ms > :now",
                    "ExpressionAttributeValues": {
                        ":token": {"N": str(lease.fencing_token)},
                        ":now": {"N": str(to_milliseconds(now))},
                    },
                }
            },
            {
                "Put": {
                    "TableName": table,
                    "Item": {
                        **_HEAD_KEY,
                        "record": {"S": encode(head)},
                        "version": {"N": str(head.version)},
                    },
                    "ConditionExpression": "attribute_not_exists(version) OR version = :before",
                    "ExpressionAttributeValues": {":before": {"N": str(head.version - 1)}},
                }
            },
        ]
        if head.run is not None:
            expires_at = int((now + self._retention).timestamp())
            history = {
                **StateTable.key("run", head.run.run_id),
                "record": {"S": encode(head.run)},
                "state": {"S": head.run.state.value},
                "expires_at": {"N": str(expires_at)},
            }
            items.append({"Put": {"TableName": table, "Item": history}})
        return items


def _watermark_change(before: ImportHead, after: ImportHead) -> Change:
    def told(head: ImportHead) -> str:
        return json.dumps(head.watermark)

    return Change(kind="watermark", item_id="import", before=told(before), after=told(after))


def _verdict_change(verdict: VerdictChange) -> tuple[list[Change], Author]:
    """The adapter itself is its author."""
    rows = f"{verdict.for_range} rows for range, {verdict.for_immediate} for immediate"
    author = Author(who="inventory-sync", command="import", why=rows, at=verdict.at)
    before, after = json.dumps(verdict.before), json.dumps(verdict.after)
    change = Change(kind="release_reading", item_id="newstore", before=before, after=after)
    return [change], author
