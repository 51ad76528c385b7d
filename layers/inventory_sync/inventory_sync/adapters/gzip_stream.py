"""Gzip unpacked piece by piece, whatever the name of the file says."""

import zlib
from collections.abc import Iterable, Iterator

GZIP_MARK = b"\x1f\x8b"
_GZIP = 16 + zlib.MAX_WBITS


class BrokenGzipError(Exception):
    """What cannot be unpacked; the text says in which way, as the end of a sentence."""


def gunzipped(pieces: Iterable[bytes], piece_bytes: int) -> Iterator[bytes]:
    """The content of one or more gzip parts, at most so many bytes at a time.

    BrokenGzipError where it is broken or ends in the middle: what came before has been given out.
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
                content = unpacker.decompress(waiting, piece_bytes)
                waiting = unpacker.unconsumed_tail or unpacker.unused_data
                if content:
                    yield content
    except zlib.error as error:
        raise BrokenGzipError(f"is no gzip file, or broken: {error}") from error
    if begun and not unpacker.eof:
        raise BrokenGzipError("ends in the middle of a gzip part; have it written again")
