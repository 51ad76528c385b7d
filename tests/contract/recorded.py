"""Keeps what goes over the wire between a client and a WSGI app."""

import json
from io import BytesIO
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from werkzeug.wrappers import Response

from tests.contract.openapi import Exchange

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


class Recorded:
    """A WSGI app that answers as the one inside does; `exchanges` grows with every call."""

    def __init__(self, app: "WSGIApplication") -> None:
        self._app = app
        self.exchanges: list[Exchange] = []

    def __call__(self, environ: Any, start_response: Any) -> Any:
        sent = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = BytesIO(sent)
        response = Response.from_app(self._app, environ)
        self.exchanges.append(
            Exchange(
                method=environ["REQUEST_METHOD"],
                path=environ["PATH_INFO"],
                query=dict(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True)),
                body=_json(sent),
                status=response.status_code,
                answer=_json(response.get_data()),
                answer_type=response.content_type or "",
            )
        )
        return response(environ, start_response)


def _json(content: bytes) -> Any:
    """None for no body; what is not JSON stays as it is."""
    try:
        return json.loads(content) if content else None
    except ValueError:
        return content
