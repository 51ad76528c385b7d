"""What NewStore's paths share: bodies that are JSON objects, and errors in NewStore's form."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from uuid import uuid4

from flask import request

from local.http_server import CallRefusedError


def json_body() -> dict[str, Any]:
    """CallRefusedError 400 for anything but an object."""
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise CallRefusedError(400, "the body is not a JSON object")
    return body


def error_body(refusal: CallRefusedError) -> dict[str, str]:
    """Code, message and request id, as NewStore's error schemas have them."""
    code = HTTPStatus(refusal.status).phrase.lower().replace(" ", "_")
    return {"error_code": code, "message": refusal.error, "request_id": uuid4().hex}
