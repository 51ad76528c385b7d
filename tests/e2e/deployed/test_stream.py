"""The event stream in the deployed stack: the stream check's schedule, the export's queue.

NewStore's simulator stops the stream, and drops a file where its S3 export would.
"""

import gzip
import json

import pytest

from local.deployed import DeployedStack
from local.newstore.events import Event, event_bytes
from local.stack import EVENTS, QUARANTINE
from tests.e2e.deployed.waiting import eventually

BUCKET = "ImportBucket"


@pytest.fixture(scope="module", autouse=True)
def stopped(stack: DeployedStack, stories: object) -> None:
    """Registered by hand, and stopped at NewStore before the stream check's next run."""
    integrations = stack.newstore.integrations
    integrations.create(
        {
            "id": stack.name,
            "integration_type": "permanent",
            "callback_parameters": {
                "callback_url": stack.outputs["EventUrl"],
                "api_key": stack.keys.api_key,
            },
        }
    )
    integrations.stop(stack.name)


def write(stack: DeployedStack, key: str, content: bytes) -> None:
    """As NewStore would with the key of a user of ours."""
    client = stack.local_aws.client("s3")
    client.put_object(Bucket=stack.physical_id(BUCKET), Key=key, Body=content)


def shipped(stack: DeployedStack, request: str) -> list[Event]:
    items = [(f"{request}-1", "SKU-1")]
    return [
        stack.newstore.assign(request, "order-1", "DC01", items),
        stack.newstore.complete(request),
    ]


def depth(stack: DeployedStack, queue: str) -> int:
    client = stack.local_aws.client("sqs")
    url = client.get_queue_url(QueueName=stack.physical_id(queue))["QueueUrl"]
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = client.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(map(int, found.values()))


def test_a_file_of_the_export_brings_what_the_stream_lost_and_changes_nothing_else(
    stack: DeployedStack,
) -> None:
    known, lost = shipped(stack, "export-known"), shipped(stack, "export-lost")
    assert [stack.delivery.deliver_now(event) for event in known] == [200] * 2
    stored, set_aside = stack.count(EVENTS), stack.count(QUARANTINE)
    lines = [event_bytes(event) for event in [*known, *lost]]

    write(stack, "inbound/acme/1-data-a.export", b"\n".join(lines))
    write(stack, "inbound/acme/2-data-b.export.gz", gzip.compress(b"\n".join([*lines, b"{"])))

    eventually(lambda: stack.count(QUARANTINE) == set_aside + 1, "the second file's last line")
    eventually(lambda: depth(stack, "ExportQueue") == 0, "both files to be read")
    assert stack.count(EVENTS) == stored + 2
    eventually(lambda: applied(stack, "export-lost"), "the ERP's books")
    assert stack.erp.double_bookings == 0


def applied(stack: DeployedStack, request: str) -> bool:
    items = stack.aws.dynamodb.scan(TableName=stack.physical_id(EVENTS))["Items"]
    return any(f"#{request}#" in item["event_key"]["S"] and "applied_at" in item for item in items)


def test_what_lies_elsewhere_in_the_bucket_wakes_nobody(stack: DeployedStack) -> None:
    write(stack, "elsewhere/3-data-c.export", b"{")
    write(stack, "inbound/acme/4-data-d.export", event_bytes(shipped(stack, "marker")[0]))

    set_aside = stack.count(QUARANTINE)
    eventually(lambda: depth(stack, "ExportQueue") == 0, "the marker's file to be read")

    assert stack.count(QUARANTINE) == set_aside


def test_the_stream_check_s_schedule_starts_the_stopped_stream(stack: DeployedStack) -> None:
    eventually(
        lambda: stack.newstore.integrations.of(stack.name).status == "running", "the stream check"
    )

    [(_, record)] = list(stack.state.records("stream_check"))
    assert len(json.loads(record)["restarts"]) == 1
