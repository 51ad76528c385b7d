"""The events table as operators read it: open events and history alike."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

from inventory_sync.adapters.aws.errors import translated
from inventory_sync.adapters.dynamodb.calls import Item, items_of
from inventory_sync.adapters.dynamodb.event_log import NOT_OURS, read_open_event
from inventory_sync.adapters.instants import to_text
from inventory_sync.adapters.s3.event_bodies import SMALL_BODIES, EventBodies
from inventory_sync.domain.errors import RejectedError
from inventory_sync.domain.events import EventRef, StoredEvent

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

LOGICAL_TIMESTAMP_MAX = 10**20 - 1
"""What fits the key's twenty digits."""
_WHAT = "events table"
READ_OF_AN_EVENT = (
    "location_id", "event_key", "order_id", "published_at", "received_at", "service_level", "items",
    "applied_at", "forwarded_at", "rejected_reason", "counted_by", "owned", "retried", "open_key",
    "document_id", "attempts",
)  # fmt: skip
"""All attributes that an event is read of: its body is none of them."""


class DynamoEventHistory:
    """Bodies are not read but for `body`."""

    def __init__(
        self, client: "DynamoDBClient", table: str, bodies: EventBodies = SMALL_BODIES
    ) -> None:
        self._client = client
        self._table = table
        self._bodies = bodies

    def of_location(
        self, location_id: str, *, first: int = 0, last: int | None = None
    ) -> Iterator[StoredEvent]:
        """One consistent query, read as far as it is asked for."""
        highest = LOGICAL_TIMESTAMP_MAX if last is None else last
        if highest < first:
            return
        arguments: dict[str, Any] = {
            "TableName": self._table,
            "ConsistentRead": True,
            "KeyConditionExpression": "location_id = :at AND event_key BETWEEN :first AND :last",
            "ExpressionAttributeValues": {
                ":at": {"S": location_id},
                ":first": {"S": f"{first:020d}"},
                # `$` comes after the `#` that follows a logical timestamp in the key.
                ":last": {"S": f"{highest:020d}$"},
            },
        }
        yield from self._read(self._client.query, arguments)

    def event(self, ref: EventRef) -> StoredEvent | None:
        """Read consistently."""
        item = self._item(ref)
        if item is None:
            return None
        try:
            return read_stored_event(item)
        except NOT_OURS as error:
            raise RejectedError(f"event {ref} is stored, but cannot be read: {error!r}") from error

    def published_between(self, since: datetime, until: datetime) -> Iterator[StoredEvent]:
        """A consistent scan: no key says when an event was published."""
        names = {f"#{number}": name for number, name in enumerate(READ_OF_AN_EVENT)}
        arguments: dict[str, Any] = {
            "TableName": self._table,
            "ConsistentRead": True,
            "FilterExpression": "published_at >= :since AND published_at < :until",
            "ProjectionExpression": ", ".join(names),
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": {
                ":since": {"S": to_text(since)},
                ":until": {"S": to_text(until)},
            },
        }
        yield from self._read(self._client.scan, arguments)

    def body(self, ref: EventRef) -> bytes | None:
        """What NewStore sent, byte for byte."""
        item = self._item(ref)
        return None if item is None else self._bodies.read(item)

    def _read(self, read: Any, arguments: dict[str, Any]) -> Iterator[StoredEvent]:
        """What cannot be read is left out: the sweep has put it into quarantine."""
        for item in items_of(_WHAT, read, arguments):
            with suppress(*NOT_OURS):
                yield read_stored_event(item)

    def _item(self, ref: EventRef) -> dict[str, Any] | None:
        key: Any = {"location_id": {"S": ref.location_id}, "event_key": {"S": ref.event_key}}
        with translated(_WHAT):
            answer: Any = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True)
        item: dict[str, Any] | None = answer.get("Item")
        return item


def read_stored_event(item: Item) -> StoredEvent:
    """An item of the table."""
    return StoredEvent(
        state=read_open_event(item),
        is_open="open_key" in item,
        document_id=item.get("document_id", {}).get("S", ""),
        attempts=int(item.get("attempts", {}).get("N", "0")),
    )
