"""A stock file of all locations, parted by location on disk: it is read once, not once for each.

Memory stays flat; the disk holds as much as the columns that are needed of the file.
"""

import csv
import shutil
import tempfile
import threading
import weakref
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from zlib import crc32

from inventory_sync.domain.errors import SnapshotIncompleteError

PARTS = 64
"""Files that are open while one is parted; a part has the rows of so many fewer locations."""

Row = tuple[int, list[str]]
"""Its number, from 1 up, and its values without the location."""


class Parts:
    """The rows of one version of a file; gone from the disk once nobody reads it any more."""

    def __init__(self, rows: Iterable[list[str]]) -> None:
        """Rows begin with their location. SnapshotIncompleteError where the disk is too small."""
        self.folder = Path(tempfile.mkdtemp(prefix="erp-stock-"))
        weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)
        self.count = 0
        try:
            self._write(rows)
        except OSError as error:
            raise SnapshotIncompleteError(
                f"no room on disk after {self.count} rows ({error.strerror}): give the function"
                " more ephemeral storage, or let the ERP write a file for each location"
            ) from error

    def of(self, location: str) -> Iterator[Row]:
        """In the order of the file."""
        path = self._path(location)
        if not path.exists():
            return
        with path.open(encoding="utf-8", newline="") as part:
            for number, found, *values in csv.reader(part):
                if found == location:
                    yield int(number), values

    def _write(self, rows: Iterable[list[str]]) -> None:
        with ExitStack() as files:
            writers = {}
            for self.count, row in enumerate(rows, start=1):
                path = self._path(row[0])
                if path not in writers:
                    part = path.open("w", encoding="utf-8", newline="")
                    writers[path] = csv.writer(files.enter_context(part))
                writers[path].writerow((self.count, *row))

    def _path(self, location: str) -> Path:
        return self.folder / f"{crc32(location.encode()) % PARTS}.csv"


class PartedFile:
    """The parts of the version that was asked for last. May be shared by threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: tuple[tuple[str, str], Parts] | None = None

    def parts(self, version: tuple[str, str], rows: Iterable[list[str]]) -> Parts:
        """Of this version; `rows` are read only where they have not been."""
        with self._lock:
            if self._kept is None or self._kept[0] != version:
                self._kept = None
                self._kept = (version, Parts(rows))
            return self._kept[1]
