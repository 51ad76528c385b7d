"""What runs leave behind in S3 so that they can be explained.

runs/<run>/record.jsonl.gz    a line for each location: its sum, see domain/run_record.py
runs/<run>/outcome.json       the run as it ended, with NewStore's answers
"""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from inventory_sync.adapters.codec import decode, encode
from inventory_sync.adapters.s3.bucket import Bucket
from inventory_sync.adapters.unreadable import report_unreadable
from inventory_sync.domain.errors import FatalError
from inventory_sync.domain.import_run import ImportRun
from inventory_sync.domain.run_record import LocationRecord

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class S3RunRecords:
    """One object for all locations of a run: memory and requests do not grow with them."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._bucket = Bucket(client, bucket)

    @contextmanager
    def writer(self, run_id: str) -> Iterator["JsonLines"]:
        """Uploaded when the block ends without an error."""
        with (
            self._bucket.upload(_record_key(run_id)) as file,
            gzip.GzipFile(fileobj=file, mode="wb", compresslevel=1, mtime=0) as zipped,
        ):
            yield JsonLines(zipped)

    def locations(self, run_id: str) -> Iterator[LocationRecord]:
        """Read line by line; FatalError where the object is not one of ours."""
        key = _record_key(run_id)
        data = self._bucket.get(key)
        if data is not None:
            yield from read_lines(data, key)

    def save_outcome(self, run: ImportRun) -> None:
        """Written before the head says that the run has ended, so that no ended run lacks it."""
        self._bucket.put(_outcome_key(run.run_id), encode(run).encode())

    def outcome(self, run_id: str) -> ImportRun | None:
        """None where the run has not ended, or its files have expired."""
        key = _outcome_key(run_id)
        data = self._bucket.get(key)
        return None if data is None else decode(ImportRun, data, key)


class JsonLines:
    """Appends to a file."""

    def __init__(self, file: IO[bytes] | gzip.GzipFile) -> None:
        self._file = file

    def add(self, record: LocationRecord) -> None:
        """The same record always gives the same bytes."""
        self._file.write(encode(record).encode() + b"\n")


def read_lines(data: bytes, what: str) -> Iterator[LocationRecord]:
    """The records of a gzipped file, without those that cannot be read, which the log names.

    FatalError naming `what` where it is no such file.
    """
    try:
        lines = gzip.decompress(data).splitlines()
    except (OSError, EOFError, zlib.error) as error:
        raise FatalError(f"{what}: not gzipped: {error}") from error
    for number, line in enumerate(lines, start=1):
        try:
            yield decode(LocationRecord, line, f"{what} line {number}")
        except FatalError as error:
            report_unreadable(error)


def _record_key(run_id: str) -> str:
    return f"runs/{run_id}/record.jsonl.gz"


def _outcome_key(run_id: str) -> str:
    return f"runs/{run_id}/outcome.json"
