"""What cannot be read is named in the log, each once, and stored records are counted."""

import logging
from collections.abc import Callable
from typing import Self

from inventory_sync.domain.errors import InventorySyncError

_OURS = logging.getLogger("inventory_sync")
_RECORDS = logging.getLogger("inventory_sync.records")
_ENTRIES = logging.getLogger("inventory_sync.newstore")


class LeftOutError(InventorySyncError):
    """Something could not be read, and all else goes on without it."""


def report_unreadable(error: InventorySyncError) -> None:
    """Names a stored record and its fault, and quotes nothing of it."""
    _RECORDS.error("record unreadable: %s", error, extra={"cause": error})


def report_unreadable_entry(error: InventorySyncError) -> None:
    """Names an entry of a list of NewStore's, and quotes nothing of it."""
    _ENTRIES.error("entry of NewStore unreadable, left out: %s", error, extra={"cause": error})


class LeftOut(logging.Handler):
    """While it is entered, what is reported from any thread is told, once each.

    It is told instead of logged. `records` are those of them that are stored records, by name and
    fault.
    """

    def __init__(self, tell: Callable[[LeftOutError], None]) -> None:
        super().__init__()
        self._tell = tell
        self._told: set[str] = set()
        self.records: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Called by `logging`, under the handler's lock."""
        text = record.getMessage()
        if text in self._told:
            return
        self._told.add(text)
        cause: InventorySyncError = vars(record)["cause"]
        if record.name == _RECORDS.name:
            self.records.append(str(cause))
        self._tell(LeftOutError(text).with_traceback(cause.__traceback__))

    def __enter__(self) -> Self:
        self._before = _OURS.propagate
        _OURS.addHandler(self)
        _OURS.propagate = False
        return self

    def __exit__(self, *_: object) -> None:
        _OURS.removeHandler(self)
        _OURS.propagate = self._before
