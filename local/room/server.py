"""Serves the page, and the moments as they come (server-sent events). GET only; nothing changes."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

from flask import Flask, Response, request, send_from_directory

from local.http_server import HttpServer
from local.room.history import History, Moment
from local.room.page import STATIC, served_page

HEARTBEAT_SECONDS = 10
LOCAL_NAMES = frozenset({"127.0.0.1", "localhost"})


def room_server(history: History, title: str) -> HttpServer:
    """The server, not yet started; it listens on 127.0.0.1 only."""
    return HttpServer(room_app(history, title))


def room_app(history: History, title: str) -> Flask:
    """`/` is the page, `/moments` its data: what there is, then each new one."""
    app = Flask("room", static_folder=None)
    page, policy = served_page(title)
    run = secrets.token_hex(4)

    @app.before_request
    def refuse_other_names() -> Response | None:
        """A page elsewhere could otherwise read this one by a name of its own for 127.0.0.1."""
        if request.host.rpartition(":")[0] in LOCAL_NAMES:
            return None
        return Response("ask for 127.0.0.1 or localhost\n", 403, content_type="text/plain")

    @app.after_request
    def guard(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = policy
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Cache-Control"] = "no-store"
        return response

    @app.get("/")
    def show_page() -> Response:
        return Response(page, content_type="text/html; charset=utf-8")

    @app.get("/static/<path:name>")
    def static_file(name: str) -> Response:
        return send_from_directory(STATIC, name)

    @app.get("/moments")
    def moments() -> Response:
        known_run, _, number = request.headers.get("Last-Event-ID", "").partition(":")
        after = int(number) if known_run == run and number.isdecimal() else 0
        return Response(stream(history, run, after), content_type="text/event-stream")

    return app


def stream(history: History, run: str, after: int) -> Iterator[str]:
    """Server-sent events: `begin` when the reader knows nothing yet, then each moment."""
    if after == 0:
        yield f"event: begin\nid: {run}:0\ndata: {run}\n\n"
    while not history.closed:
        moments = history.wait(after, HEARTBEAT_SECONDS)
        for moment in moments:
            yield _event(moment, run)
            after = moment.number
        if not moments:
            yield ": nothing new\n\n"


def _event(moment: Moment, run: str) -> str:
    return f"event: moment\nid: {run}:{moment.number}\ndata: {moment.text}\n\n"
