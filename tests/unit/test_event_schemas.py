"""The sample events are what NewStore documents to send, by its own schema of each event."""

import base64
import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import yaml
from jsonschema import Draft4Validator

from local.template import ROOT

FILE = "newstore-openapi/webhooks-stream_webhook_sink_hook.yaml"
PATHS = [path for folder in ROOT.parents if (path := folder / "shared" / FILE).is_file()]
BROKEN_ON_PURPOSE = {"ingest_quarantined_unparsable"}

pytestmark = pytest.mark.skipif(not PATHS, reason=f"NewStore's {FILE} is not at hand")


@cache
def schemas() -> dict[str, Any]:
    """Of the payload, by the event's name; and that of what stands around it."""
    document = yaml.safe_load(PATHS[0].read_text("utf-8"))
    found = document["components"]["schemas"].values()
    return {schema["title"]: schema for schema in found if "title" in schema}


def faults(schema: Any, value: Any) -> list[str]:
    return [fault.message for fault in Draft4Validator(schema).iter_errors(value)]


def check(event: dict[str, Any]) -> None:
    around = {k: v for k, v in schemas()["Public event"]["properties"].items() if k != "payload"}
    required = schemas()["Public event"]["required"]
    assert faults({"type": "object", "required": required, "properties": around}, event) == []
    assert faults(schemas()[event["name"]], event["payload"]) == []


def samples() -> Iterator[Any]:
    for path in sorted((ROOT / "events").glob("ingest_*.json")):
        if path.stem not in BROKEN_ON_PURPOSE:
            call = json.loads(path.read_text())
            body = call["body"]
            text = base64.b64decode(body) if call["isBase64Encoded"] else body
            yield pytest.param(text, id=path.stem)
    for path in sorted((ROOT / "events").glob("*.export")):
        for number, line in enumerate(path.read_text().splitlines()):
            yield pytest.param(line, id=f"{path.stem}-{number}")


@pytest.mark.parametrize("body", [*samples()])
def test_a_sample_is_as_newstore_documents_it(body: str) -> None:
    check(json.loads(body))
