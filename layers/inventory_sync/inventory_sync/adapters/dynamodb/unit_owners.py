"""The requests table: one item for each fulfillment request, which says what event books each unit.

A table of its own: among the events it would wake the forwarder and fill the location's collection.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from inventory_sync.adapters.aws.errors import error_code, translated
from inventory_sync.domain.errors import RejectedError
from inventory_sync.domain.events import FulfillmentEvent
from inventory_sync.domain.units import Ownership, is_owner_mark, owner_mark, ownership

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

ITEMS_PER_UPDATE_MAX = 100
"""DynamoDB takes 300 operators and functions and 4 KB in one update expression."""
_UNIT = "unit#"
"""Begins the name of a unit's attribute; the rest is the item's id."""


class DynamoUnitOwners:
    """`retention` counts from the last event of a request.

    It outlives every window in which NewStore repeats an event; an older event is booked only when
    a person says so (use_cases/forward/forward_events.py).
    """

    def __init__(self, client: "DynamoDBClient", table: str, retention: timedelta) -> None:
        self._client = client
        self._table = table
        self._retention = retention

    def own(self, event: FulfillmentEvent, now: datetime) -> Ownership:
        """One update for each hundred items: `if_not_exists` decides, and answers with all."""
        marks = {item.item_id: owner_mark(event, item.product_id) for item in event.items}
        items = sorted(marks.items())
        owners: dict[str, str] = {}
        for start in range(0, len(items), ITEMS_PER_UPDATE_MAX):
            owners |= self._own(event, items[start : start + ITEMS_PER_UPDATE_MAX], now)
        return ownership(event, owners)

    def _own(
        self, event: FulfillmentEvent, items: list[tuple[str, str]], now: datetime
    ) -> dict[str, str]:
        sets = [f"#i{n} = if_not_exists(#i{n}, :m{n})" for n in range(len(items))]
        names = {f"#i{n}": _UNIT + item_id for n, (item_id, _) in enumerate(items)}
        marks = {f":m{n}": {"S": mark} for n, (_, mark) in enumerate(items)}
        expires_at = int((now + self._retention).timestamp())
        with translated("requests table"):
            try:
                answer: Any = self._client.update_item(
                    TableName=self._table,
                    Key={"fulfillment_request_id": {"S": event.fulfillment_request_id}},
                    UpdateExpression=f"SET {', '.join(sets)}, expires_at = :expires_at",
                    ExpressionAttributeNames=names,
                    ExpressionAttributeValues={
                        **marks,
                        ":expires_at": {"N": str(expires_at)},
                    },
                    ReturnValues="ALL_NEW",
                )
            except ClientError as error:
                if error_code(error) != "ValidationException":
                    raise
                raise RejectedError(
                    f"request {event.fulfillment_request_id}: the requests table does not take its"
                    f" units ({len(event.items)} in this event): more than an item has room for"
                ) from error
        return {item_id: _mark(event, item_id, answer["Attributes"]) for item_id, _ in items}


def _mark(event: FulfillmentEvent, item_id: str, stored: Mapping[str, Any]) -> str:
    """RejectedError where nobody can say which event books the unit: a guess may book it twice."""
    mark: str = stored[_UNIT + item_id].get("S", "")
    if not is_owner_mark(mark):
        raise RejectedError(
            f"request {event.fulfillment_request_id}: the requests table does not say which event"
            f" books unit {item_id}; see docs/runbook.md, Records unreadable"
        )
    return mark
