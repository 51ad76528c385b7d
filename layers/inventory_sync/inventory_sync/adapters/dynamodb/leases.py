"""The import's lease: one item, taken and kept by conditional writes."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from inventory_sync.adapters.dynamodb.calls import Refused, write_if
from inventory_sync.adapters.dynamodb.state_table import StateTable
from inventory_sync.adapters.instants import to_milliseconds
from inventory_sync.domain.errors import LeaseLostError
from inventory_sync.domain.import_head import Lease

LEASE_KEY = StateTable.key("lease", "import")


class DynamoLeases:
    """The fencing token grows with each acquisition and is never reused."""

    def __init__(self, table: StateTable) -> None:
        self._table = table

    def acquire(self, *, now: datetime, until: datetime) -> Lease | None:
        """Taken when nobody holds it or the holder's time has run out."""
        answer = self._write(
            {
                "UpdateExpression": "SET expires_at_ms = :until ADD fencing_token :one",
                "ConditionExpression": (
                    "attribute_not_exists(expires_at_ms) OR expires_at_ms <= :now"
                ),
                "ExpressionAttributeValues": {
                    ":until": {"N": str(to_milliseconds(until))},
                    ":now": {"N": str(to_milliseconds(now))},
                    ":one": {"N": "1"},
                },
                "ReturnValues": "ALL_NEW",
            }
        )
        if isinstance(answer, Refused):
            return None
        return Lease(int(answer["Attributes"]["fencing_token"]["N"]), until)

    def renew(self, lease: Lease, *, now: datetime, until: datetime) -> Lease:
        """Only the current holder, and only before its time has run out."""
        self._change(lease, now, until)
        return Lease(lease.fencing_token, until)

    def release(self, lease: Lease) -> None:
        """The token stays, so that the next holder's is higher."""
        try:
            self._change(lease, None, None)
        except LeaseLostError:
            return

    def _change(self, lease: Lease, now: datetime | None, until: datetime | None) -> None:
        condition = "fencing_token = :token"
        values = {
            ":token": {"N": str(lease.fencing_token)},
            ":until": {"N": str(to_milliseconds(until) if until else 0)},
        }
        if now is not None:
            condition += " AND expires_at_ms > :now"
            values[":now"] = {"N": str(to_milliseconds(now))}
        answer = self._write(
            {
                "UpdateExpression": "SET expires_at_ms = :until",
                "ConditionExpression": condition,
                "ExpressionAttributeValues": values,
            }
        )
        if isinstance(answer, Refused):
            raise LeaseLostError(f"fencing token {lease.fencing_token} is over")

    def _write(self, update: Mapping[str, Any]) -> Mapping[str, Any] | Refused:
        arguments = {"TableName": self._table.name, "Key": LEASE_KEY, **update}
        return write_if("state table", self._table.client.update_item, arguments)
