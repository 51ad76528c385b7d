"""The local stack: what stands between the real handlers acts as AWS and NewStore do."""

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from inventory_sync.domain.locations import Location
from local.aws import API_KEY
from local.front_door import front_door_app
from local.newstore.events import event_bytes
from local.stack import API, EVENTS, LocalStack, StackPlan, local_stack
from local.stream import EventStream, MappingLimits
from local.template import ROOT, Template, TemplateError
from tests.template.test_template import RESOURCES

DC = Location(location_id="DC01", fulfillment_node_id="DC01", store_id="", erp_location="DC01")
KEY = ("DC01", "SKU-1")
SECONDS = 10
SAMPLE: dict[str, Any] = json.loads((ROOT / "events" / "ingest_stored_completed.json").read_text())


@pytest.fixture(scope="module")
def at_rest() -> Iterator[LocalStack]:
    """For tests that change nothing."""
    with local_stack(StackPlan(locations=[DC])) as stack:
        yield stack


@pytest.fixture
def stack() -> Iterator[LocalStack]:
    with local_stack(StackPlan(locations=[DC])) as stack:
        stack.newstore.set_imported(KEY, 10)
        stack.erp.set_stock(KEY, 10)
        yield stack


def ship(stack: LocalStack, request: str) -> bytes:
    """A unit is ordered and shipped; the event of its shipment."""
    stack.newstore.assign(request, "order-1", "DC01", [(f"{request}-1", "SKU-1")])
    return event_bytes(stack.newstore.complete(request))


def fields(event: Any, path: str = "") -> set[str]:
    """Every path of fields, but for those of headers, which are the client's own."""
    if not isinstance(event, dict) or path.endswith("eaders"):
        return {path}
    return set().union(*(fields(value, f"{path}.{name}") for name, value in event.items()))


def test_the_tables_are_the_template_s(at_rest: LocalStack) -> None:
    properties = RESOURCES[EVENTS]["Properties"]

    name = at_rest.template.physical_id(EVENTS)
    table: Any = at_rest.aws.dynamodb.describe_table(TableName=name)["Table"]

    assert table["KeySchema"] == properties["KeySchema"]
    [index] = table["LocalSecondaryIndexes"]
    [wanted] = properties["LocalSecondaryIndexes"]
    assert {name: index[name] for name in wanted} == wanted
    assert table["StreamSpecification"]["StreamViewType"] == "NEW_IMAGE"


def test_nothing_of_the_caller_s_aws_counts_inside_and_all_of_it_is_back_afterwards() -> None:
    before = dict(os.environ)
    os.environ["AWS_ENDPOINT_URL"] = "http://127.0.0.1:9"
    try:
        with local_stack(StackPlan(locations=[DC])) as stack:
            assert "AWS_ENDPOINT_URL" not in os.environ
            assert stack.count(EVENTS) == 0
        assert os.environ.pop("AWS_ENDPOINT_URL") == "http://127.0.0.1:9"
    finally:
        os.environ.pop("AWS_ENDPOINT_URL", None)
    assert dict(os.environ) == before


def test_a_delivered_event_is_stored_once_and_reaches_the_erp_once(stack: LocalStack) -> None:
    event = ship(stack, "ff1")

    statuses = [stack.delivery.deliver_now(event) for _ in range(2)]
    stack.stream.pump()

    assert statuses == [200, 200]
    assert stack.count(EVENTS) == 1
    state = requests.get(f"{stack.erp_url}/_state", timeout=SECONDS).json()
    assert state["stock"][0]["on_hand"] == 9


def test_newstore_fetches_the_file_from_the_bucket_and_shows_its_quantity(
    stack: LocalStack,
) -> None:
    stack.erp.receive(KEY, 5)

    answer = stack.tick()

    assert answer["run"]["state"] == "FINALIZED"
    state = requests.get(f"{stack.newstore_url}/_state", timeout=SECONDS).json()
    assert state["stock"][0]["on_hand"] == 15
    assert state["imports"][0]["source_uri"].startswith("s3://")


@pytest.mark.parametrize("uri", ["s3://{bucket}/imports/none.zip", "s3://no-such/x", "https://x/y"])
def test_a_file_that_cannot_be_fetched_is_a_lookup_error(at_rest: LocalStack, uri: str) -> None:
    with pytest.raises(LookupError):
        at_rest.aws.fetch_file(uri.format(bucket=at_rest.template.physical_id("ImportBucket")))


RESPONSES = Template(ROOT / "template.yaml", "").gateway_responses(API)


def test_the_front_door_sends_every_field_that_api_gateway_sends() -> None:
    seen: list[Any] = []

    def invoke(event: dict[str, Any]) -> dict[str, Any]:
        seen.append(event)
        return {"statusCode": 200, "body": "{}"}

    client = front_door_app(invoke, RESPONSES).test_client()
    answer = client.post("/prod/event", data="ä", headers={"Authorization": f"Bearer {API_KEY}"})

    assert answer.status_code == 200
    assert fields(seen[0]) == fields(SAMPLE)
    assert seen[0]["body"] == "ä"
    assert seen[0]["headers"]["Authorization"] == f"Bearer {API_KEY}"


