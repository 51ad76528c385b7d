"""A web server on this machine, for pages and for what stands in for other systems."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication
    from werkzeug.serving import BaseWSGIServer

POLL_SECONDS = 0.02
"""How soon a server notices that it is to stop."""


class HttpServer:
    """A WSGI app on a free port of 127.0.0.1, served by a daemon thread; a context manager."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app
        self._server: BaseWSGIServer | None = None

    def start(self, port: int = 0) -> Self:
        """Listen and serve; port 0 takes a free one. OSError where the port is taken."""
        from werkzeug.serving import WSGIRequestHandler, make_server

        class QuietHandler(WSGIRequestHandler):
            def log(self, type: str, message: str, *args: Any) -> None:
                """Say nothing: the demo's story is the output."""

            def send_response(self, code: int, message: str | None = None) -> None:
                """Without a Date of this machine's: the app has its own, or none."""
                self.send_response_only(code, message)

        try:
            server = make_server(
                "127.0.0.1", port, self._app, threaded=True, request_handler=QuietHandler
            )
        except SystemExit as error:  # it has said why already, and would end the program
            raise OSError(f"port {port} of 127.0.0.1 cannot be had") from error
        threading.Thread(target=server.serve_forever, args=(POLL_SECONDS,), daemon=True).start()
        self._server = server
        return self

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    @property
    def base_url(self) -> str:
        """`http://127.0.0.1:PORT`, without a slash at the end; RuntimeError before start."""
        if self._server is None:
            raise RuntimeError("the server is not started")
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
