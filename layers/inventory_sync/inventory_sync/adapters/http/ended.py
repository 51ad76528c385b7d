"""Answers that end: whatever drips, be it a status line, a header, a chunk's size or the body.

A time-out of a socket is for one read, so one byte now and then would keep a call for ever.
"""

import http.client
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from io import BufferedReader, RawIOBase
from typing import TYPE_CHECKING, Any, cast

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

if TYPE_CHECKING:
    import socket

    from _typeshed import WriteableBuffer

SecondsLeft = Callable[[], float]
_seconds_left: ContextVar[SecondsLeft | None] = ContextVar("seconds_left", default=None)


@contextmanager
def ending(seconds_left: SecondsLeft) -> Iterator[None]:
    """Answers to what is sent meanwhile end with TimeoutError once there are no seconds left."""
    token = _seconds_left.set(seconds_left)
    try:
        yield
    finally:
        _seconds_left.reset(token)


class EndedAdapter(HTTPAdapter):
    """Sends as requests does; answers end as `ending` says."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """As requests makes it, with our connections."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        """As requests makes it, with our connections."""
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager


class _Reader(RawIOBase):
    """What comes over the socket, read by read."""

    def __init__(self, raw: RawIOBase, sock: "socket.socket", seconds_left: SecondsLeft) -> None:
        self._raw, self._sock, self._seconds_left = raw, sock, seconds_left
        self._seconds_max = sock.gettimeout()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int | None:
        left = self._seconds_left()
        if left <= 0:
            raise TimeoutError("the answer took too long")
        if self._seconds_max is not None:
            self._sock.settimeout(min(left, self._seconds_max))
        return cast(Any, self._raw).readinto(buffer)  # type: ignore[no-any-return]

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: "socket.socket", *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        if (seconds_left := _seconds_left.get()) is not None:
            self.fp = BufferedReader(_Reader(self.fp.detach(), sock, seconds_left))


class _Connection(HTTPConnection):
    response_class = _Response


class _SecureConnection(HTTPSConnection):
    response_class = _Response


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


_POOLS: Any = {"http": _Pool, "https": _SecurePool}
