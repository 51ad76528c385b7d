"""The state table: one small item for each lease, head, run, location, hold and approval."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from inventory_sync.adapters.aws.errors import translated
from inventory_sync.adapters.dynamodb.calls import Refused, items_of, write_if

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_WHAT = "state table"


class StateTable:
    """Items are keyed by `kind` and `id` and hold their record as JSON in `record`."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self.client = client
        self.name = table

    def get(self, kind: str, item_id: str) -> dict[str, Any] | None:
        """One item, read consistently."""
        with translated(_WHAT):
            answer: Any = self.client.get_item(
                TableName=self.name, Key=self.key(kind, item_id), ConsistentRead=True
            )
        item: dict[str, Any] | None = answer.get("Item")
        return item

    def record(self, kind: str, item_id: str) -> str | None:
        """An item's record, empty where it has none; None where there is no such item."""
        item = self.get(kind, item_id)
        return None if item is None else _text_of(item)

    def version(self, kind: str, item_id: str) -> int:
        """Of what `replace` wrote there last; 0 without one."""
        item = self.get(kind, item_id) or {}
        return int(item.get("version", {}).get("N", "0"))

    def records(self, kind: str, *, newest_first: bool = False) -> Iterator[tuple[str, str]]:
        """(id, record) of every item of a kind, read consistently, by id or from the highest id.

        The record is empty where the item has none.
        """
        arguments: dict[str, Any] = {
            "TableName": self.name,
            "ConsistentRead": True,
            "ScanIndexForward": not newest_first,
            "KeyConditionExpression": "kind = :kind",
            "ExpressionAttributeValues": {":kind": {"S": kind}},
        }
        for item in items_of(_WHAT, self.client.query, arguments):
            yield item["id"]["S"], _text_of(item)

    def put(self, kind: str, item_id: str, record: str) -> None:
        """Write an item whatever stands there."""
        with translated(_WHAT):
            self.client.put_item(
                TableName=self.name,
                Item={**self.key(kind, item_id), "record": {"S": record}},
            )

    def replace(self, kind: str, item_id: str, record: str, *, version: int) -> bool:
        """Write version `version` over the one before it, the first over nothing.

        False where somebody else has written.
        """
        arguments = {
            "TableName": self.name,
            "Item": {
                **self.key(kind, item_id),
                "record": {"S": record},
                "version": {"N": str(version)},
            },
            "ConditionExpression": "attribute_not_exists(version) OR version = :before",
            "ExpressionAttributeValues": {":before": {"N": str(version - 1)}},
        }
        return not isinstance(write_if(_WHAT, self.client.put_item, arguments), Refused)

    def delete(self, kind: str, item_id: str, *, record: str | None = None) -> None:
        """Remove an item, if it is there, or only while it has that record."""
        arguments: dict[str, Any] = {"TableName": self.name, "Key": self.key(kind, item_id)}
        if record is not None:
            arguments["ConditionExpression"] = "#record = :record"
            arguments["ExpressionAttributeNames"] = {"#record": "record"}
            arguments["ExpressionAttributeValues"] = {":record": {"S": record}}
        write_if(_WHAT, self.client.delete_item, arguments)

    @staticmethod
    def key(kind: str, item_id: str) -> dict[str, Any]:
        """An item's primary key."""
        return {"kind": {"S": kind}, "id": {"S": item_id}}


def _text_of(item: Mapping[str, Any]) -> str:
    text: str = item.get("record", {}).get("S", "")
    return text
