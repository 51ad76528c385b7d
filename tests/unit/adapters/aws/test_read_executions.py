"""Executions of the state machine that reads: started once, and known to be under way or not."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from inventory_sync.adapters.aws.read_executions import StepFunctionsReads
from inventory_sync.domain.errors import FatalError
from inventory_sync.domain.stock_reads import ReadPlan
from tests.aws import REGION, local_bucket
from tests.builders import NOW

PLAN = ReadPlan("20260302T090000Z-00000001", NOW)
BATCHES = [("L1", "L2"), ("L3",)]


class Machine:
    """A state machine of moto's, whose executions run until they are stopped."""

    def __init__(self, s3: Any) -> None:
        self.s3 = s3
        self.client: Any = boto3.client("stepfunctions", region_name=REGION)
        self.arn = self.client.create_state_machine(
            name="reads", definition="{}", roleArn="arn:aws:iam::123456789012:role/reads"
        )["stateMachineArn"]

    def reads(self, arn: str = "") -> StepFunctionsReads:
        return StepFunctionsReads(
            self.client,
            self.s3,
            machine_arn=arn or self.arn,
            bucket="imports",
            tick_function="import-stock",
        )

    def executions(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.client.list_executions(stateMachineArn=self.arn)[
            "executions"
        ]
        return found


@pytest.fixture
def machine() -> Iterator[Machine]:
    with mock_aws(), local_bucket("imports") as s3:
        yield Machine(s3)


def test_an_execution_bears_the_plan_s_id_and_finds_its_batches(machine: Machine) -> None:
    machine.reads().start(PLAN, BATCHES)

    [execution] = machine.executions()
    given = json.loads(
        machine.client.describe_execution(executionArn=execution["executionArn"])["input"]
    )
    items = json.loads(
        machine.s3.get_object(Bucket=given["bucket"], Key=given["key"])["Body"].read()
    )
    assert execution["name"] == PLAN.plan_id
    assert given["tick_function"] == "import-stock"
    assert [item["locations"] for item in items] == [["L1", "L2"], ["L3"]]
    assert {(item["plan_id"], item["whole"]) for item in items} == {(PLAN.plan_id, False)}


def test_a_plan_is_started_once(machine: Machine) -> None:
    machine.reads().start(PLAN, BATCHES)
    machine.reads().start(PLAN, BATCHES)

    assert len(machine.executions()) == 1


def test_it_is_under_way_until_it_has_ended(machine: Machine) -> None:
    reads = machine.reads()
    before = reads.under_way(PLAN)
    reads.start(PLAN, BATCHES)
    meanwhile = reads.under_way(PLAN)
    machine.client.stop_execution(executionArn=machine.executions()[0]["executionArn"])

    assert (before, meanwhile, reads.under_way(PLAN)) == (False, True, False)


def test_a_machine_that_is_not_there_is_named(machine: Machine) -> None:
    with pytest.raises(FatalError, match="state machine of the reads"):
        machine.reads(machine.arn.replace("reads", "other")).start(PLAN, BATCHES)
