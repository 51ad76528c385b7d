"""The sample events: as AWS sends them, and answered as events/README.md says."""

import base64
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from local.clock import LocalClock
from local.invoke import LOCATIONS, seed
from local.stack import (
    FORWARD,
    IMPORT,
    INGEST,
    QUARANTINE,
    LocalStack,
    StackPlan,
    local_stack,
)
from local.template import ROOT
from tests.template.test_template import RESOURCES

SAMPLES = ROOT / "events"
STREAM_SAMPLES = sorted(path.stem for path in SAMPLES.glob("forward_stream_*.json"))
BROKEN = "7d0a1d0c-2f5b-5c8e-8a41-0e9b5a4c3d22"
"""The request in the record that lacks a field on purpose."""


def sample(name: str) -> Any:
    return json.loads((SAMPLES / f"{name}.json").read_text())


def records() -> list[dict[str, Any]]:
    return [record for name in STREAM_SAMPLES for record in sample(name)["Records"]]


@pytest.fixture
def stack() -> Iterator[LocalStack]:
    """The one that `make invoke` uses, but for its clock."""
    clock = LocalClock()
    with local_stack(StackPlan(locations=LOCATIONS), clock) as stack:
        seed(stack)
        clock.sleep(3600)
        yield stack


@pytest.mark.parametrize(
    ("name", "failures"),
    [
        ("forward_stream_stored", []),
        ("forward_stream_rejected", []),
        ("forward_stream_unreadable", ["5528200000000021764952667"]),
    ],
)
def test_each_stream_sample_is_answered_as_it_is_named(
    stack: LocalStack, name: str, failures: list[str]
) -> None:
    answer = stack.functions[FORWARD](sample(name))

    assert answer == {"batchItemFailures": [{"itemIdentifier": number} for number in failures]}
    assert stack.count(QUARANTINE) == (name == "forward_stream_rejected")


def test_the_stored_sample_reaches_the_erp_s_books(stack: LocalStack) -> None:
    stack.functions[FORWARD](sample("forward_stream_stored"))

    assert stack.erp.on_hand(("DC01", "SKU-1")) == 8
    assert stack.erp.on_hand(("DC01", "SKU-2")) == 4


def test_the_sweep_sample_forwards_what_is_left(stack: LocalStack) -> None:
    answer = stack.functions[FORWARD](sample("forward_sweep"))

    assert answer == {"forwarded": 2, "rejected": 0, "later": 0}


@pytest.mark.parametrize("name", ["import_tick", "import_full_refresh"])
def test_the_import_samples_finish_an_import(stack: LocalStack, name: str) -> None:
    answer = stack.functions[IMPORT](sample(name))

    assert (answer["outcome"], answer["run"]["state"]) == ("ended", "FINALIZED")
    assert stack.newstore.on_hand(("DC01", "SKU-1")) == 9  # one of 10 was shipped, unforwarded
    assert stack.newstore.completed_unreleased(("DC01", "SKU-1")) == 0


@pytest.mark.parametrize(
    ("name", "function", "schedule"),
    [
        ("forward_sweep", FORWARD, "Sweep"),
        ("import_tick", IMPORT, "Delta"),
        ("import_full_refresh", IMPORT, "FullRefresh"),
    ],
)
def test_a_scheduled_sample_is_what_the_schedule_sends(
    name: str, function: str, schedule: str
) -> None:
    sent = RESOURCES[function]["Properties"]["Events"][schedule]["Properties"]["Input"]

    assert sample(name) == json.loads(sent)


@pytest.mark.parametrize("record", records(), ids=lambda record: str(record["eventID"])[:8])
def test_a_stream_sample_is_what_the_table_writes(
    record: dict[str, Any],
) -> None:
    image = record["dynamodb"]["NewImage"]
    body = base64.b64decode(image["body"]["B"])
    clock = LocalClock(datetime.fromisoformat(image["received_at"]["S"]))
    call = {**sample("ingest_stored_completed"), "body": body.decode()}

    with local_stack(StackPlan(locations=LOCATIONS), clock) as stored:
        assert stored.functions[INGEST](call)["statusCode"] == 200
        [written] = stored.stream.pump()

    expected = written["dynamodb"]["NewImage"]
    if json.loads(body)["payload"]["id"] == BROKEN:
        del expected["published_at"]
    assert image == expected
    assert record["dynamodb"]["Keys"] == written["dynamodb"]["Keys"]
    assert list(record) == list(written)
    assert record["dynamodb"].keys() == written["dynamodb"].keys()


def test_every_sample_is_listed() -> None:
    listed = (SAMPLES / "README.md").read_text()

    for path in SAMPLES.glob("*.json"):
        assert f"`{path.name}`" in listed
