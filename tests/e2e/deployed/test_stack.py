"""template.yaml as it is deployed: API Gateway, stream, schedules, S3, secrets, dead letters.

In this order, on one stack: each test leaves it working. Nobody calls a function here but
NewStore's posts, the stream and the schedules, unless a test says so.
"""

import json
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest
import requests

from inventory_sync.adapters.dynamodb.restored_table import RestoredTable
from local.deployed import DeployedStack
from local.newstore.events import Event, event_bytes
from local.stack import EVENTS, IMPORT, QUARANTINE
from local.template import ACCOUNT, REGION
from tests.e2e.deployed.waiting import eventually

KEY = ("DC01", "SKU-1")
OTHER = ("NYC", "SKU-1")
SECONDS = 30
UNITS = 100
SETTLE_SECONDS = 4
OUTAGE_SECONDS = 10
JOB_SECONDS = 25
DEAD_LETTERS = "ScheduleFailuresQueue"
NEXT_KEY = "the-next-inbound-key-rotated"


class Waiting(NamedTuple):
    """What happened before the schedules fired: the last event of `KEY`, and the ERP's outage."""

    imported: Event
    on_hand: int
    given_up: list[Any]


@pytest.fixture(scope="module", autouse=True)
def stocked(stack: DeployedStack, stories: object) -> None:
    """Both systems agree at first; the stories are under way beside."""
    keys = [NEXT_KEY, stack.keys.api_key]
    stack.write_secret("InboundKeysSecretArn", {"api_keys": keys})
    for key in (KEY, OTHER, ("DC01", "POISON")):
        stack.erp.set_stock(key, UNITS)
        stack.newstore.set_imported(key, UNITS)


@pytest.fixture(autouse=True)
def never_oversold(stack: DeployedStack) -> Iterator[None]:
    """After each test, whatever it did."""
    yield
    for key in (KEY, OTHER):
        assert stack.newstore.atp(key) <= on_the_shelf(stack, key) - still_open(stack, key)


def on_the_shelf(stack: DeployedStack, key: tuple[str, str]) -> int:
    requests_ = stack.newstore.book.requests.values()
    shipped = sum(
        item.state == "completed"
        for request in requests_
        for item in request.items.values()
        if (request.location_id, item.product_id) == key
    )
    return UNITS - shipped


def still_open(stack: DeployedStack, key: tuple[str, str]) -> int:
    return stack.newstore.open_allocations(key)


def shipped(stack: DeployedStack, request: str, key: tuple[str, str] = KEY) -> list[Event]:
    """A unit is ordered and leaves the building: two events."""
    location, product = key
    assigned = stack.newstore.assign(request, "order-1", location, [(f"{request}-1", product)])
    return [assigned, stack.newstore.complete(request)]


def post(stack: DeployedStack, *events: Event) -> list[int]:
    return [stack.delivery.deliver_now(event) for event in events]


def call(stack: DeployedStack, body: bytes, **headers: str) -> requests.Response:
    return requests.post(
        stack.event_url,
        data=body,
        headers=headers,
        timeout=SECONDS,
        verify=str(stack.local_aws.certificate),
    )


def run_of(stack: DeployedStack) -> dict[str, Any]:
    """The import's head, with the run it is at."""
    for _, record in stack.state.records("head"):
        head: dict[str, Any] = json.loads(record)
        return head
    return {}


def watermark_reaches(stack: DeployedStack, event: Event) -> int | None:
    """The watermark, once an import has released the event."""
    reached: int | None = run_of(stack).get("watermark")
    released = reached is not None and reached >= event["payload"]["logical_timestamp"]
    return reached if released else None


def imported_by_hand(stack: DeployedStack, event: Event) -> int | None:
    """The watermark after one more tick, once it has released the event."""
    stack.tick()
    return watermark_reaches(stack, event)


def queue_arn(stack: DeployedStack, queue: str) -> str:
    return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{stack.physical_id(queue)}"


def messages(stack: DeployedStack, queue: str) -> list[dict[str, Any]]:
    client = stack.local_aws.client("sqs")
    url = client.get_queue_url(QueueName=stack.physical_id(queue))["QueueUrl"]
    found: list[dict[str, Any]] = client.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0
    ).get("Messages", [])
    return found


def test_the_webhook_answers_as_newstore_needs_it(stack: DeployedStack) -> None:
    bearer = f"Bearer {stack.keys.api_key}"
    body = event_bytes(shipped(stack, "first")[0])
    stored, set_aside = stack.count(EVENTS), stack.count(QUARANTINE)

    answers = [
        call(stack, body).status_code,
        call(stack, body, Authorization="Bearer wrong").status_code,
        call(stack, body, Authorization=bearer).status_code,
        call(stack, body, Authorization=bearer).status_code,
        call(stack, b"no event either", Authorization=bearer).status_code,
        call(stack, b"x" * 131_073, Authorization=bearer).status_code,
    ]

    assert answers == [401, 401, 200, 200, 200, 200]
    assert (stack.count(EVENTS), stack.count(QUARANTINE)) == (stored + 1, set_aside + 2)


