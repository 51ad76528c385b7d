"""Calls to DynamoDB that every table needs: all pages, and writes that ask for a condition."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from inventory_sync.adapters.aws.errors import error_code, translated
from inventory_sync.domain.errors import FatalError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Item = Mapping[str, Any]
Call = Callable[..., Any]
"""A method of the client."""

PAGES_MAX = 100_000
CONDITION_FAILED = frozenset({"ConditionalCheckFailed"})
CONFLICT = frozenset({"TransactionConflict"})
"""Reasons why DynamoDB cancels a transaction."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The condition does not hold, nothing was written; the item as it is, where asked for."""

    item: Item


def items_of(
    what: str, read: Call, arguments: Mapping[str, Any], pages_max: int = PAGES_MAX
) -> Iterator[Item]:
    """All items of a query or scan, page by page as far as they are asked for."""
    start: Mapping[str, Any] = {}
    for _ in range(pages_max):
        with translated(what):
            page = read(**arguments, **start)
        yield from page["Items"]
        if not page.get("LastEvaluatedKey"):
            return
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
    raise FatalError(f"{what}: more than {pages_max} pages in one reading")


def write_if(what: str, write: Call, arguments: Mapping[str, Any]) -> Mapping[str, Any] | Refused:
    """The answer to a write of one item that has a condition."""
    with translated(what):
        try:
            answer: Mapping[str, Any] = write(**arguments)
        except ClientError as error:
            if error_code(error) != "ConditionalCheckFailedException":
                raise
            response: Any = error.response
            return Refused(response.get("Item", {}))
    return answer


def transact(
    what: str,
    client: "DynamoDBClient",
    items: Any,
    *,
    refused_by: frozenset[str] = CONDITION_FAILED,
) -> bool:
    """Write all items or none; False where one of these reasons refused it.

    FatalError where an item cannot be stored at all.
    """
    with translated(what):
        try:
            client.transact_write_items(TransactItems=items)
        except ClientError as error:
            reasons = _cancellation_reasons(error)
            if "ValidationError" in reasons:
                raise FatalError(f"{what}: a record is not storable") from error
            if not reasons & refused_by:
                raise
            return False
    return True


def _cancellation_reasons(error: ClientError) -> frozenset[str]:
    response: Any = error.response
    return frozenset(reason.get("Code", "") for reason in response.get("CancellationReasons", ()))
