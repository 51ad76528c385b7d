"""The state table: one small item for each lease, head, run, location, hold and approval."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from inventory_sync.adapters.aws.errors import error_code, translated

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_PAGES_MAX = 10_000
_CONDITION_FAILED = "ConditionalCheckFailedException"


class StateTable:
    """Items are keyed by `kind` and `id` and hold their record as JSON in `record`."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self.client = client
        self.name = table

    def get(self, kind: str, item_id: str) -> dict[str, Any] | None:
        """One item, read consistently."""
        with translated("state table"):
            answer: Any = self.client.get_item(
                TableName=self.name, Key=self.key(kind, item_id), ConsistentRead=True
            )
        item: dict[str, Any] | None = answer.get("Item")
        return item

    def records(self, kind: str, *, newest_first: bool = False) -> Iterator[tuple[str, str]]:
        """(id, record) of every item of a kind, read consistently, by id or from the highest id."""
        arguments: dict[str, Any] = {
            "TableName": self.name,
            "ConsistentRead": True,
            "ScanIndexForward": not newest_first,
            "KeyConditionExpression": "kind = :kind",
            "ExpressionAttributeValues": {":kind": {"S": kind}},
        }
        for _ in range(_PAGES_MAX):
            with translated("state table"):
                page: Any = self.client.query(**arguments)
            for item in page["Items"]:
                yield item["id"]["S"], item["record"]["S"]
            if not page.get("LastEvaluatedKey"):
                return
            arguments["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def put(self, kind: str, item_id: str, record: str) -> None:
        """Write an item whatever stands there."""
        with translated("state table"):
            self.client.put_item(
                TableName=self.name,
                Item={**self.key(kind, item_id), "record": {"S": record}},
            )

    def replace(self, kind: str, item_id: str, record: str, *, version: int) -> bool:
        """Write version `version` over the one before it, the first over nothing.

        False where somebody else has written.
        """
        with translated("state table"):
            try:
                self.client.put_item(
                    TableName=self.name,
                    Item={
                        **self.key(kind, item_id),
                        "record": {"S": record},
                        "version": {"N": str(version)},
                    },
                    ConditionExpression="attribute_not_exists(version) OR version = :before",
                    ExpressionAttributeValues={":before": {"N": str(version - 1)}},
                )
            except ClientError as error:
                if error_code(error) != _CONDITION_FAILED:
                    raise
                return False
        return True

    def delete(self, kind: str, item_id: str, *, record: str | None = None) -> None:
        """Remove an item, if it is there, or only while it has that record."""
        arguments: dict[str, Any] = {"TableName": self.name, "Key": self.key(kind, item_id)}
        if record is not None:
            arguments["ConditionExpression"] = "#record = :record"
            arguments["ExpressionAttributeNames"] = {"#record": "record"}
            arguments["ExpressionAttributeValues"] = {":record": {"S": record}}
        with translated("state table"):
            try:
                self.client.delete_item(**arguments)
            except ClientError as error:
                if error_code(error) != _CONDITION_FAILED:
                    raise

    @staticmethod
    def key(kind: str, item_id: str) -> dict[str, Any]:
        """An item's primary key."""
        return {"kind": {"S": kind}, "id": {"S": item_id}}
