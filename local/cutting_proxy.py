"""An HTTP proxy that cuts connections on order, before or after the server behind it acts."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import urlsplit

SECONDS = 300

CutRule = Callable[[str], str]
"""From a request's path to "", "before" or "after"."""


class CuttingProxy:
    """Listens on 127.0.0.1; `cut` decides for each request. A context manager."""

    def __init__(self, base_url: str) -> None:
        self._target = urlsplit(base_url).netloc
        self.cut: CutRule = lambda path: ""
        self.cuts = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                outer._pass_on(self)

            do_HEAD = do_POST = do_GET  # noqa: N815 - the names http.server looks for

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def lose_answers(self, count: int, containing: str = "", when: str = "after") -> None:
        """Cut the next so many requests whose path contains the text."""
        left = [count]

        def cut(path: str) -> str:
            if containing not in path or left[0] == 0:
                return ""
            left[0] -= 1
            return when

        self.cut = cut

    def _pass_on(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        when = self.cut(handler.path)
        self.cuts += bool(when)
        answer: http.client.HTTPResponse | None = None
        content = b""
        if when != "before":
            server = http.client.HTTPConnection(self._target, timeout=SECONDS)
            try:
                server.request(handler.command, handler.path, body, dict(handler.headers.items()))
                answer = server.getresponse()
                content = answer.read()
            except (OSError, http.client.HTTPException):
                when = "before"
            finally:
                server.close()
        if when or answer is None:
            handler.close_connection = True
            return
        handler.send_response_only(answer.status)  # server and date are those of the target
        for name, value in answer.headers.items():
            if name.lower() not in {"transfer-encoding", "content-length", "connection"}:
                handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