def test_the_stream_brings_events_to_the_erp_and_one_it_refuses_stops_no_other(
    stack: DeployedStack,
) -> None:
    stack.erp.rejected_products["POISON"] = "no such product"
    events = [
        *shipped(stack, "before"),
        *shipped(stack, "poison", ("DC01", "POISON")),
        *shipped(stack, "after"),
    ]

    assert post(stack, *events) == [200] * 6
    stack.stream.pump()

    assert stack.erp.on_hand(KEY) == UNITS - 2
    assert stack.erp.on_hand(("DC01", "POISON")) == UNITS
    [entry] = [e for e in quarantined(stack) if e["reason"] == "rejected_by_erp"]
    assert entry["detail"] == "no such product"


def quarantined(stack: DeployedStack) -> list[dict[str, str]]:
    items = stack.aws.dynamodb.scan(TableName=stack.physical_id(QUARANTINE))["Items"]
    return [{name: value.get("S", "") for name, value in item.items()} for item in items]


@pytest.fixture(scope="module")
def waiting(stack: DeployedStack) -> Waiting:
    """Forwarded events of one location, and some of another for which the ERP was down."""
    imported = shipped(stack, "imported")
    assert post(stack, *imported) == [200] * 2
    stack.stream.pump()
    on_hand = stack.erp.on_hand(OTHER)
    stack.erp.faults.down_for(OUTAGE_SECONDS)
    events = [event for name in ("out1", "out2") for event in shipped(stack, name, OTHER)]
    assert post(stack, *events) == [200] * 4
    stack.stream.pump()
    return Waiting(imported[-1], on_hand, list(stack.stream.discarded))


def test_after_an_outage_the_scheduled_sweep_brings_what_the_stream_gave_up(
    stack: DeployedStack, waiting: Waiting
) -> None:
    assert waiting.given_up

    eventually(lambda: stack.erp.on_hand(OTHER) == waiting.on_hand - 2, "the sweep")

    assert stack.erp.double_bookings == 0


def test_newstore_fetches_the_scheduled_import_by_the_url_it_was_given(
    stack: DeployedStack, waiting: Waiting
) -> None:
    eventually(lambda: watermark_reaches(stack, waiting.imported), "an import")

    job = list(stack.newstore.jobs.by_id.values())[-1]
    assert job.state == "finished"
    assert (job.transformed_uri or job.source_uri).startswith(f"{stack.local_aws.url}/")
    assert "X-Amz-Signature" in (job.transformed_uri or job.source_uri)
    assert stack.newstore.on_hand(KEY) == stack.erp.on_hand(KEY)
    # What the ERP refused is in its stock still, and is taken off all the same.
    assert stack.newstore.on_hand(("DC01", "POISON")) == UNITS - 1


def test_the_scheduled_reconciliation_finds_that_both_agree(
    stack: DeployedStack, waiting: Waiting
) -> None:
    eventually(lambda: watermark_reaches(stack, waiting.imported), "an import")

    report = eventually(lambda: newest_report(stack), "a report")

    assert report["rows"] > 0
    assert report["rows_by_cause"]["unexplained"] == 0


def newest_report(stack: DeployedStack) -> dict[str, Any]:
    """The summary of the last reconciliation; empty before the first."""
    client, bucket = stack.local_aws.client("s3"), stack.physical_id("ImportBucket")
    found = client.list_objects_v2(Bucket=bucket, Prefix="reports/").get("Contents", [])
    keys = sorted(entry["Key"] for entry in found if entry["Key"].endswith("/summary.json"))
    if not keys:
        return {}
    summary: dict[str, Any] = json.loads(
        client.get_object(Bucket=bucket, Key=keys[-1])["Body"].read()
    )
    return summary


def test_the_files_are_for_newstore_only_and_by_tls_only(stack: DeployedStack) -> None:
    job = list(stack.newstore.jobs.by_id.values())[-1]
    uri = job.transformed_uri or job.source_uri
    verify = str(stack.local_aws.certificate)

    assert requests.get(uri.partition("?")[0], timeout=SECONDS, verify=verify).status_code == 403
    tampered = uri.replace("/imports/", "/ledger/")
    assert requests.get(tampered, timeout=SECONDS, verify=verify).status_code == 403
    bucket = stack.physical_id("ImportBucket")
    with pytest.raises(LookupError):
        stack.aws.fetch_file(f"s3://{bucket}/ledger/any")


def test_new_credentials_lose_no_event_and_no_import(stack: DeployedStack) -> None:
    """The inbound key was put beside the old one when the module began (docs/deploy.md)."""
    stack.erp.token = "erp-token-rotated"
    stack.write_secret("ErpSecretArn", {"token": stack.erp.token})
    [client_id] = stack.newstore.tokens.clients
    stack.newstore.tokens.clients[client_id] = "client-secret-rotated"
    stack.newstore.tokens.revoke_tokens()
    stack.write_secret(
        "NewStoreSecretArn", {"client_id": client_id, "client_secret": "client-secret-rotated"}
    )
    on_hand = stack.erp.on_hand(KEY)
    [assigned, completed] = shipped(stack, "rotated")

    statuses = [
        stack.delivery.deliver_now(assigned),
        stack.delivery_with(NEXT_KEY).deliver_now(completed),
    ]
    stack.stream.pump()
    time.sleep(SETTLE_SECONDS)
    # By hand: the schedule would say so a minute later.
    eventually(lambda: imported_by_hand(stack, completed), "an import with the new secret")

    assert statuses == [200, 200]
    assert stack.erp.on_hand(KEY) == on_hand - 1


