"""API Gateway's part: a request becomes a REST API's proxy event, the answer a response."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from flask import Flask, Request, Response, request

from local.template import ACCOUNT, REGION, GatewayResponse

STAGE = "prod"
PATH = "/event"
JSON = "application/json"
API_ID = "local12345"
HOST = f"{API_ID}.execute-api.{REGION}.amazonaws.com"
BODY_BYTES_MAX = 6_291_456
"""AWS Lambda's, of what it takes in one call; API Gateway's own is 10 MB."""

Invoke = Callable[[dict[str, Any]], Any]


def front_door_app(invoke: Invoke, responses: Mapping[str, GatewayResponse]) -> Flask:
    """POST /prod/event, as the deployed API has it; every other path is none of the API's.

    `responses` are the template's gateway responses.
    """
    app = Flask("front_door")

    @app.post(f"/{STAGE}{PATH}")
    def post_event() -> Response:
        if (request.content_length or 0) > BODY_BYTES_MAX:
            return _own(responses["REQUEST_TOO_LARGE"], "Request Too Long")
        try:
            response = _response(invoke(proxy_event(request)))
        except Exception:  # noqa: BLE001  # the function failed: API Gateway says no more than this
            response = None
        return response or _own(responses["DEFAULT_5XX"], "Internal server error")

    @app.errorhandler(404)
    @app.errorhandler(405)
    def not_routed(_: Exception) -> Response:
        return _own(responses["MISSING_AUTHENTICATION_TOKEN"], "Missing Authentication Token")

    return app


def proxy_event(http: Request) -> dict[str, Any]:
    """Every field that a REST API sends; a body that is not text arrives damaged there as here."""
    headers = [(name.title(), value) for name, value in http.headers.items()]
    several: dict[str, list[str]] = {}
    for name, value in headers:
        several.setdefault(name, []).append(value)
    return {
        "resource": PATH,
        "path": PATH,
        "httpMethod": http.method,
        "headers": dict(headers),
        "multiValueHeaders": several,
        "queryStringParameters": http.args.to_dict() or None,
        "multiValueQueryStringParameters": http.args.to_dict(flat=False) or None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": _request_context(http),
        "body": http.get_data().decode("utf-8", "replace") or None,
        "isBase64Encoded": False,
    }


def _request_context(http: Request) -> dict[str, Any]:
    now = datetime.now(UTC)
    nobody = (
        "cognitoIdentityPoolId", "accountId", "cognitoIdentityId", "caller", "principalOrgId",
        "accessKey", "cognitoAuthenticationType", "cognitoAuthenticationProvider", "userArn",
        "user",
    )  # fmt: skip
    return {
        "resourceId": "local1",
        "resourcePath": PATH,
        "httpMethod": http.method,
        "extendedRequestId": uuid4().hex[:15] + "=",
        "requestTime": now.strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "path": f"/{STAGE}{PATH}",
        "accountId": ACCOUNT,
        "protocol": "HTTP/1.1",
        "stage": STAGE,
        "domainPrefix": API_ID,
        "requestTimeEpoch": int(now.timestamp() * 1000),
        "requestId": str(uuid4()),
        "identity": {
            **dict.fromkeys(nobody),
            "sourceIp": http.remote_addr,
            "userAgent": http.headers.get("User-Agent"),
        },
        "domainName": HOST,
        "deploymentId": "local1",
        "apiId": API_ID,
    }


def _response(answer: Any) -> Response | None:
    """None for what is no proxy answer."""
    if not isinstance(answer, dict) or not isinstance(answer.get("statusCode"), int):
        return None
    return Response(answer.get("body") or "", answer["statusCode"], answer.get("headers") or {})


def _own(response: GatewayResponse, text: str) -> Response:
    """An answer of API Gateway's own."""
    body = response.templates[JSON].replace("$context.error.messageString", json.dumps(text))
    return Response(body, response.status, content_type=JSON)
