"""A stock file of all locations, parted by location on disk: it is read once, not once for each."""

import threading
from collections.abc import Iterable

from inventory_sync.adapters.parts import DiskFullError, Parts
from inventory_sync.domain.errors import SnapshotIncompleteError


class PartedFile:
    """The parts of the version that was asked for last. May be shared by threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: tuple[tuple[str, str], Parts] | None = None

    def parts(self, version: tuple[str, str], rows: Iterable[list[str]]) -> Parts:
        """Of this version; `rows`, which begin with their location, are read if they have not been.

        SnapshotIncompleteError where the disk is too small.
        """
        with self._lock:
            if self._kept is None or self._kept[0] != version:
                self._kept = None
                self._kept = (version, _parted(rows))
            return self._kept[1]


def _parted(rows: Iterable[list[str]]) -> Parts:
    try:
        return Parts(rows, "erp-stock-")
    except DiskFullError as error:
        raise SnapshotIncompleteError(
            f"{error}: give the function more ephemeral storage, or let the ERP write a file for"
            " each location"
        ) from error
