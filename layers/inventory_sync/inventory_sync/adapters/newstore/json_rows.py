"""The objects of one long JSON list, one after another: memory does not grow with the list."""

import codecs
import json
from collections.abc import Iterator
from typing import IO, Any

from inventory_sync.domain.errors import RetriableError

_CHUNK_BYTES = 262_144
_OBJECT_CHARACTERS_MAX = 1_000_000
_SPACE = " \t\r\n"


def json_rows(file: IO[bytes], where: str) -> Iterator[dict[str, Any]]:
    """Those of a bare list, or of the first list in an object.

    RetriableError for anything else, and for a list that breaks off.
    """
    text = _Text(file, where)
    text.skip_to("[")
    while (found := text.peek()) != "]":
        yield text.take_object()
        if (found := text.peek()) not in ",]":
            raise RetriableError(f"{where}: expected a comma or the list's end, got {found!r}")
        if found == ",":
            text.position += 1
    text.read_to_the_end()


class _Text:
    """What has been read and not been taken."""

    def __init__(self, file: IO[bytes], where: str) -> None:
        self._file = file
        self._where = where
        self._decode = codecs.getincrementaldecoder("utf-8-sig")("replace").decode
        self._decoder = json.JSONDecoder()
        self._buffer = ""
        self.position = 0

    def skip_to(self, character: str) -> None:
        """Past it."""
        while (at := self._buffer.find(character, self.position)) < 0:
            self._buffer, self.position = "", 0
            self._more()
        self.position = at + 1

    def peek(self) -> str:
        """The next character that is no space."""
        while True:
            while self.position < len(self._buffer):
                if self._buffer[self.position] not in _SPACE:
                    return self._buffer[self.position]
                self.position += 1
            self._more()

    def take_object(self) -> dict[str, Any]:
        """Whole, however many chunks it takes."""
        while True:
            try:
                found, self.position = self._decoder.raw_decode(self._buffer, self.position)
            except ValueError as error:
                if len(self._buffer) - self.position > _OBJECT_CHARACTERS_MAX + _CHUNK_BYTES:
                    raise RetriableError(f"{self._where}: a row is no JSON") from error
                self._more()
                continue
            if not isinstance(found, dict):
                raise RetriableError(f"{self._where}: a row is no object")
            return found

    def read_to_the_end(self) -> None:
        """A packed file tells only there whether it is whole."""
        while self._file.read(_CHUNK_BYTES):
            pass

    def _more(self) -> None:
        piece = self._file.read(_CHUNK_BYTES)
        if not piece:
            raise RetriableError(f"{self._where}: the list breaks off")
        self._buffer = self._buffer[self.position :] + self._decode(piece)
        self.position = 0
