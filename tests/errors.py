"""Every error that a port may raise, and some that nobody foresees."""

from collections.abc import Iterator
from typing import Any

from inventory_sync.domain import errors
from inventory_sync.domain.errors import (
    BlockedError,
    InvariantError,
    InventorySyncError,
    LeaseLostError,
)


def _tree(kind: type[InventorySyncError]) -> Iterator[type[InventorySyncError]]:
    yield kind
    for below in kind.__subclasses__():
        if below.__module__ == errors.__name__:
            yield from _tree(below)


_ARGUMENTS: dict[type[InventorySyncError], tuple[Any, ...]] = {
    BlockedError: ("wrong", 300.0),
    InvariantError: ("resumable", "wrong"),
}
STOP_ALL = (InvariantError, LeaseLostError)
"""After these nothing goes on, wherever they come from."""
EVERY = [kind(*_ARGUMENTS.get(kind, ("wrong",))) for kind in _tree(InventorySyncError)]
OF_ONE: list[Exception] = [
    *(error for error in EVERY if not isinstance(error, STOP_ALL)),
    KeyError("a fault of our own"),
    UnicodeEncodeError("utf-8", "x", 0, 1, "a fault of our own"),
    RecursionError(),
    TimeoutError(),
]
OF_ALL = [error for error in EVERY if isinstance(error, STOP_ALL)]
