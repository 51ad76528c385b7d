"""NewStore's paths over HTTP, thin over the model."""

from __future__ import annotations

import time
from typing import Any

from flask import Flask, Response, jsonify, request

from cli.web_server import HttpServer
from local.http_server import CallRefusedError, map_faults, tell_time
from local.newstore.control import run_control
from local.newstore.json_api import error_body, json_body
from local.newstore.model import NewStoreModel
from local.newstore.state import newstore_state
from local.newstore.stock_server import EXPORT_FILE, add_stock
from local.newstore.stream_server import add_streams

PAGE = frozenset({"offset", "count"})
CREATE_REQUIRED = {"provider": str, "source_uri": str, "entities": list}
CREATE_OPTIONAL = {"name": str, "full": bool}
_NOT_NEWSTORES = ("state", "control", EXPORT_FILE, None)
"""Endpoints that are not of NewStore's API."""


def newstore_server(model: NewStoreModel) -> HttpServer:
    """The server, not yet started; slow calls sleep for real unless the model was given a sleep."""
    if model.faults.sleep is None:
        model.faults.sleep = time.sleep
    return HttpServer(newstore_app(model))


def newstore_app(model: NewStoreModel) -> Flask:
    """Realm and API on one address; everything but the token, /_state and /_control needs one."""
    app = Flask("newstore")
    map_faults(app, error_body)
    tell_time(app, lambda: model.now() + model.clock_ahead, model.asked)
    _add_tokens(app, model)
    _add_imports(app, model)
    _add_locations(app, model)
    add_stock(app, model)
    add_streams(app, model)

    @app.before_request
    def check_limit() -> Response | None:
        if request.endpoint in _NOT_NEWSTORES or model.request_limit.allows():
            return None
        return Response("<html>403 Forbidden</html>", status=403, content_type="text/html")

    @app.before_request
    def check_token() -> None:
        if request.endpoint not in ("realm_token", "user_token", *_NOT_NEWSTORES):
            model.calls.check_token(request.headers.get("Authorization"))

    @app.get("/_state", endpoint="state")
    def state() -> Response:
        return jsonify(newstore_state(model))

    @app.post("/_control/<action>", endpoint="control")
    def control(action: str) -> Response:
        return jsonify(run_control(model, action, json_body()))

    return app


def _add_tokens(app: Flask, model: NewStoreModel) -> None:
    @app.post("/auth/realms/<tenant>/protocol/openid-connect/token", endpoint="realm_token")
    def realm_token(tenant: str) -> Response:
        if tenant != model.tenant:
            raise CallRefusedError(404, "unknown realm")
        _require_grant("client_credentials")
        form = request.form
        return jsonify(
            model.calls.client_credentials_token(
                form.get("client_id", ""), form.get("client_secret", "")
            )
        )

    @app.post("/v0/token", endpoint="user_token")
    def user_token() -> Response:
        _require_grant("password")
        form = request.form
        return jsonify(
            model.calls.password_token(form.get("username", ""), form.get("password", ""))
        )


def _add_imports(app: Flask, model: NewStoreModel) -> None:
    @app.post("/v0/d/import")
    def create_import() -> Response:
        return _created({"id": model.calls.create_import(**_import_fields())})

    @app.get("/v0/d/import")
    def list_imports() -> Response:
        try:
            place = {name: int(request.args[name]) for name in PAGE & request.args.keys()}
        except ValueError as error:
            raise CallRefusedError(400, "offset and count are whole numbers") from error
        return jsonify(model.calls.list_imports(request.args.get("filter[state]", ""), **place))

    @app.get("/v0/d/import/<import_id>")
    def get_import(import_id: str) -> Response:
        return jsonify(model.calls.get_import(import_id))

    @app.post("/v0/d/import/<import_id>/start")
    def start_import(import_id: str) -> Response:
        transformed_uri = json_body().get("transformed_uri")
        if not isinstance(transformed_uri, str):
            raise CallRefusedError(400, "transformed_uri is missing")
        return jsonify(model.calls.start_import(import_id, transformed_uri))

    @app.get("/v0/d/import/<import_id>/errors")
    def import_errors(import_id: str) -> Response:
        return jsonify({"items": model.calls.import_errors(import_id)})

    @app.get("/v0/d/import/<import_id>/chunks")
    def import_chunks(import_id: str) -> Response:
        return jsonify({"items": model.calls.import_chunks(import_id)})

    @app.post("/v0/d/import/<import_id>/set_fail")
    def set_fail(import_id: str) -> Response:
        reason = json_body().get("reason")
        if not isinstance(reason, str):
            raise CallRefusedError(400, "reason is missing")
        return jsonify(model.calls.set_import_failed(import_id, reason))


def _add_locations(app: Flask, model: NewStoreModel) -> None:
    @app.get("/v0/locations")
    def list_locations() -> Response:
        return jsonify({"locations": model.calls.list_locations()})

    @app.get("/v0/locations/<path:location_id>")
    def get_location(location_id: str) -> Response:
        return jsonify(model.calls.get_location(location_id))


def _require_grant(grant_type: str) -> None:
    if request.form.get("grant_type") != grant_type:
        raise CallRefusedError(400, f"grant_type must be {grant_type}")


def _import_fields() -> dict[str, Any]:
    """The documents name no other answer to a wrong body than 422."""
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise CallRefusedError(422, "the body is not a JSON object")
    given = {n: kind for n, kind in CREATE_OPTIONAL.items() if n in body}
    for name, kind in (CREATE_REQUIRED | given).items():
        if not isinstance(body.get(name), kind):
            raise CallRefusedError(422, f"{name} is missing or not of type {kind.__name__}")
    return {name: body[name] for name in CREATE_REQUIRED | given}


def _created(body: dict[str, Any]) -> Response:
    response = jsonify(body)
    response.status_code = 201
    return response