def test_a_redeployment_in_the_middle_of_a_run_loses_nothing(stack: DeployedStack) -> None:
    """The job is at NewStore and events keep coming while the functions are replaced.

    The local AWS breaks off what is under way, which AWS does not: some events are answered 5xx
    here, and repeated by NewStore; a tick would keep its lease for ten minutes, so none may run.
    """
    jobs, delivery = stack.newstore.jobs, stack.delivery
    delivery.first_pause_seconds = 1
    jobs.job_seconds = JOB_SECONDS
    [*_, last] = events = shipped(stack, "released")
    assert post(stack, *events) == [200] * 2
    stack.stream.pump()
    time.sleep(SETTLE_SECONDS)
    stored, requests_ = stack.count(EVENTS), 0

    with schedules_at_rest(stack), ThreadPoolExecutor(1) as threads:
        eventually(
            lambda: stack.tick()["outcome"] != "lease_held" and under_way(stack), "a started job"
        )
        deployed = threads.submit(stack.deploy, {"RetentionDays": "60"})
        while not deployed.done():
            for event in shipped(stack, f"during-{requests_}"):
                delivery.enqueue(event)
            requests_ += 1
            delivery.deliver_due()
            time.sleep(1)
        deployed.result()
    eventually(lambda: delivery.deliver_due() == 0 and delivery.pending == 0, "all events taken")

    eventually(lambda: imported_by_hand(stack, last), "the run's end", 240)
    assert requests_ > 1
    assert stack.count(EVENTS) == stored + 2 * requests_
    assert delivery.running
    by_name = Counter(job.name for job in jobs.by_id.values())
    assert set(by_name.values()) == {1}
    assert {job.state for job in jobs.by_id.values()} <= {"finished", "waiting", "processing"}


@contextmanager
def schedules_at_rest(stack: DeployedStack) -> Iterator[None]:
    client = stack.local_aws.client("scheduler")
    names = [s["Name"] for s in client.list_schedules()["Schedules"] if of_stack(stack, s["Name"])]
    assert names
    for state in ("DISABLED", "ENABLED"):
        for name in names:
            schedule = client.get_schedule(Name=name)
            kept = ("ScheduleExpression", "FlexibleTimeWindow", "Target")
            client.update_schedule(
                Name=name, State=state, **{field: schedule[field] for field in kept}
            )
        if state == "DISABLED":
            yield


def of_stack(stack: DeployedStack, name: str) -> bool:
    return name.startswith(f"{stack.name}-")


def under_way(stack: DeployedStack) -> bool:
    states = {job.state for job in stack.newstore.jobs.by_id.values()}
    return bool(states & {"waiting", "processing"})


def test_what_a_table_has_lost_comes_back_from_a_point_in_time(stack: DeployedStack) -> None:
    """The local AWS copies what is there now, so the copy comes before the loss."""
    client, table = stack.aws.dynamodb, stack.physical_id(EVENTS)
    [lost, *_] = client.scan(TableName=table)["Items"]
    restored = RestoredTable(client, table, stack.clock.now())
    restored.make(time.sleep)
    stored = stack.count(EVENTS)
    expiry = client.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
    key = {name: lost[name] for name in ("location_id", "event_key")}
    client.delete_item(TableName=table, Key=key)

    found = restored.put_back(stack.clock.now())
    restored.drop_copy()

    assert (found.put_back, stack.count(EVENTS)) == (1, stored)
    assert client.describe_table(TableName=table)["Table"]["StreamSpecification"]["StreamEnabled"]
    assert client.describe_time_to_live(TableName=table)["TimeToLiveDescription"] == expiry


def test_a_tick_that_fails_lands_in_the_dead_letter_queue(stack: DeployedStack) -> None:
    client, name = stack.local_aws.client("lambda"), stack.physical_id(IMPORT)
    # The local AWS's CloudFormation leaves a function's queue out (docs/local-aws.md).
    client.update_function_configuration(
        FunctionName=name, DeadLetterConfig={"TargetArn": queue_arn(stack, DEAD_LETTERS)}
    )
    [(client_id, secret)] = stack.newstore.tokens.clients.items()
    stack.write_secret("NewStoreSecretArn", {"nothing": "of use"})
    stack.newstore.tokens.revoke_tokens()
    try:
        client.invoke(FunctionName=name, InvocationType="Event", Payload=b'{"full": true}')
        letters = eventually(lambda: messages(stack, DEAD_LETTERS), "a dead letter")
    finally:
        stack.write_secret("NewStoreSecretArn", {"client_id": client_id, "client_secret": secret})
    assert any('{"full": true}' in letter["Body"] for letter in letters)
