"""Reads made by a state machine: an execution for each plan, a child of it for each batch.

reads/plans/<plan>.json    the batches, from which the state machine takes its items
"""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from inventory_sync.adapters.aws.errors import error_code, translated
from inventory_sync.adapters.s3.bucket import Bucket
from inventory_sync.domain.stock_reads import ReadPlan

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

WHAT = "state machine of the reads"


class StepFunctionsReads:
    """`tick_function` is called when an execution has ended, so that an import follows at once."""

    def __init__(
        self, client: Any, s3: "S3Client", *, machine_arn: str, bucket: str, tick_function: str
    ) -> None:
        self._client = client
        self._bucket = Bucket(s3, bucket)
        self._machine_arn = machine_arn
        self._tick_function = tick_function

    def start(self, plan: ReadPlan, batches: Sequence[Sequence[str]]) -> None:
        """Step Functions takes the same name and input once."""
        key = f"reads/plans/{plan.plan_id}.json"
        named = {"plan_id": plan.plan_id, "planned_at": plan.planned_at.isoformat()}
        items = [{**named, "whole": plan.whole, "locations": list(batch)} for batch in batches]
        self._bucket.put(key, json.dumps(items).encode())
        given = {"bucket": self._bucket.name, "key": key, "tick_function": self._tick_function}
        with translated(WHAT):
            try:
                self._client.start_execution(
                    stateMachineArn=self._machine_arn, name=plan.plan_id, input=json.dumps(given)
                )
            except ClientError as error:
                if error_code(error) != "ExecutionAlreadyExists":
                    raise

    def under_way(self, plan: ReadPlan) -> bool:
        """By the execution of that name."""
        arn = self._machine_arn.replace(":stateMachine:", ":execution:")
        with translated(WHAT):
            try:
                found = self._client.describe_execution(executionArn=f"{arn}:{plan.plan_id}")
            except ClientError as error:
                if error_code(error) != "ExecutionDoesNotExist":
                    raise
                return False
        return bool(found["status"] == "RUNNING")