@pytest.mark.parametrize("answer", [None, {"body": "no status"}, "text"])
def test_an_answer_that_is_none_makes_newstore_send_the_event_again(answer: Any) -> None:
    client = front_door_app(lambda _: answer, RESPONSES).test_client()
    found = client.post("/prod/event", data="{}")

    assert found.status_code == 500
    assert found.get_json() == {"outcome": "failed", "detail": "Internal server error"}


@pytest.mark.parametrize(("method", "path"), [("GET", "/prod/event"), ("POST", "/event")])
def test_other_routes_are_not_the_api_s(at_rest: LocalStack, method: str, path: str) -> None:
    url = at_rest.event_url.removesuffix("/prod/event") + path

    answer = requests.request(method, url, timeout=SECONDS)

    assert answer.status_code == 429
    assert answer.json() == {"outcome": "refused", "detail": "Missing Authentication Token"}


class Mapped:
    """A function behind the stream that fails the records it is told to, as often as told."""

    def __init__(self, fail: dict[int, int]) -> None:
        self.fail = fail
        self.batches: list[list[int]] = []

    def __call__(self, event: dict[str, Any]) -> dict[str, Any]:
        numbers = {int(r["dynamodb"]["Keys"]["event_key"]["S"][:20]): r for r in event["Records"]}
        self.batches.append(list(numbers))
        failed = [number for number in numbers if self.fail.get(number, 0) > 0]
        for number in failed:
            self.fail[number] -= 1
        return {
            "batchItemFailures": [
                {"itemIdentifier": numbers[number]["dynamodb"]["SequenceNumber"]}
                for number in failed
            ]
        }


def stream_of(stack: LocalStack, function: Any, batch: int = 10, retries: int = 3) -> EventStream:
    """The events table's stream before another function, with logical timestamps 1 to 3 in it."""
    for number in (1, 2, 3):
        event = stack.newstore.assign(
            f"ff{number}", "order-1", "DC01", [("item", "SKU-1")], logical_timestamp=number
        )
        assert stack.delivery.deliver_now(event) == 200
    arn = stack.aws.dynamodb.describe_table(TableName=stack.template.physical_id(EVENTS))
    return EventStream(
        stack.aws.streams, arn["Table"]["LatestStreamArn"], function, MappingLimits(batch, retries)
    )


def test_a_batch_is_repeated_from_its_first_failure_on(stack: LocalStack) -> None:
    function = Mapped({2: 1})

    stream_of(stack, function).pump()

    assert function.batches == [[1, 2, 3], [2, 3]]


def test_what_fails_to_the_last_retry_is_discarded_and_the_rest_of_its_batch_with_it(
    stack: LocalStack,
) -> None:
    function = Mapped({2: 99})
    stream = stream_of(stack, function, batch=2, retries=2)

    stream.pump()

    assert function.batches == [[1, 2], [2], [2], [3]]
    assert len(stream.discarded) == 1


def test_a_batch_that_raised_is_halved_until_the_culprit_is_alone(stack: LocalStack) -> None:
    taken: list[int] = []

    def function(event: dict[str, Any]) -> None:
        numbers = [int(r["dynamodb"]["Keys"]["event_key"]["S"][:20]) for r in event["Records"]]
        if 3 in numbers:
            raise ValueError("poison")
        taken.extend(numbers)

    stream = stream_of(stack, function)
    stream.pump()

    assert taken == [1, 2]
    assert len(stream.discarded) == 1


def test_only_new_events_reach_the_function_and_each_but_once(stack: LocalStack) -> None:
    stack.newstore.publisher.skip(10)
    stack.delivery.deliver_now(ship(stack, "ff0"))
    stack.stream.pump()  # the forwarder changes the item it was given
    function = Mapped({})
    stream = stream_of(stack, function)

    stream.pump()
    stream.pump()

    assert function.batches == [[12, 1, 2, 3]]


def test_while_the_erp_is_down_events_wait_for_the_sweep(stack: LocalStack) -> None:
    stack.erp.faults.down_for(600)
    stack.delivery.deliver_now(ship(stack, "ff1"))
    stack.stream.pump()
    assert len(stack.stream.discarded) == 1
    stack.clock.sleep(600)

    assert stack.sweep() == {"forwarded": 1, "rejected": 0, "later": 0}

    assert stack.erp.on_hand(KEY) == 9


def test_a_parameter_that_the_template_does_not_have_is_refused() -> None:
    plan = StackPlan(parameters={"SettleWindow": "60"})

    with pytest.raises(TemplateError, match="SettleWindowSeconds"), local_stack(plan):
        pass
