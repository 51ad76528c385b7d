"""Stored records that cannot be read: each is named in the log, left out, and counted."""

import logging

from inventory_sync.domain.errors import FatalError

_LOGGER = logging.getLogger("inventory_sync.records")


def report_unreadable(error: FatalError) -> None:
    """Names the record and its fault, and quotes nothing of it."""
    _LOGGER.error("record unreadable, left out: %s", error)


class UnreadableRecords(logging.Handler):
    """Remembers what is reported from now on, in whatever thread, each record once."""

    def __init__(self) -> None:
        super().__init__()
        self._found: set[str] = set()
        _LOGGER.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Called by `logging`, under the handler's lock."""
        self._found.add(record.getMessage().partition(": ")[2])

    def taken(self) -> list[str]:
        """What was reported since this was last asked, in order."""
        found, self._found = self._found, set()
        return sorted(found)

    def close(self) -> None:
        """No more."""
        _LOGGER.removeHandler(self)
        super().close()
