"""NewStore's export files in S3, or on this machine: read from a byte on, unpacked as they come.

Whether a file is packed is seen by how it begins, whatever its name says.
"""

import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from functools import partial
from itertools import chain
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile, ZipFile

from botocore.exceptions import ClientError

from inventory_sync.adapters.aws.errors import error_code, translated
from inventory_sync.adapters.aws.objects import is_missing
from inventory_sync.adapters.gzip_stream import GZIP_MARK, BrokenGzipError, gunzipped
from inventory_sync.domain.errors import RejectedError
from inventory_sync.domain.inbound import ExportFile

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

CHUNK_BYTES = 65_536
ZIP_BYTES_MAX = 256 * 1024**2
"""A zip file is kept whole while it is read: its table of contents is at its end."""
_ZIP_MEMORY_BYTES = 8 * 1024**2
_ZIP_MARK = b"PK\x03\x04"
_MARK_BYTES = 4
_NOT_DATA = "__MACOSX/"
_ZIP_FAULTS = (BadZipFile, EOFError, OSError, RuntimeError, ValueError, zlib.error)
_WHAT = "export file"
_REPLACED = "PreconditionFailed"
_NOTHING_LEFT = "InvalidRange"


class S3ExportFiles:
    """An offset counts unpacked bytes: a packed file is unpacked again from its beginning."""

    def __init__(self, client: "S3Client") -> None:
        self._client = client

    @contextmanager
    def chunks(self, file: ExportFile, offset: int) -> Iterator[Iterator[bytes]]:
        """A connection that breaks is a RetriableError; the offset says from where to go on."""
        packed = is_packed(self._begin(file))
        body = self._open(file, f"{0 if packed else offset}-")
        if body is None:
            yield iter(())
            return
        with closing(body), translated(_WHAT):
            pieces = body.iter_chunks(CHUNK_BYTES)
            yield skipped(unpacked(pieces, file), offset) if packed else pieces

    def _begin(self, file: ExportFile) -> bytes:
        body = self._open(file, f"0-{_MARK_BYTES - 1}")
        if body is None:
            return b""
        with closing(body), translated(_WHAT):
            return bytes(body.read())

    def _open(self, file: ExportFile, bytes_: str) -> Any:
        """None where the file ends before."""
        arguments: Any = {"Bucket": file.bucket, "Key": file.key, "Range": f"bytes={bytes_}"}
        if file.etag:
            arguments["IfMatch"] = file.etag
        with translated(_WHAT):
            try:
                return self._client.get_object(**arguments)["Body"]
            except ClientError as error:
                code = error_code(error)
                if code == _NOTHING_LEFT:
                    return None
                if is_missing(self._client, file.bucket, file.key, error):
                    raise RejectedError(f"{file.uri} is gone; have it written again") from error
                if code == _REPLACED:
                    raise RejectedError(
                        f"{file.uri} was replaced while it was read; the new one is read by itself"
                    ) from error
                raise


class LocalExportFiles:
    """Files of this machine; the key is the path."""

    def chunks(self, file: ExportFile, offset: int) -> Any:
        """Read as S3's are."""
        return nullcontext(self._pieces(file, offset))

    def _pieces(self, file: ExportFile, offset: int) -> Iterator[bytes]:
        try:
            with Path(file.key).open("rb") as opened:
                packed = is_packed(opened.read(_MARK_BYTES))
                opened.seek(0 if packed else offset)
                pieces = iter(lambda: opened.read(CHUNK_BYTES), b"")
                yield from skipped(unpacked(pieces, file), offset) if packed else pieces
        except OSError as error:
            raise RejectedError(f"{file.key} cannot be read: {error.strerror}") from error


def is_packed(begin: bytes) -> bool:
    """By the first bytes of a file."""
    return begin.startswith((GZIP_MARK, _ZIP_MARK))


def unpacked(pieces: Iterator[bytes], file: ExportFile) -> Iterator[bytes]:
    """The content of a packed file, at most CHUNK_BYTES at a time.

    RejectedError where it is broken or ends in the middle: what came before has been given out.
    """
    first = next(pieces, b"")
    unpack = _unzipped if first.startswith(_ZIP_MARK) else _gunzipped
    return unpack(chain([first], pieces), file)


def _gunzipped(pieces: Iterator[bytes], file: ExportFile) -> Iterator[bytes]:
    try:
        yield from gunzipped(pieces, CHUNK_BYTES)
    except BrokenGzipError as error:
        raise RejectedError(f"{file.uri} {error}") from error


def _unzipped(pieces: Iterator[bytes], file: ExportFile) -> Iterator[bytes]:
    """All files in it, in the order of its table of contents, a newline after each."""
    with SpooledTemporaryFile(_ZIP_MEMORY_BYTES) as spool:
        for piece in pieces:
            spool.write(piece)
            if spool.tell() > ZIP_BYTES_MAX:
                raise RejectedError(f"{file.uri} is a zip file of over {ZIP_BYTES_MAX} bytes")
        try:
            with ZipFile(spool) as archive:
                for member in archive.infolist():
                    if not (member.is_dir() or member.filename.startswith(_NOT_DATA)):
                        with archive.open(member) as opened:
                            yield from iter(partial(opened.read, CHUNK_BYTES), b"")
                        yield b"\n"
        except _ZIP_FAULTS as error:
            raise RejectedError(f"{file.uri} is a broken or encrypted zip file: {error}") from error


def skipped(chunks: Iterator[bytes], count: int) -> Iterator[bytes]:
    """Without the first so many bytes."""
    left = count
    for chunk in chunks:
        if left < len(chunk):
            yield chunk[left:]
        left = max(0, left - len(chunk))
