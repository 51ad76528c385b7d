"""An archive on this machine, packed as the one for NewStore would be."""

import hashlib
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from inventory_sync.adapters.s3.file_store import ZipArchive, zip_into
from inventory_sync.domain.availabilities import FileHead, PackedFile, RowBlock
from inventory_sync.domain.cut import LogicalRange

_CHUNK_BYTES = 1_000_000


class ZipOnDisk:
    """Written to `path`, whose folder has to be there."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._ranges: list[LogicalRange] = []

    @contextmanager
    def archive(self) -> Iterator["_Noting"]:
        """Gone again where the block ends with an error."""
        self._ranges.clear()
        try:
            with self._path.open("wb") as file, zip_into(file) as zipped:
                yield _Noting(zipped, self._ranges)
        except BaseException:
            self._path.unlink(missing_ok=True)
            raise

    def packed(self) -> tuple[int, tuple[PackedFile, ...]]:
        """In the order in which the files were written."""
        if not self._ranges:
            return 0, ()
        with zipfile.ZipFile(self._path) as zipped:
            files = tuple(
                PackedFile(
                    name=info.filename,
                    released=released,
                    content_bytes=info.file_size,
                    sha256=_digest(zipped, info),
                )
                for info, released in zip(zipped.infolist(), self._ranges, strict=True)
            )
        return self._path.stat().st_size, files


class _Noting:
    """Notes the range of each file that is added."""

    def __init__(self, zipped: ZipArchive, ranges: list[LogicalRange]) -> None:
        self._zipped, self._ranges = zipped, ranges

    def add_file(self, number: int, head: FileHead, blocks: Iterable[RowBlock]) -> None:
        """As the archive does."""
        self._zipped.add_file(number, head, blocks)
        self._ranges.append(head.released)


def _digest(zipped: zipfile.ZipFile, info: zipfile.ZipInfo) -> str:
    digest = hashlib.sha256()
    with zipped.open(info) as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
