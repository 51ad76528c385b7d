"""A server on this machine whose answers break in the middle, each in its own way."""

import json
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Self

SECONDS_MAX = 5
"""How long it would go on dripping."""
_DRIP_SECONDS = 0.05
_HEAD = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nETag: "e"\r\n'


def closed(connection: socket.socket, gone: threading.Event) -> None:
    """Ends the connection as if all had been said."""


def reset(connection: socket.socket, gone: threading.Event) -> None:
    """Ends it with a reset."""
    linger = struct.pack("ii", 1, 0)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)


def silent(connection: socket.socket, gone: threading.Event) -> None:
    """Says nothing more."""
    gone.wait(SECONDS_MAX)


def dripping(connection: socket.socket, gone: threading.Event) -> None:
    """Goes on with a blank now and then."""
    for _ in range(int(SECONDS_MAX / _DRIP_SECONDS)):
        if gone.wait(_DRIP_SECONDS):
            return
        connection.sendall(b" ")


Break = Callable[[socket.socket, threading.Event], None]


class BreakingServer:
    """Answers JSON by path; what begins with `path` breaks after `begin`, sent after a whole head.

    With `begin` None it breaks in the head. `chunked` has the body come in chunks, the last of
    which breaks within its size.
    """

    def __init__(
        self,
        path: str,
        break_: Break,
        begin: bytes | None,
        answers: dict[str, object] | None = None,
        *,
        chunked: bool = False,
    ) -> None:
        self._path, self._break, self._begin = path, break_, begin
        self._answers, self._chunked = answers or {}, chunked
        self._gone = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._accept)
        self._threads: list[threading.Thread] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                thread = threading.Thread(target=self._serve, args=(connection,))
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as sent, suppress(OSError):
            path = sent.readline().split(b" ")[1].decode()
            length = 0
            while line := sent.readline().strip():
                name, _, value = line.partition(b":")
                length = int(value) if name.lower() == b"content-length" else length
            sent.read(length)
            if path.startswith(self._path):
                connection.sendall(self._begun())
                self._break(connection, self._gone)
                return
            body = json.dumps(self._answers[path.partition("?")[0]]).encode()
            head = b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body)
            connection.sendall(_HEAD + head + body)

    def _begun(self) -> bytes:
        if self._begin is None:
            return _HEAD + b"X-More: "
        if self._chunked:
            chunk = b"%x\r\n%b\r\n" % (len(self._begin), self._begin) if self._begin else b""
            return _HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunk + b"1"
        return _HEAD + b"Content-Length: 100000\r\n\r\n" + self._begin

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._gone.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in (self._thread, *self._threads):
            thread.join()
