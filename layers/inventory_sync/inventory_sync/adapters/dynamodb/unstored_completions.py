"""The shipments in quarantine: an item of the state table for each, so that one query has them.

The webhook writes them: no pydantic here before one is read.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any

from inventory_sync.adapters.dynamodb.state_table import StateTable
from inventory_sync.adapters.instants import to_text
from inventory_sync.domain.inbound import QuarantinedCompletion

KIND = "unstored_completion"
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
        """One consistent query."""
        from inventory_sync.adapters.dynamodb.records import readable

        for _, found in readable(self._table, KIND, QuarantinedCompletion):
            yield found

    def removal(self, entry_id: str) -> dict[str, Any]:
        """Its removal, if it is there, as one item of a transaction."""
        key = StateTable.key(KIND, entry_id)
        return {"Delete": {"TableName": self._table.name, "Key": key}}


def _record(found: QuarantinedCompletion) -> str:
    text = json.dumps(asdict(found), sort_keys=True, default=to_text)
    if len(text) <= RECORD_CHARACTERS_MAX:
        return text
    shortened = replace(found.completion, items=(), whole=False)
    return _record(replace(found, completion=shortened))
