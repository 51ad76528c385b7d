"""The lines of an export file, in bounded memory however long one of them is."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from inventory_sync.use_cases.ingest.ingest_event import PARSED_BYTES_MAX

LINE_BYTES_MAX = PARSED_BYTES_MAX
"""Of a line that is kept. What is longer is cut, and counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportLine:
    """`body` is without the line's end; `begin` and `end` are the file's bytes, unpacked."""

    body: bytes
    length: int
    begin: int
    end: int


def read_lines(chunks: Iterable[bytes], begin: int) -> Iterator[ExportLine]:
    """Lines that say something, from a line's beginning on; the last one may lack its end."""
    kept, length = bytearray(), 0
    for chunk in chunks:
        *ended, rest = chunk.split(b"\n")
        for piece in ended:
            _keep(kept, piece)
            length += len(piece)
            end = begin + length + 1
            yield from _line(kept, length, begin, end)
            kept, length, begin = bytearray(), 0, end
        _keep(kept, rest)
        length += len(rest)
    if length:
        yield from _line(kept, length, begin, begin + length)


def _keep(kept: bytearray, piece: bytes) -> None:
    kept += piece[: LINE_BYTES_MAX - len(kept)]


def _line(kept: bytearray, length: int, begin: int, end: int) -> Iterator[ExportLine]:
    body = bytes(kept).strip(b" \t\r")
    if body:
        yield ExportLine(body=body, length=length, begin=begin, end=end)
