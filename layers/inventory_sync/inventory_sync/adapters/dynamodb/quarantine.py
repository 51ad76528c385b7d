"""The quarantine table: what was taken but cannot be used, kept whole."""

from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

from inventory_sync.adapters.aws.errors import translated
from inventory_sync.adapters.dynamodb.unstored_completions import DynamoUnstoredCompletions
from inventory_sync.adapters.instants import to_text
from inventory_sync.adapters.s3.event_bodies import SMALL_BODIES, EventBodies
from inventory_sync.domain.errors import FatalError
from inventory_sync.domain.inbound import QuarantinedCompletion, QuarantineEntry, quarantine_id

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

DETAIL_CHARACTERS_MAX = 2_000
"""A reason may come from outside."""
DEPTH_PAGES_MAX = 50
"""Of 1 MB each, resolved entries included: ten thousand usual ones, or 350 of the longest."""


class DynamoQuarantine:
    """`retention` counts from the last time the same entry came in.

    One with a completion, which only the flows that take bodies in add, and which they name
    `completions` for, does not expire before it is resolved.
    """

    def __init__(
        self,
        client: "DynamoDBClient",
        table: str,
        retention: timedelta,
        bodies: EventBodies = SMALL_BODIES,
        completions: DynamoUnstoredCompletions | None = None,
    ) -> None:
        self._client = client
        self._table = table
        self._retention = retention
        self._bodies = bodies
        self._completions = completions

    def add(self, entry: QuarantineEntry) -> None:
        """One put under an id made of what the entry is, so that a repeat meets itself.

        Its completion stands before it: whatever fails in between, nothing is released.
        """
        entry_id = quarantine_id(entry)
        if entry.completion is not None:
            self._keep(
                QuarantinedCompletion(
                    entry_id=entry_id, completion=entry.completion, received_at=entry.received_at
                )
            )
        retain_until = {"N": str(int((entry.received_at + self._retention).timestamp()))}
        item: dict[str, Any] = {
            "quarantine_id": {"S": entry_id},
            "reason": {"S": entry.reason},
            "detail": {"S": storable_detail(entry.detail)},
            **self._bodies.keep(entry.body),
            "received_at": {"S": to_text(entry.received_at)},
            "retain_until": retain_until,
        }
        if entry.completion is None:
            item["expires_at"] = retain_until
        if entry.ref is not None:
            item["location_id"] = {"S": entry.ref.location_id}
            item["event_key"] = {"S": entry.ref.event_key}
        with translated("quarantine table"):
            self._client.put_item(TableName=self._table, Item=item)

    def _keep(self, completion: QuarantinedCompletion) -> None:
        if self._completions is None:
            raise FatalError("a completion went into quarantine where no state table was named")
        self._completions.add(completion)

    def depth(self, pages_max: int = DEPTH_PAGES_MAX) -> int:
        """By a count of so many pages at most: the item count AWS keeps is hours old.

        What an operator has resolved is history, but a page has it too until it expires.
        """
        pages = self._client.get_paginator("scan").paginate(
            TableName=self._table,
            Select="COUNT",
            ConsistentRead=True,
            FilterExpression="attribute_not_exists(resolution)",
        )
        with translated("quarantine table"):
            return sum(page["Count"] for page in islice(pages, pages_max))


def storable_detail(detail: str) -> str:
    """Its beginning, with half surrogate pairs replaced."""
    return detail[:DETAIL_CHARACTERS_MAX].encode("utf-8", "replace").decode()
