"""Changes are written in portions that a transaction and its record take, each with its record."""

import pytest

from inventory_sync.adapters.dynamodb.audit import (
    CHANGES_PER_RECORD_MAX,
    RECORD_CHARACTERS_MAX,
    AuditedTable,
    Author,
    Change,
)
from inventory_sync.adapters.dynamodb.state_table import StateTable
from tests.builders import NOW
from tests.contract.conftest import Database

ADA = Author(who="Ada", command="test", why="test", at=NOW)
LONG = RECORD_CHARACTERS_MAX // 2
SMALL = 10


@pytest.mark.parametrize(
    ("changes", "characters", "portions"),
    [
        (CHANGES_PER_RECORD_MAX, SMALL, [CHANGES_PER_RECORD_MAX]),
        (CHANGES_PER_RECORD_MAX + 1, SMALL, [1, CHANGES_PER_RECORD_MAX]),
        (2, LONG - SMALL, [2]),
        (3, LONG - SMALL, [1, 2]),
        (2, LONG + SMALL, [1, 1]),
        (2, RECORD_CHARACTERS_MAX + SMALL, [1, 1]),
    ],
)
def test_a_portion_has_no_more_changes_and_characters_than_a_record_takes(
    database: Database, changes: int, characters: int, portions: list[int]
) -> None:
    state = StateTable(database.client, database.table("StateTable"))
    table = AuditedTable(state)
    made = [
        Change(kind="product", item_id=f"{number:05}", before=None, after="x" * (characters - 5))
        for number in range(changes)
    ]

    table.apply(made, ADA)

    records = list(table.records())
    assert sorted(len(record.changes) for record in records) == portions
    assert sorted((c for r in records for c in r.changes), key=lambda c: c.item_id) == made
    assert all(state.record("product", change.item_id) == change.after for change in made)
