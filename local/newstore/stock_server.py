"""NewStore's paths of stock and orders over HTTP."""

from __future__ import annotations

from http import HTTPStatus

from flask import Flask, Response, jsonify, request

from local.http_server import CallRefusedError
from local.newstore.json_api import json_body
from local.newstore.model import NewStoreModel

EXPORTS = "/v0/d/availabilities/bulk"
EXPORT_FILE = "export_file"
"""The endpoint behind an export's link: signed in itself, called without a token."""
_SIGNATURE = "signature-of-the-link"


def add_stock(app: Flask, model: NewStoreModel) -> None:
    """ATP, insights, safety stock, exports of ATP and an order's requests."""
    _add_rows(app, model)
    _add_exports(app, model)


def _add_rows(app: Flask, model: NewStoreModel) -> None:
    calls = model.stock_calls

    @app.post("/v0/availabilities")
    def availabilities() -> Response:
        keys = json_body().get("atp_keys")
        if not isinstance(keys, list):
            raise CallRefusedError(400, "atp_keys is missing")
        try:
            wanted = [(str(key["fulfillment_node_id"]), str(key["product_id"])) for key in keys]
        except (KeyError, TypeError) as error:
            raise CallRefusedError(400, "a key lacks product_id or fulfillment_node_id") from error
        return jsonify({"items": calls.availabilities(wanted)})

    @app.get("/v0/stock/insights")
    def stock_insights() -> Response:
        node, product = request.args.get("fulfillment_node_id"), request.args.get("product_id")
        if not node or not product:
            raise CallRefusedError(400, "product_id and fulfillment_node_id are required")
        return jsonify(calls.stock_insights((node, product)))

    @app.get("/v1/stock/safety_stock")
    def safety_stock() -> Response:
        headers = {"Content-Disposition": "attachment; filename=safety_stock.csv"}
        return Response(calls.safety_stock(), content_type="text/csv", headers=headers)

    @app.get("/v0/fulfillment_requests/<order_uuid>")
    def fulfillment_requests(order_uuid: str) -> Response:
        return jsonify(calls.fulfillment_requests(order_uuid))


def _add_exports(app: Flask, model: NewStoreModel) -> None:
    calls = model.stock_calls

    @app.post(EXPORTS)
    def start_export() -> tuple[Response, int]:
        since = json_body().get("last_updated_at")
        if since is not None and not isinstance(since, int):
            raise CallRefusedError(400, "last_updated_at: an integer")
        return jsonify({"availability_export_id": calls.start_export(since)}), 201

    @app.get(f"{EXPORTS}/<export_id>")
    def get_export(export_id: str) -> Response:
        link = f"{request.host_url}_exports/availability_export-{export_id}.zip?s={_SIGNATURE}"
        try:
            return jsonify(calls.get_export(export_id, link))
        except CallRefusedError as refusal:
            if refusal.status != HTTPStatus.NOT_FOUND:
                raise
            return Response(status=HTTPStatus.NOT_FOUND)

    @app.get("/_exports/availability_export-<export_id>.zip", endpoint=EXPORT_FILE)
    def export_file(export_id: str) -> Response:
        """As S3 behind a signed address: a token as well is one too many."""
        if "Authorization" in request.headers or request.args.get("s") != _SIGNATURE:
            return Response("<Error/>", status=403, content_type="application/xml")
        return Response(calls.export_file(export_id), content_type="application/zip")
