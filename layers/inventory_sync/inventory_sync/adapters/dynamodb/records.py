"""Records of one kind, each decoded by itself: one that cannot be read holds up no other."""

from collections.abc import Iterator
from typing import TypeVar

from inventory_sync.adapters.codec import decode
from inventory_sync.adapters.dynamodb.state_table import StateTable
from inventory_sync.adapters.unreadable import report_unreadable
from inventory_sync.domain.errors import FatalError

T = TypeVar("T")


def readable(
    table: StateTable, kind: str, record: type[T], *, newest_first: bool = False
) -> Iterator[tuple[str, T]]:
    """(id, record) of those that can be read; the log names the others and their fault."""
    for item_id, text in table.records(kind, newest_first=newest_first):
        try:
            yield item_id, decode(record, text, f"{kind} {item_id}")
        except FatalError as error:
            report_unreadable(error)
