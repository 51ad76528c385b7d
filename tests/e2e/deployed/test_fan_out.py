"""Reads that fan out, on an engine: the state machine of template.yaml in the local AWS.

In this order, on one stack of its own. Nobody calls a function here but the state machine, and the
test as the schedule would.
"""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from inventory_sync.domain.locations import Location
from local.deployed import DeployedStack, FunctionError, deployed_stack
from local.ministack import LocalAws
from local.stack import StackPlan
from tests.e2e.deployed.waiting import eventually

SKU = "SKU-1"
LOCATIONS = [f"L{number:03d}" for number in range(200)]
SPACING_SECONDS = 5
ATTEMPTS = 4
LEASE_SECONDS = 300
SECONDS = 240
PLANS = "reads/plans/"


@pytest.fixture(scope="module")
def fanned(local_aws: LocalAws) -> Iterator[DeployedStack]:
    """Two hundred locations; ten are read at once."""
    plan = StackPlan(
        locations=[
            Location(location_id=i, fulfillment_node_id=i, store_id=i, erp_location=i)
            for i in LOCATIONS
        ],
        parameters={
            "StockReads": "fan_out",
            "ErpReadsAtOnce": "5",
            "ErpCallsPerSecond": "200",
            "ImportSchedule": "rate(1 day)",
        },
        settings={"JOB_SPACING_SECONDS": str(SPACING_SECONDS), "HTTP_ATTEMPTS_MAX": "1"},
        signed_urls=True,
    )
    with deployed_stack(local_aws, "fan-out", plan) as stack:
        stack.erp.faults.sleep = time.sleep
        yield stack


def stock(stack: DeployedStack, units: int) -> None:
    for location in LOCATIONS:
        stack.erp.set_stock((location, SKU), units)


def imported(stack: DeployedStack, units: int) -> int:
    """How many locations have so much at NewStore."""
    return sum(stack.newstore.on_hand((location, SKU)) == units for location in LOCATIONS)


def all_imported(stack: DeployedStack, units: int) -> bool:
    """After one more tick, as the schedule makes them."""
    stack.tick()
    return imported(stack, units) == len(LOCATIONS)


def executions(stack: DeployedStack, status: str) -> list[dict[str, Any]]:
    resource = stack.local_aws.client("cloudformation").describe_stack_resource(
        StackName=stack.name, LogicalResourceId="ReadMachine"
    )
    arn = resource["StackResourceDetail"]["PhysicalResourceId"]
    found: list[dict[str, Any]] = stack.local_aws.client("stepfunctions").list_executions(
        stateMachineArn=arn, statusFilter=status
    )["executions"]
    return found


def started(stack: DeployedStack) -> dict[str, Any]:
    """An execution that is under way, after a tick."""

    def look() -> list[dict[str, Any]]:
        stack.tick()
        return executions(stack, "RUNNING")

    [*_, execution] = eventually(look, "an execution", SECONDS)
    return execution


def test_where_a_tenth_of_the_erp_s_calls_fails_every_location_is_imported_all_the_same(
    fanned: DeployedStack,
) -> None:
    stock(fanned, 10)
    fanned.erp.faults.refused_share = 0.1

    eventually(lambda: all_imported(fanned, 10), "an import of all", SECONDS)

    fanned.erp.faults.refused_share = 0.0
    assert fanned.erp.faults.injected["refuse"] > 10
    assert executions(fanned, "SUCCEEDED")
    assert executions(fanned, "FAILED") == []


def test_the_import_follows_the_reads_by_itself(fanned: DeployedStack) -> None:
    eventually(lambda: not executions(fanned, "RUNNING"), "the end of all reads", SECONDS)
    time.sleep(SPACING_SECONDS)
    stock(fanned, 11)
    assert fanned.tick()["outcome"] == "reading"

    eventually(lambda: imported(fanned, 11) == len(LOCATIONS), "an import", SECONDS)


