"""Rows parted by their first value on disk: read once, however many of the values are asked for.

Memory stays flat; the disk holds as much as the rows have.
"""

import csv
import shutil
import tempfile
import weakref
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from zlib import crc32

PARTS = 64
"""Files that are open while rows are parted; a part has the rows of so many fewer values."""

Row = tuple[int, list[str]]
"""Its number, from 1 up, and its values without the first."""


class DiskFullError(Exception):
    """The disk is too small; `rows` is how many were written."""

    def __init__(self, rows: int, reason: str) -> None:
        super().__init__(f"no room on disk after {rows} rows ({reason})")
        self.rows = rows


class Parts:
    """The rows that were given; gone from the disk once nobody reads them any more."""

    def __init__(self, rows: Iterable[list[str]], prefix: str) -> None:
        """DiskFullError where the disk is too small."""
        self.folder = Path(tempfile.mkdtemp(prefix=prefix))
        weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)
        self.count = 0
        try:
            self._write(rows)
        except OSError as error:
            raise DiskFullError(self.count, str(error.strerror)) from error

    def of(self, first: str) -> Iterator[Row]:
        """Those with that first value, in the order in which they were given."""
        path = self._path(first)
        if not path.exists():
            return
        with path.open(encoding="utf-8", newline="") as part:
            for number, found, *values in csv.reader(part):
                if found == first:
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

    def _path(self, first: str) -> Path:
        return self.folder / f"{crc32(first.encode()) % PARTS}.csv"
