"""The second channel: files of NewStore's S3 export, through the real function."""

import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest

from inventory_sync.domain.errors import RejectedError
from local.invoke import EXPORT_KEY, LOCATIONS, seed
from local.newstore.events import event_bytes
from local.stack import EVENTS, EXPORT, QUARANTINE, LocalStack, StackPlan, local_stack
from local.template import ROOT

KEY = "inbound/acme/1-data-x.export"


@pytest.fixture
def stack() -> Iterator[LocalStack]:
    with local_stack(StackPlan(locations=LOCATIONS)) as stack:
        yield stack


@pytest.fixture(scope="module")
def at_rest() -> Iterator[LocalStack]:
    """For tests that change nothing."""
    with local_stack(StackPlan(locations=LOCATIONS)) as stack:
        yield stack


def put(stack: LocalStack, content: bytes, key: str = KEY) -> dict[str, Any]:
    """The message that EventBridge makes of it."""
    bucket = stack.template.physical_id("ImportBucket")
    stored = stack.aws.s3.put_object(Bucket=bucket, Key=key, Body=content)
    found = {"key": key, "size": len(content), "etag": stored["ETag"].strip('"')}
    return message({"source": "aws.s3", "detail": {"bucket": {"name": bucket}, "object": found}})


def message(body: object) -> dict[str, Any]:
    return {"Records": [{"messageId": "1", "body": json.dumps(body)}]}


def shipped(stack: LocalStack, count: int) -> list[bytes]:
    """So many orders, shipped: two events each."""
    bodies = []
    for number in range(count):
        request = f"ff{number}"
        items = [(f"{request}-1", "SKU-1")]
        bodies.append(event_bytes(stack.newstore.assign(request, "order", "DC01", items)))
        bodies.append(event_bytes(stack.newstore.complete(request)))
    return bodies


def waiting(stack: LocalStack) -> list[str]:
    """What stands in the queue; taken out of it."""
    name = stack.template.physical_id("ExportQueue")
    url = stack.aws.queues.get_queue_url(QueueName=name)["QueueUrl"]
    found = stack.aws.queues.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
    return [entry["Body"] for entry in found.get("Messages", [])]


@pytest.mark.parametrize("packed", [False, True])
def test_a_file_brings_what_the_stream_lost_and_changes_nothing_else(
    stack: LocalStack, packed: bool
) -> None:
    bodies = shipped(stack, 3)
    for body in bodies[:4]:
        assert stack.delivery.deliver_now(body) == 200
    content = b"".join(body + b"\n" for body in bodies)
    event = put(stack, gzip.compress(content), KEY + ".gz") if packed else put(stack, content)

    [first] = stack.functions[EXPORT](event)["files"]
    [again] = stack.functions[EXPORT](event)["files"]

    assert (first["stored"], first["already_stored"], first["done"]) == (2, 4, True)
    assert (again["already_stored"], again["lines"]) == (6, 6)
    assert (stack.count(EVENTS), stack.count(QUARANTINE)) == (6, 0)
    assert stack.delivery.deliver_now(bodies[-1]) == 200


def test_what_came_by_file_goes_the_way_of_all_events(stack: LocalStack) -> None:
    seed(stack)
    on_hand = stack.erp.on_hand(("DC01", "SKU-1"))
    bodies = shipped(stack, 1)

    stack.functions[EXPORT](put(stack, b"\n".join(bodies)))
    stack.stream.pump()

    assert stack.erp.on_hand(("DC01", "SKU-1")) == on_hand - 2  # the seeded one too


def test_a_file_too_long_for_one_invocation_is_read_on_by_the_next(stack: LocalStack) -> None:
    bodies = shipped(stack, 70)
    content = b"".join(body + b"\n" for body in bodies)
    put(stack, content)
    begin = content.index(bodies[10])

    [done] = stack.functions[EXPORT](message({"key": KEY, "etag": "", "offset": begin}))["files"]

    assert done["stored"] == len(bodies) - 10


def test_the_rest_is_put_into_the_queue(stack: LocalStack) -> None:
    """With so little time that one portion is all there is time for."""
    bodies = shipped(stack, 70)
    event = put(stack, b"".join(body + b"\n" for body in bodies))
    function = stack.functions[EXPORT]
    function._timeout /= 10

    [first] = function(event)["files"]
    [rest] = waiting(stack)
    lines, messages = first["lines"], 1
    assert json.loads(rest)["rounds"] == 1
    while rest:
        [progress] = function(message(json.loads(rest)))["files"]
        lines += progress["lines"]
        [rest] = waiting(stack) or [""]
        messages += 1

    assert (first["done"], first["lines"]) == (False, 64)
    assert (lines, messages, stack.count(EVENTS)) == (140, 4, 140)  # the last finds nothing left


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"hello": 1}, "neither of S3 nor of ours"),
        ("text", "neither of S3 nor of ours"),
        ({"key": "inbound/gone.export", "etag": "", "offset": 0}, "gone"),
        ({"key": "inbound/readme.txt", "etag": "", "offset": 0}, "readme"),
        ({"key": KEY, "etag": "", "offset": 9, "rounds": 501}, "500 rounds; .* byte 9"),
    ],
)
def test_what_cannot_be_read_is_for_the_dead_letters(
    at_rest: LocalStack, body: object, reason: str
) -> None:
    with pytest.raises(RejectedError, match=reason):
        at_rest.functions[EXPORT](message(body))


def test_the_sample_is_answered_as_its_readme_says(stack: LocalStack) -> None:
    seed(stack)
    before = stack.count(EVENTS)
    sample = json.loads((ROOT / "events" / "export_written.json").read_text())

    [read] = stack.functions[EXPORT](sample)["files"]

    assert (read["key"], read["lines"], read["stored"], read["ignored"]) == (EXPORT_KEY, 4, 3, 1)
    assert stack.count(EVENTS) == before + 3
