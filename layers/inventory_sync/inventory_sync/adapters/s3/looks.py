"""What a shadow has seen, as lines of JSON in S3.

shadow/2026-03-02/091500000000.jsonl.gz    a line for each location that a tick has looked at
"""

import gzip
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from inventory_sync.adapters.codec import decode, encode
from inventory_sync.adapters.s3.bucket import Bucket
from inventory_sync.adapters.unreadable import report_unreadable
from inventory_sync.domain.errors import FatalError
from inventory_sync.domain.shadow import Look

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PREFIX = "shadow/"
READS_AT_ONCE = 8
_DAY = timedelta(days=1)
_NOTHING = gzip.compress(b"")
"""In place of an object that has run out meanwhile."""


class S3Looks:
    """One object for each tick, by day; they expire with the runs' files."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._bucket = Bucket(client, bucket)

    @contextmanager
    def writer(self, at: datetime) -> Iterator["_Lines"]:
        """Uploaded when the block ends without an error."""
        with self._bucket.upload(_key(at)) as file, gzip.open(file, "wb") as lines:
            yield _Lines(lines)

    def between(self, since: datetime, until: datetime) -> Iterator[Look]:
        """A line that cannot be read is left out, and reported."""
        day = since.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        first, end = _key(since), _key(until)
        with ThreadPoolExecutor(READS_AT_ONCE, thread_name_prefix="looks") as pool:
            while day < until:
                keys = self._bucket.keys(f"{PREFIX}{day:%Y-%m-%d}/")
                wanted = [key for key in keys if first <= key < end]
                for key, found in zip(wanted, pool.map(self._bucket.get, wanted), strict=True):
                    yield from _looks(key, found or _NOTHING)
                day += _DAY


class _Lines:
    def __init__(self, file: "gzip.GzipFile") -> None:
        self._file = file

    def add(self, look: Look) -> None:
        """As it comes."""
        self._file.write(encode(look).encode() + b"\n")


def _looks(key: str, packed: bytes) -> Iterator[Look]:
    try:
        lines = gzip.decompress(packed).splitlines()
    except (OSError, EOFError, zlib.error) as error:
        report_unreadable(FatalError(f"{key}: {type(error).__name__}"))
        return
    for line in lines:
        try:
            yield decode(Look, line, key)
        except FatalError as error:
            report_unreadable(error)


def _key(at: datetime) -> str:
    return f"{PREFIX}{at.astimezone(UTC):%Y-%m-%d/%H%M%S%f}.jsonl.gz"
