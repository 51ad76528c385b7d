"""The lines of an export file, in bounded memory however long one of them is.

NewStore ends each event with a newline. Where newlines were lost on the way, a line is what stands
between two objects. A newline always ends a line, so that one which is broken costs only itself.
What frames an object is taken off: the brackets and commas of an array over lines, and the record
separators of JSON text sequences.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise

from inventory_sync.use_cases.ingest.ingest_event import PARSED_BYTES_MAX

LINE_BYTES_MAX = PARSED_BYTES_MAX
"""Of a line that is kept. What is longer is cut, and counted."""
JOINED_MAX = 8
"""So many parts are tried as one: braces that meet in an event's text look like two objects."""

_SPACE = b" \t\r"
_MARK = b"\xef\xbb\xbf"
"""A byte order mark. Files that were put together have it in the middle."""
_BLANK = _SPACE + _MARK
_FRAME = _SPACE + b"[,]\x1e"
_BETWEEN_OBJECTS = re.compile(rb"}[ \t\r\xef\xbb\xbf]*{")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportLine:
    """`body` is without blanks around it; `begin` and `end` are the file's bytes, unpacked."""

    body: bytes
    length: int
    begin: int
    end: int


@dataclass(slots=True)
class _Part:
    """What stands up to a newline or up to another object; `last` of its line."""

    begin: int
    kept: bytearray = field(default_factory=bytearray)
    length: int = 0
    end: int = 0
    last: bool = True
    closed: bool = False
    """Whether it ends with a brace, for all that is read of it."""

    def add(self, piece: bytes) -> None:
        self.kept += piece[: LINE_BYTES_MAX - len(self.kept)]
        self.length += len(piece)
        if text := piece.rstrip(_BLANK):
            self.closed = text.endswith(b"}")

    def ended(self, separator: int) -> "_Part":
        self.end, self.last = self.begin + self.length + separator, separator > 0
        return self


def read_lines(chunks: Iterable[bytes], begin: int) -> Iterator[ExportLine]:
    """Lines that say something, from a line's beginning on; the last one may lack its end."""
    waiting: list[_Part] = []
    for part in _parts(chunks, begin):
        waiting.append(part)
        while waiting:
            count = _of_one_object(waiting)
            if not count and not part.last and len(waiting) < JOINED_MAX:
                break
            taken, waiting = waiting[: count or 1], waiting[count or 1 :]
            yield from _line(taken)


def _of_one_object(waiting: list[_Part]) -> int:
    """How many parts, from the first on, are one object; 0 where none are."""
    if len(waiting) == 1 and waiting[0].last:
        return 1
    counts = range(1, len(waiting) + 1)
    return next((count for count in counts if _is_json(_joined(waiting[:count]))), 0)


def _joined(parts: list[_Part]) -> bytes:
    """Without what frames it, and without the mark before the next object."""
    text = b"".join(part.kept for part in parts).strip(_SPACE)
    return _unframed(text.removesuffix(_MARK).rstrip(_SPACE))


def _is_json(text: bytes) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _line(parts: list[_Part]) -> Iterator[ExportLine]:
    if body := _joined(parts):
        length = sum(part.length for part in parts)
        yield ExportLine(body=body, length=length, begin=parts[0].begin, end=parts[-1].end)


def _unframed(text: bytes) -> bytes:
    """An object by itself, or nothing; as it stands where it is neither."""
    inner = text.strip(_FRAME)
    return inner if not inner or (inner.startswith(b"{") and inner.endswith(b"}")) else text


def _parts(chunks: Iterable[bytes], begin: int) -> Iterator[_Part]:
    part = _Part(begin)
    for chunk in chunks:
        text = chunk.lstrip(_BLANK)
        if part.closed and text.startswith(b"{"):
            part.add(chunk.removesuffix(text))
            yield part.ended(0)
            part, chunk = _Part(part.end), text
        for piece, separator in _pieces(chunk):
            part.add(piece)
            if separator is not None:
                yield part.ended(separator)
                part = _Part(part.end)
    if part.length:
        yield replace(part, end=part.begin + part.length)


def _pieces(chunk: bytes) -> Iterator[tuple[bytes, int | None]]:
    """Pieces and the bytes of what ends each: a newline, another object, the chunk (None)."""
    *lines, rest = chunk.split(b"\n")
    for line in lines:
        *objects, last = _objects(line)
        yield from ((piece, 0) for piece in objects)
        yield last, 1
    *objects, last = _objects(rest)
    yield from ((piece, 0) for piece in objects)
    yield last, None


def _objects(line: bytes) -> list[bytes]:
    ends = [found.end() - 1 for found in _BETWEEN_OBJECTS.finditer(line)]
    return [line[begin:end] for begin, end in pairwise([0, *ends, len(line)])]
