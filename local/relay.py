"""Passes on what comes to one address of this machine to the same port of 127.0.0.1."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Self

_BYTES = 65_536
_END_SECONDS_MAX = 1


class Relay:
    """A context manager."""

    def __init__(self, address: str, port: int) -> None:
        self._port = port
        self._listener = socket.create_server((address, port))
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._run(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(_END_SECONDS_MAX)

    def _run(self, target: Callable[..., None], *arguments: object) -> threading.Thread:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()
        return thread

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                caller, _ = self._listener.accept()
                self._run(self._relay, caller)

    def _relay(self, caller: socket.socket) -> None:
        with (
            caller,
            suppress(OSError),
            socket.create_connection(("127.0.0.1", self._port)) as target,
        ):
            back = self._run(_pass_on, target, caller)
            _pass_on(caller, target)
            back.join()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    """Until the source has said all."""
    with suppress(OSError):
        while piece := source.recv(_BYTES):
            target.sendall(piece)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
