"""The webhook: NewStore posts its events here.

200 is the only answer that keeps the stream going, so it answers whatever is kept or needs no
keeping. 500 means that an event was not kept: NewStore sends it again, and stops the stream where
that does not help.
"""

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any

from inventory_sync.bootstrap.ingest_event import ingest_event
from inventory_sync.bootstrap.runtime import in_lambda
from inventory_sync.observability import in_context, make_observer
from inventory_sync.use_cases.ingest.ingest_event import (
    IngestOutcome,
    IngestResources,
    IngestResult,
)

EXPECTED_AUTHORIZATION = "expected is the header `Authorization: Bearer <api_key>`"

ApiEvent = Mapping[str, Any]
"""A REST API's proxy event."""
ApiAnswer = dict[str, Any]
Handler = Callable[[ApiEvent, object], ApiAnswer]


def build_handler(make: Callable[[], IngestResources]) -> Handler:
    """A handler that makes its door on the first call, and again where that failed."""
    made: list[IngestResources] = []

    def handler(event: ApiEvent, context: object) -> ApiAnswer:
        try:
            if not made:
                made.append(make())
            return _answer_to(event, made[0])
        except Exception as error:  # noqa: BLE001  # not stored: NewStore has to send it again
            make_observer().failure(error, quoting=False)
        finally:
            for door in made:
                door.flush()
        return _answer(500, "not_stored", "the event was not stored; send it again")

    return handler


def _answer_to(event: ApiEvent, door: IngestResources) -> ApiAnswer:
    key = _bearer_key(event)
    if not key or not door.keys.accepts(key):
        door.observer.count("CallsUnauthorized")
        authenticate = {"WWW-Authenticate": "Bearer"}
        return _answer(401, "unauthorized", EXPECTED_AUTHORIZATION, authenticate)
    outcome = door.ingest(_body(event))
    if outcome.result is IngestResult.IGNORED:
        door.observer.log("event ignored", detail=outcome.detail)
    return _answer(200, outcome.result.value, _detail(outcome))


def _bearer_key(event: ApiEvent) -> str:
    scheme, _, key = _header(event, "authorization").strip().partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


def _header(event: ApiEvent, name: str) -> str:
    """The last value, as in API Gateway's own `headers`; empty where there is none."""
    for header, value in (event.get("headers") or {}).items():
        if header.lower() == name and isinstance(value, str):
            return value
    for header, values in (event.get("multiValueHeaders") or {}).items():
        if header.lower() == name and values and isinstance(values[-1], str):
            return str(values[-1])
    return ""


def _body(event: ApiEvent) -> bytes:
    """The bytes as they were sent. What claims to be base64 and is not is taken as it stands."""
    text: str = event.get("body") or ""
    if event.get("isBase64Encoded"):
        try:
            return base64.b64decode(text, validate=True)
        except ValueError:
            pass
    return text.encode("utf-8", "surrogatepass")


def _detail(outcome: IngestOutcome) -> str:
    return f"{outcome.reason}: {outcome.detail}" if outcome.reason else outcome.detail


def _answer(
    status: int, outcome: str, detail: str = "", headers: Mapping[str, str] | None = None
) -> ApiAnswer:
    body = {"outcome": outcome, "detail": detail} if detail else {"outcome": outcome}
    return {
        "statusCode": status,
        "headers": {"Content-Type": "application/json", **(headers or {})},
        "body": json.dumps(body),
        "isBase64Encoded": False,
    }


lambda_handler = in_context(build_handler(in_lambda(ingest_event)))
