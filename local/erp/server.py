"""docs/erp-openapi.yaml over HTTP, thin over the model, with /_state and /_control for people."""

from __future__ import annotations

import hmac
import time
from dataclasses import asdict

from flask import Flask, Response, jsonify, request

from cli.web_server import HttpServer
from local.erp import wire
from local.erp.control import run_control
from local.erp.model import ErpModel
from local.erp.state import erp_state
from local.http_server import CallRefusedError, map_faults, tell_time


def erp_server(model: ErpModel, token: str) -> HttpServer:
    """The server, not yet started; slow calls sleep for real unless the model was given a sleep."""
    if model.faults.sleep is None:
        model.faults.sleep = time.sleep
    return HttpServer(erp_app(model, token))


def erp_app(model: ErpModel, token: str) -> Flask:
    """Paths under /v1 need the bearer token; the others are for people on the same machine.

    The token is the model's from then on, and can be changed there.
    """
    model.token = token
    app = Flask("erp")
    app.url_map.merge_slashes = False
    map_faults(app)
    tell_time(app, lambda: model.clock_now, model.asked)
    _add_contract(app, model)
    _add_inspection(app, model)

    @app.before_request
    def check_token() -> None:
        given = request.headers.get("Authorization", "").encode()
        wanted = f"Bearer {model.token}".encode()
        if request.path.startswith("/v1/") and not hmac.compare_digest(given, wanted):
            raise CallRefusedError(401, "missing or wrong token")

    return app


def _add_contract(app: Flask, model: ErpModel) -> None:
    calls = model.calls

    @app.get("/v1/capabilities")
    def get_capabilities() -> Response:
        return jsonify(asdict(calls.get_capabilities()))

    @app.get("/v1/stock")
    def get_stock() -> Response:
        location = request.args.get("location")
        if not location:
            raise CallRefusedError(400, "location is missing")
        limit = request.args.get("limit")
        if limit is not None and not (limit.isdecimal() and int(limit) > 0):
            raise CallRefusedError(400, "limit is not a positive integer")
        page = calls.get_stock(
            location, request.args.get("cursor"), None if limit is None else int(limit)
        )
        return jsonify(wire.page_json(page))

    @app.get("/v1/changes")
    def get_changes() -> Response:
        location = request.args.get("location")
        if not location:
            raise CallRefusedError(400, "location is missing")
        page = calls.get_changes(location, request.args.get("cursor"))
        return jsonify(wire.changes_json(page))

    @app.post("/v1/stock/read")
    def read_stock() -> Response:
        location, products = wire.read_products(request.get_json(silent=True))
        return jsonify(wire.rows_json(calls.read_stock(location, products)))

    @app.post("/v1/movements")
    def post_movements() -> Response:
        results = calls.post_movements(wire.read_movements(request.get_json(silent=True)))
        return jsonify({"results": [wire.movement_result_json(result) for result in results]})

    @app.get("/v1/movements/<path:movement_id>")
    def get_movement(movement_id: str) -> Response:
        return jsonify(wire.booked_json(calls.get_movement(movement_id)))

    @app.post("/v1/allocations")
    def post_allocations() -> Response:
        results = calls.post_allocations(wire.read_allocations(request.get_json(silent=True)))
        return jsonify({"results": [wire.allocation_result_json(result) for result in results]})


def _add_inspection(app: Flask, model: ErpModel) -> None:
    @app.get("/_state")
    def state() -> Response:
        return jsonify(erp_state(model))

    @app.post("/_control/<action>")
    def control(action: str) -> Response:
        body = request.get_json(silent=True)
        if not isinstance(body, dict):
            raise CallRefusedError(400, "the body is not a JSON object")
        run_control(model, action, body)
        return jsonify({"done": action})
