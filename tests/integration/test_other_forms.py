"""Bodies and files that say the right thing in another form: nothing of them is lost."""

import gzip
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from inventory_sync.domain.locations import Location
from local.aws import API_KEY
from local.newstore.events import Event, event_bytes
from local.stack import EVENTS, EXPORT, QUARANTINE, LocalStack, StackPlan, local_stack

SECONDS = 10
DC = Location(location_id="DC01", fulfillment_node_id="DC01", store_id="", erp_location="DC01")
SKU = "4006381333931"
KEY = ("DC01", SKU)
MARK = b"\xef\xbb\xbf"


@pytest.fixture
def stack() -> Iterator[LocalStack]:
    plan = StackPlan(
        locations=[DC], parameters={"SettleWindowSeconds": "0"}, newstore={"job_seconds": 0}
    )
    with local_stack(plan) as stack:
        stack.erp.set_stock(KEY, 10)
        stack.clock.sleep(400)
        stack.tick(full=True)
        yield stack


def shipped(stack: LocalStack, request: str) -> Event:
    stack.newstore.assign(request, f"order-{request}", "DC01", [(f"{request}-1", SKU)])
    return stack.newstore.complete(request)


def post(stack: LocalStack, body: bytes) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {API_KEY}"}
    answer = requests.post(stack.event_url, data=body, headers=headers, timeout=SECONDS)
    assert answer.status_code == 200
    stack.stream.pump()
    found: dict[str, Any] = answer.json()
    return found


def with_mark(event: Event) -> bytes:
    return MARK + event_bytes(event)


def without_seconds(event: Event) -> bytes:
    return event_bytes({**event, "published_at": event["published_at"][:16] + "Z"})


def with_a_number_as_product(event: Event) -> bytes:
    return event_bytes(event).replace(f'"{SKU}"'.encode(), SKU.encode())


def with_a_point_in_the_timestamp(event: Event) -> bytes:
    payload = event["payload"]
    number = float(payload["logical_timestamp"])
    return event_bytes({**event, "payload": {**payload, "logical_timestamp": number}})


@pytest.mark.sweep(sample=1)
@pytest.mark.parametrize(
    "form",
    [with_mark, without_seconds, with_a_number_as_product, with_a_point_in_the_timestamp],
)
def test_a_shipment_told_in_another_form_is_booked_before_a_range_releases_it(
    stack: LocalStack, form: Callable[[Event], bytes]
) -> None:
    event, later = shipped(stack, "ff1"), shipped(stack, "ff2")

    assert post(stack, form(event)) == {"outcome": "stored"}
    assert post(stack, event_bytes(later)) == {"outcome": "stored"}
    stack.clock.sleep(400)
    stack.tick()

    assert stack.erp.on_hand(KEY) == 8
    assert stack.newstore.on_hand(KEY) == stack.newstore.atp(KEY) == 8
    assert stack.count(QUARANTINE) == 0


def test_a_repeat_told_in_other_words_is_known(stack: LocalStack) -> None:
    event = shipped(stack, "ff1")
    post(stack, event_bytes(event))

    for again in (
        {**event, "published_at": "2026-03-02T09:59:59.000Z"},
        {**event, "payload": {**event["payload"], "associate_id": "later"}},
    ):
        assert post(stack, event_bytes(again))["outcome"] == "already_stored"

    assert stack.count(QUARANTINE) == 0
    assert stack.erp.on_hand(KEY) == 9


def zipped(content: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("1-data-x.export", content)
    return packed.getvalue()


@pytest.mark.sweep(sample=1)
@pytest.mark.parametrize(
    "write",
    [
        lambda bodies: MARK + b"\n".join(bodies),
        b"".join,
        b" ".join,
        lambda bodies: gzip.compress(b"\n".join(bodies)),
        lambda bodies: zipped(b"\n".join(bodies)),
        lambda bodies: b"\n".join([b"no event"] * 9 + bodies),
    ],
    ids=["marked", "no newlines", "blanks", "gzip", "zip", "after bad lines"],
)
def test_an_export_file_in_another_form_is_read_whole(
    stack: LocalStack, write: Callable[[list[bytes]], bytes]
) -> None:
    bodies = [event_bytes(shipped(stack, f"ff{number}")) for number in range(3)]
    bucket, key = stack.template.physical_id("ImportBucket"), "inbound/acme/1-data-x.export"
    stack.aws.s3.put_object(Bucket=bucket, Key=key, Body=write(bodies))
    message = {"Records": [{"body": json.dumps({"key": key, "etag": "", "offset": 0})}]}

    [read] = stack.functions[EXPORT](message)["files"]

    assert (read["stored"], read["done"], stack.count(EVENTS)) == (3, True, 3)
