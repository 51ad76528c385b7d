"""Files of runs in S3: archives for NewStore, and what the next run starts from.

imports/<run>/availabilities.zip    fetched by NewStore
runs/<run>/manifest.json            locations in the run, where their ledgers are
runs/<run>/finalization.json          events to mark once the run has finished
ledger/<location>/<run>.json.gz     quantities of one location as of the run
"""

import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, TypeVar
from urllib.parse import quote

from botocore.exceptions import ClientError

from inventory_sync.adapters.aws.errors import error_code, translated
from inventory_sync.adapters.codec import decode, encode
from inventory_sync.adapters.s3.ledger_codec import decode_ledger, encode_ledger
from inventory_sync.domain.availabilities import (
    ARCHIVE_BYTES_MAX,
    FILES_PER_ARCHIVE_MAX,
    FileHead,
    RowBlock,
    encode_file,
)
from inventory_sync.domain.errors import FatalError, invariant
from inventory_sync.domain.manifest import Finalization, Ledger, Manifest

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

T = TypeVar("T")
DEFLATE_LEVEL = 1
"""A third of the time of the usual level, for archives that are a fifth larger."""
_MEMORY_BYTES_MAX = 1_000_000


class S3FileStore:
    """`sign` turns a key of the bucket into the URI that NewStore is given."""

    def __init__(self, client: "S3Client", bucket: str, sign: Callable[[str], str]) -> None:
        self._client = client
        self._bucket = bucket
        self._sign = sign

    @contextmanager
    def archive(self, run_id: str) -> Iterator["ZipArchive"]:
        """Collected on disk past a few megabytes; uploaded when the block ends without an error."""
        with tempfile.SpooledTemporaryFile(max_size=_MEMORY_BYTES_MAX) as file:
            with zip_into(file) as zipped:
                yield zipped
            file.seek(0)
            with translated("import bucket"):
                self._client.upload_fileobj(file, self._bucket, archive_key(run_id))

    def archive_uri(self, run_id: str) -> str:
        """As NewStore fetches it, possibly days later."""
        return self._sign(archive_key(run_id))

    def save_manifest(self, manifest: Manifest) -> None:
        """Keep what the run knew."""
        self._put(f"runs/{manifest.run_id}/manifest.json", encode(manifest).encode())

    def manifest(self, run_id: str) -> Manifest:
        """What the run knew."""
        return self._record(Manifest, f"runs/{run_id}/manifest.json")

    def save_ledger(self, ledger: Ledger) -> None:
        """Keep a location's quantities as of the run."""
        self._put(_ledger_key(ledger.location_id, ledger.run_id), encode_ledger(ledger))

    def ledger(self, location_id: str, run_id: str) -> Ledger | None:
        """None where the run has none for the location."""
        key = _ledger_key(location_id, run_id)
        data = self._get(key)
        return None if data is None else decode_ledger(data, key)

    def latest_ledger(self, location_id: str) -> Ledger | None:
        """Run ids sort by time."""
        prefix = _ledger_key(location_id, "").removesuffix(".json.gz")
        keys: list[str] = []
        with translated("import bucket"):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=prefix
            )
            for page in pages:
                keys += [found["Key"] for found in page.get("Contents", ())]
        if not keys:
            return None
        data = self._get(max(keys))
        return None if data is None else decode_ledger(data, max(keys))

    def save_finalization(self, run_id: str, finalization: Finalization) -> None:
        """Keep what to mark once the run has finished."""
        self._put(f"runs/{run_id}/finalization.json", encode(finalization).encode())

    def finalization(self, run_id: str) -> Finalization:
        """What to mark once the run has finished."""
        return self._record(Finalization, f"runs/{run_id}/finalization.json")

    def _record(self, kind: type[T], key: str) -> T:
        data = self._get(key)
        if data is None:
            raise FatalError(f"{key} is missing in the import bucket; restore it or start afresh")
        return decode(kind, data, key)

    def _put(self, key: str, data: bytes) -> None:
        with translated("import bucket"):
            self._client.put_object(Bucket=self._bucket, Key=key, Body=data)

    def _get(self, key: str) -> bytes | None:
        with translated("import bucket"):
            try:
                return self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
            except ClientError as error:
                if error_code(error) != "NoSuchKey":
                    raise
                return None


@contextmanager
def zip_into(file: IO[bytes] | tempfile.SpooledTemporaryFile[bytes]) -> Iterator["ZipArchive"]:
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


def _ledger_key(location_id: str, run_id: str) -> str:
    return f"ledger/{quote(location_id, safe='')}/{run_id}.json.gz"
