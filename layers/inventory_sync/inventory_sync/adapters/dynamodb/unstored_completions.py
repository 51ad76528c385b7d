"""The shipments in quarantine: an item of the state table for each, so that one query has them.

The webhook writes them: no pydantic here before one is read.
"""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

from inventory_sync.adapters.dynamodb.state_table import StateTable
from inventory_sync.adapters.instants import read_instant, to_text
from inventory_sync.domain.errors import FatalError
from inventory_sync.domain.inbound import QuarantinedCompletion, UnstoredCompletion

KIND = "unstored_completion"
RECEIVED_AT_UNKNOWN = datetime(2999, 1, 1, tzinfo=UTC)
"""Its hours never end: it keeps imports back until a person has resolved it."""
RECORD_CHARACTERS_MAX = 300_000
"""An item holds 400 KB. The units of a longer record are left out: they count as not readable."""


class DynamoUnstoredCompletions:
    """They do not expire: a person resolves each with its quarantine entry."""

    def __init__(self, table: StateTable) -> None:
        self._table = table

    def add(self, found: QuarantinedCompletion) -> None:
        """The first stands: its hours count from when it first came in."""
        self._table.replace(KIND, found.entry_id, _record(found), version=1)

    def unresolved(self) -> Iterator[QuarantinedCompletion]:
        """One consistent query; of a record that cannot be read what keeps most imports back."""
        from inventory_sync.adapters.codec import decode
        from inventory_sync.adapters.unreadable import report_unreadable

        for entry_id, text in self._table.records(KIND):
            try:
                yield decode(QuarantinedCompletion, text, f"{KIND} {entry_id}")
            except FatalError as error:
                report_unreadable(error)
                yield _as_far_as_readable(entry_id, text)

    def removal(self, entry_id: str) -> dict[str, Any]:
        """Its removal, if it is there, as one item of a transaction."""
        key = StateTable.key(KIND, entry_id)
        return {"Delete": {"TableName": self._table.name, "Key": key}}


def _as_far_as_readable(entry_id: str, text: str) -> QuarantinedCompletion:
    """Each field by itself; where it cannot be read it may be any."""
    record = _object(text)
    completion = _object(record.get("completion"))
    place, at = completion.get("location_id"), completion.get("logical_timestamp")
    try:
        received_at = read_instant(record.get("received_at"))
    except ValueError:
        received_at = RECEIVED_AT_UNKNOWN
    return QuarantinedCompletion(
        entry_id=entry_id,
        completion=UnstoredCompletion(
            location_id=place if isinstance(place, str) else "",
            logical_timestamp=at if type(at) is int and at >= 0 else None,
        ),
        received_at=received_at,
    )


def _object(value: object) -> dict[str, Any]:
    """Empty for anything else."""
    with suppress(ValueError, RecursionError):
        value = json.loads(value) if isinstance(value, str) else value
    return value if isinstance(value, dict) else {}


def _record(found: QuarantinedCompletion) -> str:
    text = json.dumps(asdict(found), sort_keys=True, default=to_text)
    if len(text) <= RECORD_CHARACTERS_MAX:
        return text
    shortened = replace(found.completion, items=(), whole=False)
    return _record(replace(found, completion=shortened))
