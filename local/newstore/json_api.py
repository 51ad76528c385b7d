"""What NewStore's paths share: bodies that are JSON objects, and errors in NewStore's form."""

from __future__ import annotations

from typing import Any

from flask import request

from local.http_server import CallRefusedError

REQUEST_ID = "0" * 32


def json_body() -> dict[str, Any]:
    """CallRefusedError 400 for anything but an object."""
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise CallRefusedError(400, "the body is not a JSON object")
    return body


def error_body(refusal: CallRefusedError) -> dict[str, Any]:
    """As each of NewStore's APIs has it."""
    error = {"message": refusal.error, "request_id": REQUEST_ID}
    if request.path.startswith("/v0/d/import"):
        return error
    return {"error_code": f"error_{refusal.status}", **error}
