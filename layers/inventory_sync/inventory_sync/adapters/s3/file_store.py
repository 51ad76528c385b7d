"""Files of runs in S3: archives for NewStore, and what the next run starts from.

imports/<run>/availabilities.zip    fetched by NewStore
runs/<run>/manifest.json            locations in the run, where their ledgers are
runs/<run>/finalization.json          events to mark once the run has finished
ledger/<location>/<run>.json.gz     quantities of one location as of the run
"""

import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from heapq import nlargest
from typing import IO, TYPE_CHECKING, TypeVar
from urllib.parse import quote

from inventory_sync.adapters.codec import decode, encode
from inventory_sync.adapters.s3.bucket import Bucket
from inventory_sync.adapters.s3.ledger_codec import decode_ledger, encode_ledger
from inventory_sync.adapters.unreadable import report_unreadable
from inventory_sync.domain.availabilities import (
    ARCHIVE_BYTES_MAX,
    FILES_PER_ARCHIVE_MAX,
    FileHead,
    RowBlock,
    encode_file,
)
from inventory_sync.domain.errors import FatalError, invariant
from inventory_sync.domain.manifest import Finalization, KeptLedger, Ledger, Manifest

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

T = TypeVar("T")
LEDGERS_TRIED_MAX = 20
_RESTORE = "restore its earlier version, see docs/runbook.md, Import errors"
DEFLATE_LEVEL = 1
"""A third of the time of the usual level, for archives that are a fifth larger."""


class S3FileStore:
    """`sign` turns a key of the bucket into the URI that NewStore is given."""

    def __init__(self, client: "S3Client", bucket: str, sign: Callable[[str], str]) -> None:
        self._bucket = Bucket(client, bucket)
        self._sign = sign

    @contextmanager
    def archive(self, run_id: str) -> Iterator["ZipArchive"]:
        """Uploaded when the block ends without an error."""
        with self._bucket.upload(archive_key(run_id)) as file, zip_into(file) as zipped:
            yield zipped

    def archive_uri(self, run_id: str) -> str:
        """As NewStore fetches it, possibly days later."""
        return self._sign(archive_key(run_id))

    def save_manifest(self, manifest: Manifest) -> None:
        """Keep what the run knew."""
        self._bucket.put(f"runs/{manifest.run_id}/manifest.json", encode(manifest).encode())

    def manifest(self, run_id: str) -> Manifest:
        """What the run knew; FatalError, which is counted, where it cannot be read."""
        key = f"runs/{run_id}/manifest.json"
        data = self._bucket.get(key)
        try:
            return _decoded(Manifest, data, key)
        except FatalError as error:
            report_unreadable(error)
            raise type(error)(f"{error}; {_RESTORE}") from error

    def save_ledger(self, ledger: Ledger) -> None:
        """Keep a location's quantities as of the run."""
        self._bucket.put(_ledger_key(ledger.location_id, ledger.run_id), encode_ledger(ledger))

    def ledger(self, location_id: str, run_id: str) -> Ledger | None:
        """None where the run has none for the location, or one that cannot be read."""
        return self._ledger(_ledger_key(location_id, run_id))

    def latest_ledger(self, location_id: str) -> KeptLedger:
        """Run ids sort by time; of those that cannot be read no more than a few are tried."""
        prefix = _ledger_key(location_id, "").removesuffix(".json.gz")
        keys = nlargest(LEDGERS_TRIED_MAX, self._bucket.keys(prefix))
        for key in keys:
            if (ledger := self._ledger(key)) is not None:
                return KeptLedger(ledger, lost=key != keys[0])
        return KeptLedger(lost=bool(keys))

    def _ledger(self, key: str) -> Ledger | None:
        """The log names one that cannot be read."""
        data = self._bucket.get(key)
        try:
            return None if data is None else decode_ledger(data, key)
        except FatalError as error:
            report_unreadable(error)
            return None

    def save_finalization(self, run_id: str, finalization: Finalization) -> None:
        """Keep what to mark once the run has finished."""
        self._bucket.put(f"runs/{run_id}/finalization.json", encode(finalization).encode())

    def finalization(self, run_id: str) -> Finalization:
        """What to mark once the run has finished; nothing where it cannot be read."""
        key = f"runs/{run_id}/finalization.json"
        data = self._bucket.get(key)
        try:
            return _decoded(Finalization, data, key)
        except FatalError as error:
            report_unreadable(error)
            return Finalization(counted=(), closed=())


@contextmanager
def zip_into(file: IO[bytes]) -> Iterator["ZipArchive"]:
    """The same files always give the same bytes: nothing in them tells the time or the run."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=DEFLATE_LEVEL) as zipped:
        yield ZipArchive(zipped)


class ZipArchive:
    """Availabilities files in one zip, within NewStore's limits."""

    def __init__(self, zipped: zipfile.ZipFile) -> None:
        self._zipped = zipped
        self._bytes = 0

    def add_file(self, number: int, head: FileHead, blocks: Iterable[RowBlock]) -> None:
        """Streamed: the file is never held in memory as a whole."""
        invariant(number <= FILES_PER_ARCHIVE_MAX, "archive_limits", f"{number} files in a zip")
        name = f"availabilities-{number:04d}.json"
        with self._zipped.open(name, "w") as file:
            for piece in encode_file(head, blocks):
                self._bytes += len(piece)
                file.write(piece)
        size = self._bytes
        invariant(size < ARCHIVE_BYTES_MAX, "archive_limits", f"{size} bytes in an archive")


def archive_key(run_id: str) -> str:
    """Where a run's archive stands in the bucket."""
    return f"imports/{run_id}/availabilities.zip"


def _decoded(kind: type[T], data: bytes | None, key: str) -> T:
    if data is None:
        raise FatalError(f"{key} is missing in the import bucket")
    return decode(kind, data, key)


def _ledger_key(location_id: str, run_id: str) -> str:
    return f"ledger/{quote(location_id, safe='')}/{run_id}.json.gz"