def test_of_an_execution_that_was_stopped_the_next_goes_on(fanned: DeployedStack) -> None:
    time.sleep(SPACING_SECONDS)
    stock(fanned, 12)
    fanned.erp.faults.slow_next(0.5, calls=100, call="get_stock")
    execution = started(fanned)
    fanned.local_aws.client("stepfunctions").stop_execution(executionArn=execution["executionArn"])

    eventually(lambda: all_imported(fanned, 12), "an import of all", SECONDS)

    assert [e["name"] for e in executions(fanned, "ABORTED")] == [execution["name"]]


def test_a_batch_that_does_not_end_holds_up_no_import_of_the_others(
    fanned: DeployedStack,
) -> None:
    """A call is given up after 20 seconds, so each attempt at the batch meets one that hangs."""
    eventually(lambda: not executions(fanned, "RUNNING"), "the end of all reads", SECONDS)
    time.sleep(SPACING_SECONDS)
    stock(fanned, 13)

    def most() -> bool:
        fanned.tick()
        return imported(fanned, 13) >= len(LOCATIONS) - 20

    with hanging(fanned, LOCATIONS[0]):
        execution = started(fanned)
        eventually(most, "an import of the others", SECONDS)

        assert execution["name"] in [e["name"] for e in executions(fanned, "RUNNING")]
        assert imported(fanned, 13) < len(LOCATIONS)


@contextmanager
def hanging(stack: DeployedStack, location: str) -> Iterator[None]:
    """Until the block ends the location's stock is not answered, however often it is asked for."""
    ended, faults = threading.Event(), stack.erp.faults

    def hang(seconds: float) -> None:
        ended.wait(seconds)

    faults.planned.clear()
    faults.sleep = hang
    faults.slow_next(SECONDS, ATTEMPTS, "get_stock", location)
    try:
        yield
    finally:
        faults.planned.clear()
        ended.set()
        faults.sleep = time.sleep


def test_a_redeployment_under_way_loses_nothing(fanned: DeployedStack) -> None:
    eventually(lambda: all_imported(fanned, 13), "an import of all", SECONDS)
    time.sleep(SPACING_SECONDS)
    stock(fanned, 14)
    fanned.erp.faults.slow_next(0.5, calls=50, call="get_stock")
    started(fanned)

    fanned.deploy({"RetentionDays": "60"})

    eventually(lambda: all_imported_by_now(fanned, 14), "an import of all", SECONDS + LEASE_SECONDS)
    jobs = [job.state for job in fanned.newstore.jobs.by_id.values()]
    assert set(jobs) <= {"finished", "waiting", "processing"}


def all_imported_by_now(stack: DeployedStack, units: int) -> bool:
    """The local AWS takes a function's code away from under a tick, which AWS does not.

    A tick that ends so keeps its lease until that has run out.
    """
    try:
        return all_imported(stack, units)
    except FunctionError:
        return False


def test_executions_are_named_after_their_plans(fanned: DeployedStack) -> None:
    """An import may ask for the next reads at any moment: they agree before long."""

    def plans() -> set[str]:
        return {key.removeprefix(PLANS).removesuffix(".json") for key in plan_keys(fanned)}

    def names() -> set[str]:
        states = ("RUNNING", "SUCCEEDED", "ABORTED")
        return {e["name"] for status in states for e in executions(fanned, status)}

    eventually(lambda: names() == plans(), "an execution of each plan's name", SECONDS)

    client, bucket = fanned.local_aws.client("s3"), fanned.physical_id("ImportBucket")
    body = client.get_object(Bucket=bucket, Key=plan_keys(fanned)[0])["Body"].read()
    assert sum(len(item["locations"]) for item in json.loads(body)) == len(LOCATIONS)


def plan_keys(stack: DeployedStack) -> list[str]:
    client, bucket = stack.local_aws.client("s3"), stack.physical_id("ImportBucket")
    found = client.list_objects_v2(Bucket=bucket, Prefix=PLANS)["Contents"]
    return [entry["Key"] for entry in found]
