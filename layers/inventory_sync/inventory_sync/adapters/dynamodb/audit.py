"""What operators change in the state table: no change without the record of who, when and why."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from inventory_sync.adapters.codec import encode
from inventory_sync.adapters.dynamodb.calls import CONDITION_FAILED, CONFLICT, transact
from inventory_sync.adapters.dynamodb.records import readable
from inventory_sync.adapters.dynamodb.state_table import StateTable
from inventory_sync.domain.errors import RejectedError

CHANGES_PER_RECORD_MAX = 99
"""With its record they fit one transaction of at most 100 items."""
RECORD_CHARACTERS_MAX = 100_000
"""A record that quotes no more than this stays below 400 KB."""
_NO_TEXT = "attribute_not_exists(#record) OR NOT attribute_type(#record, :text)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Who changes something, by which command, and why."""

    who: str
    command: str
    why: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One item's record before and after; None where there was none, or is none any more."""

    kind: str
    item_id: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRecord:
    """Changes that were written in one transaction, this record among them."""

    author: Author
    changes: tuple[Change, ...]


class AuditedTable:
    """Records have the kind `audit` and sort by time; they do not expire."""

    def __init__(self, table: StateTable) -> None:
        self._table = table

    def apply(self, changes: Sequence[Change], author: Author) -> None:
        """In portions, each whole or not at all; to repeat what was cut off is safe.

        RejectedError where an item is no longer what `before` says: somebody else was quicker.
        """
        for part in _portions(changes):
            self._write(part, author)

    def record_of(self, changes: Sequence[Change], author: Author) -> Any:
        """The record as one item of a transaction that writes the changes in another way."""
        record = AuditRecord(author=author, changes=tuple(changes))
        text = encode(record)
        digest = hashlib.sha256(text.encode()).hexdigest()[:12]
        item_id = f"{author.at:%Y%m%dT%H%M%S.%fZ}#{digest}"
        return self._written(Change(kind="audit", item_id=item_id, before=None, after=text))

    def records(self, *, newest_first: bool = False) -> Iterator[AuditRecord]:
        """By time, page by page as far as it is asked for."""
        for _, record in readable(self._table, "audit", AuditRecord, newest_first=newest_first):
            yield record

    def _write(self, changes: Sequence[Change], author: Author) -> None:
        items: Any = [*map(self._written, changes), self.record_of(changes, author)]
        others_wrote = CONDITION_FAILED | CONFLICT
        if not transact("state table", self._table.client, items, refused_by=others_wrote):
            raise RejectedError(
                "somebody else is changing the same rows, so these were not changed;"
                " look at them and try again"
            )

    def _written(self, change: Change) -> dict[str, Any]:
        key = StateTable.key(change.kind, change.item_id)
        write: dict[str, Any] = {
            "TableName": self._table.name,
            "ExpressionAttributeNames": {"#record": "record"},
            "ConditionExpression": "attribute_not_exists(#record)",
        }
        if change.before is not None:
            write["ConditionExpression"] = "#record = :before"
            write["ExpressionAttributeValues"] = {":before": {"S": change.before}}
        if change.before == "":  # what stands there has no text: it is put right all the same
            write["ConditionExpression"] += f" OR {_NO_TEXT}"
            write["ExpressionAttributeValues"][":text"] = {"S": "S"}
        if change.after is None:
            return {"Delete": {**write, "Key": key}}
        return {"Put": {**write, "Item": {**key, "record": {"S": change.after}}}}


def _portions(changes: Sequence[Change]) -> Iterator[tuple[Change, ...]]:
    part: list[Change] = []
    size = 0
    for change in changes:
        characters = len(change.item_id) + len(change.before or "") + len(change.after or "")
        full = len(part) == CHANGES_PER_RECORD_MAX or size + characters > RECORD_CHARACTERS_MAX
        if part and full:
            yield tuple(part)
            part, size = [], 0
        part.append(change)
        size += characters
    if part:
        yield tuple(part)
