"""The ERP's bucket, or a folder in it: objects listed, read line by line, and written once.

connector.json                         how the ERP writes its files
stock/<location>/<any name>.csv        what a location holds, and <the same name>.done
movements/<reference>.csv              for the ERP to collect
acknowledgements/<any name>.csv        what the ERP did with them

A file may be packed with gzip, and what its byte order mark says of its encoding counts.
"""

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from inventory_sync.adapters.aws.errors import error_code, translated
from inventory_sync.adapters.aws.objects import is_missing
from inventory_sync.adapters.csv_text import encoding_of
from inventory_sync.adapters.erp.csv.format import FORMAT_KEY, CsvFormat, read_format
from inventory_sync.adapters.gzip_stream import GZIP_MARK, BrokenGzipError, gunzipped
from inventory_sync.domain.errors import SnapshotIncompleteError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_TAKEN = frozenset({"PreconditionFailed", "412", "ConditionalRequestConflict", "409"})
_REPLACED = frozenset({"NoSuchKey", "404", "PreconditionFailed", "412"})
_WHAT = "the ERP's bucket"
_CHUNK_BYTES = 1_048_576
_LINE_CHARACTERS_MAX = 1_000_000
_ZIP_MARK = b"PK\x03\x04"


@dataclass(frozen=True, slots=True)
class Found:
    """An object as a listing has it."""

    key: str
    etag: str
    modified: datetime

    @property
    def is_csv(self) -> bool:
        """By its name: .csv, packed or not, in letters of either case."""
        return self.key.lower().endswith((".csv", ".csv.gz"))


class CsvBucket:
    """Keys are those below `prefix`, which is empty or ends with a slash.

    RetriableError where S3 cannot be reached, FatalError where a right is missing.
    """

    def __init__(self, client: "S3Client", bucket: str, prefix: str = "") -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = prefix

    def format(self) -> CsvFormat:
        """What connector.json says; all defaults without one."""
        body = self.read(FORMAT_KEY)
        return CsvFormat() if body is None else read_format(body)

    def listed(self, prefix: str) -> Iterator[Found]:
        """Everything below a prefix, by key."""
        with self._translated():
            pages = self._client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self._bucket, Prefix=self._prefix + prefix):
                for entry in page.get("Contents", []):
                    key = entry["Key"].removeprefix(self._prefix)
                    yield Found(key, entry["ETag"], entry["LastModified"])

    def head(self, key: str) -> Found | None:
        """None where there is no such object."""
        with self._translated():
            try:
                answer = self._client.head_object(Bucket=self._bucket, Key=self._prefix + key)
            except ClientError as error:
                if is_missing(self._client, self._bucket, self._prefix + key, error):
                    return None
                raise
        return Found(key, answer["ETag"], answer["LastModified"])

    def read(self, key: str) -> bytes | None:
        """The whole of a small object."""
        with self._translated():
            try:
                answer = self._client.get_object(Bucket=self._bucket, Key=self._prefix + key)
                return answer["Body"].read()
            except ClientError as error:
                if is_missing(self._client, self._bucket, self._prefix + key, error):
                    return None
                raise

    def create(self, key: str, body: bytes) -> bool:
        """Written whole, or not at all; False where another has written the key before."""
        with self._translated():
            try:
                self._client.put_object(
                    Bucket=self._bucket,
                    Key=self._prefix + key,
                    Body=body,
                    ContentType="text/csv",
                    IfNoneMatch="*",
                )
            except ClientError as error:
                if error_code(error) in _TAKEN:
                    return False
                raise
        return True

    def lines(self, found: Found, encoding: str) -> Iterator[str]:
        """The text, line by line: memory does not grow with the file.

        SnapshotIncompleteError for a file that is no text, or was replaced meanwhile.
        """
        with self._translated():
            try:
                answer = self._client.get_object(
                    Bucket=self._bucket, Key=self._prefix + found.key, IfMatch=found.etag
                )
            except ClientError as error:
                if error_code(error) not in _REPLACED:
                    raise
                text = f"{found.key} was replaced or removed while it was to be read"
                raise SnapshotIncompleteError(text) from error
        try:
            yield from _lines(_unpacked(answer["Body"]), encoding)
        except (UnicodeError, _NoTextError, BrokenGzipError) as error:
            raise SnapshotIncompleteError(f"{found.key} {_fault(error, encoding)}") from error

    def _translated(self) -> Any:
        return translated(_WHAT)


class _NoTextError(Exception):
    """As the end of a sentence."""


def _fault(error: Exception, encoding: str) -> str:
    if isinstance(error, UnicodeError):
        return f"is not all in {encoding}, as connector.json says: {error}"
    return str(error)


def _lines(chunks: Iterator[bytes], encoding: str) -> Iterator[str]:
    """Lines with their ends; one that has no end within bounds is refused."""
    first = next(chunks, b"")
    decoder = codecs.getincrementaldecoder(encoding_of(first, encoding))()
    rest = ""
    for chunk in chain([first], chunks):
        *whole, rest = (rest + decoder.decode(chunk)).split("\n")
        if len(rest) > _LINE_CHARACTERS_MAX:
            raise _NoTextError("has a line without an end; check the file's encoding")
        for line in whole:
            yield line + "\n"
    yield rest + decoder.decode(b"", final=True)


def _unpacked(body: Any) -> Iterator[bytes]:
    chunks = _chunks(body)
    first = next(chunks, b"")
    if first.startswith(_ZIP_MARK):
        raise _NoTextError("is a zip archive or a workbook; write it as CSV, or pack it with gzip")
    whole = chain([first], chunks)
    return gunzipped(whole, _CHUNK_BYTES) if first.startswith(GZIP_MARK) else whole


def _chunks(body: Any) -> Iterator[bytes]:
    with translated(_WHAT):
        yield from body.iter_chunks(_CHUNK_BYTES)
