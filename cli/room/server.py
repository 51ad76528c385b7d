"""Serves the page, and the moments as they come (server-sent events). GET only; nothing changes."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from flask import Flask, Response, jsonify, request, send_from_directory

from cli.room.history import History, Moment
from cli.room.page import STATIC, served_page
from cli.web_server import HttpServer
from inventory_sync.domain.errors import InventorySyncError

HEARTBEAT_SECONDS = 10
LOCAL_NAMES = frozenset({"127.0.0.1", "localhost"})


class Rows(Protocol):
    """Where any row can be looked up."""

    def row(self, location_id: str, product_id: str) -> dict[str, Any]:
        """Its sum and history; InventorySyncError says why there is none."""

    def suggestions(self, text: str) -> Sequence[str]:
        """Location ids that fit."""


def room_server(history: History, title: str, rows: Rows | None = None) -> HttpServer:
    """The server, not yet started; it listens on 127.0.0.1 only."""
    return HttpServer(room_app(history, title, rows))


def room_app(history: History, title: str, rows: Rows | None = None) -> Flask:
    """`/` is the page, `/moments` its data: what there is, then each new one.

    With `rows` any row can be asked for: `/row` and `/locations`.
    """
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

    @app.get("/row")
    def row() -> tuple[Response, int]:
        if rows is None:
            return jsonify(error="this page has no rows to ask for"), 404
        location, product = (request.args.get(name, "") for name in ("location", "product"))
        if not location or not product:
            return jsonify(error="name a location and a product"), 400
        try:
            return jsonify(rows.row(location, product)), 200
        except InventorySyncError as error:
            return jsonify(error=str(error)), 200  # an answer too: why there is no sum

    @app.get("/locations")
    def locations() -> Response:
        found = [] if rows is None else rows.suggestions(request.args.get("find", ""))
        return jsonify(found)

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
