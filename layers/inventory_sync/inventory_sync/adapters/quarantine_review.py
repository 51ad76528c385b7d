"""The quarantine table as operators read and clear it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from inventory_sync.adapters.aws_errors import translated
from inventory_sync.adapters.instants import from_text
from inventory_sync.domain.errors import RejectedError
from inventory_sync.domain.events import EventRef
from inventory_sync.domain.inbound import QuarantineEntry

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_WHAT = "quarantine table"


class QuarantineReview:
    """Entries by their id, which may be shortened as far as it stays unique."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def entries(self) -> Iterator[tuple[str, QuarantineEntry]]:
        """All, in no order; the table holds what is wrong, so it is small."""
        pages = self._client.get_paginator("scan").paginate(
            TableName=self._table, ConsistentRead=True
        )
        with translated(_WHAT):
            for page in pages:
                for item in page["Items"]:
                    yield item["quarantine_id"]["S"], _entry(item)

    def find(self, beginning: str) -> tuple[str, QuarantineEntry]:
        """The one entry whose id begins so; RejectedError where that is none or several."""
        found = [pair for pair in self.entries() if pair[0].startswith(beginning)]
        if len(found) != 1:
            number = f"{len(found)} entries begin" if found else "no entry begins"
            raise RejectedError(f"{number} with {beginning!r}; see `quarantine list`")
        return found[0]

    def drop(self, entry_id: str) -> None:
        """Remove an entry, if it is there."""
        key: Any = {"quarantine_id": {"S": entry_id}}
        with translated(_WHAT):
            self._client.delete_item(TableName=self._table, Key=key)


def _entry(item: Any) -> QuarantineEntry:
    ref = None
    if "location_id" in item:
        ref = EventRef(item["location_id"]["S"], item["event_key"]["S"])
    return QuarantineEntry(
        reason=item["reason"]["S"],
        detail=item["detail"]["S"],
        body=bytes(item["body"]["B"]),
        received_at=from_text(item["received_at"]["S"]),
        ref=ref,
    )
