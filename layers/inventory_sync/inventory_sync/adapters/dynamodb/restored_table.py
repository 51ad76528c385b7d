"""A table as it was: a copy of a point in time, and from it what the table lacks by now.

A restore makes a new table, without stream, expiry, recovery and protection, and under another name
than the stack's functions, roles and alarms know. So what is missing goes back into the old one.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from inventory_sync.adapters.aws.errors import error_code, translated
from inventory_sync.adapters.dynamodb.calls import Item, Refused, items_of, write_if
from inventory_sync.domain.errors import RejectedError, RetriableError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

WAIT_SECONDS = 20.0
WAITS_MAX = 2_160
"""Twelve hours: AWS takes twenty minutes for a small table, hours for a large one."""
THREADS = 16
_PORTION = 1_000
_WHAT = "restored table"
_REFUSED = frozenset({"InvalidRestoreTimeException", "PointInTimeRecoveryUnavailableException"})
_EXPIRES = "expires_at"


@dataclass(frozen=True, slots=True)
class Restored:
    """Items of the copy: put back, there already, and those whose time was over."""

    put_back: int = 0
    there: int = 0
    expired: int = 0


class RestoredTable:
    """`at` is the point in time. Every step may be repeated: it goes on where it was cut off."""

    def __init__(self, client: "DynamoDBClient", table: str, at: datetime) -> None:
        self._client = client
        self._table = table
        self._at = at
        self.copy = f"{table}-at-{at:%Y%m%dT%H%M%SZ}"

    def make(self, sleep: Callable[[float], None]) -> None:
        """Ask for the copy unless it is there, and wait; RejectedError for a time AWS has not."""
        if self._status() is None:
            self._ask()
        for _ in range(WAITS_MAX):
            if self._status() == "ACTIVE":
                return
            sleep(WAIT_SECONDS)
        raise RetriableError(f"{_WHAT} {self.copy}: not there yet; run the command again later")

    def put_back(self, now: datetime) -> Restored:
        """What the table lacks. What stands there is newer, and stays."""
        keys = self._key_names()
        put_back = there = expired = 0
        items = items_of(_WHAT, self._client.scan, {"TableName": self.copy})
        with ThreadPoolExecutor(THREADS) as threads:
            for portion in _portions(items):
                alive = [item for item in portion if not _over(item, now)]
                written = list(threads.map(lambda item: self._put(item, keys[0]), alive))
                expired += len(portion) - len(alive)
                put_back += sum(written)
                there += len(written) - sum(written)
        return Restored(put_back, there, expired)

    def drop_copy(self) -> None:
        """It costs by the month, and nothing protects it."""
        with translated(_WHAT):
            self._client.delete_table(TableName=self.copy)

    def _ask(self) -> None:
        with translated(_WHAT):
            try:
                self._client.restore_table_to_point_in_time(
                    SourceTableName=self._table,
                    TargetTableName=self.copy,
                    RestoreDateTime=self._at,
                )
            except ClientError as error:
                if error_code(error) not in _REFUSED:
                    raise
                raise RejectedError(f"{self._table}: AWS keeps no copy of {self._at}") from error

    def _status(self) -> str | None:
        with translated(_WHAT):
            try:
                found = self._client.describe_table(TableName=self.copy)["Table"]
            except self._client.exceptions.ResourceNotFoundException:
                return None
        return found["TableStatus"]

    def _key_names(self) -> list[str]:
        with translated(_WHAT):
            schema = self._client.describe_table(TableName=self._table)["Table"]["KeySchema"]
        return [key["AttributeName"] for key in schema]

    def _put(self, item: Item, key: str) -> bool:
        arguments = {
            "TableName": self._table,
            "Item": item,
            "ConditionExpression": "attribute_not_exists(#key)",
            "ExpressionAttributeNames": {"#key": key},
        }
        return not isinstance(write_if(_WHAT, self._client.put_item, arguments), Refused)


def _portions(items: Iterator[Item]) -> Iterator[list[Item]]:
    while portion := list(islice(items, _PORTION)):
        yield portion


def _over(item: Item, now: datetime) -> bool:
    return _EXPIRES in item and int(item[_EXPIRES]["N"]) <= now.timestamp()
