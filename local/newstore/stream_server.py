"""NewStore's paths of event streams over HTTP."""

from __future__ import annotations

from flask import Flask, Response, jsonify, request

from local.newstore.integrations import PATH as INTEGRATIONS
from local.newstore.json_api import json_body
from local.newstore.model import NewStoreModel
from local.newstore.publications import PATH as PUBLISHED

ONE = f"{INTEGRATIONS}/<integration_id>"
REJECTED = f"{ONE}/rejected_events"


def add_streams(app: Flask, model: NewStoreModel) -> None:
    """Registrations, what is kept of them, and the attempts to publish."""
    _add_registrations(app, model)
    _add_records(app, model)


def _add_registrations(app: Flask, model: NewStoreModel) -> None:
    calls = model.stream_calls

    @app.get(INTEGRATIONS)
    def list_integrations() -> Response:
        return jsonify(calls.list_integrations())

    @app.post(INTEGRATIONS)
    def create_integration() -> Response:
        return jsonify(calls.create_integration(json_body()))

    @app.get(ONE)
    def get_integration(integration_id: str) -> Response:
        return jsonify(calls.get_integration(integration_id))

    @app.patch(ONE)
    def change_integration(integration_id: str) -> Response:
        return jsonify(calls.change_integration(integration_id, json_body()))

    @app.delete(ONE)
    def delete_integration(integration_id: str) -> Response:
        calls.delete_integration(integration_id)
        return Response(status=200)

    @app.post(f"{ONE}/_start")
    def start_integration(integration_id: str) -> Response:
        return jsonify(calls.start_integration(integration_id))

    @app.post(f"{ONE}/_stop")
    def stop_integration(integration_id: str) -> Response:
        return jsonify(calls.stop_integration(integration_id))


def _add_records(app: Flask, model: NewStoreModel) -> None:
    calls = model.stream_calls

    @app.get(f"{ONE}/logs")
    def integration_logs(integration_id: str) -> Response:
        return jsonify(calls.integration_logs(integration_id))

    @app.get(REJECTED)
    def rejected_events(integration_id: str) -> Response:
        return jsonify(calls.rejected_events(integration_id))

    @app.get(f"{REJECTED}/<event_id>")
    def rejected_event(integration_id: str, event_id: str) -> Response:
        return jsonify(calls.rejected_event(integration_id, event_id))

    @app.delete(f"{REJECTED}/<event_id>")
    def delete_rejected_event(integration_id: str, event_id: str) -> Response:
        calls.delete_rejected_event(integration_id, event_id)
        return Response(status=200)

    @app.post(f"{REJECTED}/<event_id>/_retry")
    def retry_rejected_event(integration_id: str, event_id: str) -> Response:
        calls.retry_rejected_event(integration_id, event_id)
        return Response(status=200)

    @app.get(PUBLISHED)
    def published_events() -> Response:
        return jsonify(calls.published_events(request.args))
