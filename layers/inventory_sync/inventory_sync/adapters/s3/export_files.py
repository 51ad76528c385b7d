"""NewStore's export files in S3, or on this machine: read from a byte on, unpacked as they come."""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from inventory_sync.adapters.aws.errors import error_code, translated
from inventory_sync.domain.errors import RejectedError
from inventory_sync.domain.inbound import ExportFile

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

CHUNK_BYTES = 65_536
_WHAT = "export file"
_GZIP = 16 + zlib.MAX_WBITS
_GONE = frozenset({"NoSuchKey", "404"})
_REPLACED = "PreconditionFailed"
_NOTHING_LEFT = "InvalidRange"


class S3ExportFiles:
    """An offset counts unpacked bytes: a packed file is unpacked again from its beginning."""

    def __init__(self, client: "S3Client") -> None:
        self._client = client

    @contextmanager
    def chunks(self, file: ExportFile, offset: int) -> Iterator[Iterator[bytes]]:
        """A connection that breaks is a RetriableError; the offset says from where to go on."""
        packed = is_packed(file)
        body = self._open(file, 0 if packed else offset)
        if body is None:
            yield iter(())
            return
        try:
            with translated(_WHAT):
                pieces = body.iter_chunks(CHUNK_BYTES)
                yield skipped(unpacked(pieces, file), offset) if packed else pieces
        finally:
            body.close()

    def _open(self, file: ExportFile, offset: int) -> Any:
        """None where the file ends before."""
        arguments: Any = {"Bucket": file.bucket, "Key": file.key}
        if offset:
            arguments["Range"] = f"bytes={offset}-"
        if file.etag:
            arguments["IfMatch"] = file.etag
        with translated(_WHAT):
            try:
                return self._client.get_object(**arguments)["Body"]
            except ClientError as error:
                code = error_code(error)
                if code == _NOTHING_LEFT:
                    return None
                if code in _GONE:
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
                packed = is_packed(file)
                if not packed:
                    opened.seek(offset)
                pieces = iter(lambda: opened.read(CHUNK_BYTES), b"")
                yield from skipped(unpacked(pieces, file), offset) if packed else pieces
        except OSError as error:
            raise RejectedError(f"{file.key} cannot be read: {error.strerror}") from error


def is_packed(file: ExportFile) -> bool:
    """By its name."""
    return file.key.endswith(".gz")


def unpacked(pieces: Iterator[bytes], file: ExportFile) -> Iterator[bytes]:
    """The content of a gzip file of one or more parts, at most CHUNK_BYTES at a time.

    RejectedError where it is none, or ends in the middle: what came before has been given out.
    """
    unpacker = zlib.decompressobj(_GZIP)
    begun = False
    try:
        for piece in pieces:
            waiting = piece
            while waiting:
                if unpacker.eof:
                    unpacker = zlib.decompressobj(_GZIP)
                begun = True
                content = unpacker.decompress(waiting, CHUNK_BYTES)
                waiting = unpacker.unconsumed_tail or unpacker.unused_data
                if content:
                    yield content
    except zlib.error as error:
        raise RejectedError(f"{file.uri} is no gzip file, or broken: {error}") from error
    if begun and not unpacker.eof:
        raise RejectedError(f"{file.uri} ends in the middle of a gzip part; have it written again")


def skipped(chunks: Iterator[bytes], count: int) -> Iterator[bytes]:
    """Without the first so many bytes."""
    left = count
    for chunk in chunks:
        if left < len(chunk):
            yield chunk[left:]
        left = max(0, left - len(chunk))
