"""The ways to AWS that only the CSV connector takes: the bucket it shares with the ERP."""

import json
from typing import Any

from local.stack import RECONCILE, LocalStack, StackPlan
from local.template import REGION
from tests.connector.csv_bench import BUCKET, FORMAT, BatchErp
from tests.integration.ways_to_aws import DC, shipped

PREFIX = "erp/"
PLAN = StackPlan(
    locations=[DC],
    parameters={
        "ErpConnector": "csv",
        "ErpBucketName": BUCKET,
        "ErpBucketPrefix": PREFIX,
        "SettleWindowSeconds": "0",
    },
    newstore={"job_seconds": 0},
)


def by_files(stack: LocalStack) -> None:
    """A movement goes out as a file and is acknowledged; stock is read, imported and compared."""
    erp = erp_of(stack)
    erp.units["SKU-1"] = 10
    event = shipped(stack, "by-files")
    assert stack.delivery.deliver_now(event) == 200
    stack.stream.pump()
    erp.book()
    erp.drop_stock()
    stack.clock.sleep(120)
    assert stack.sweep()["forwarded"] == 1
    assert erp.units["SKU-1"] == 9
    assert stack.tick(full=True)["run"]["rows"] == 1
    assert stack.functions[RECONCILE]({})["outcome"] == "reconciled"


def erp_of(stack: LocalStack) -> BatchErp:
    location: Any = {"LocationConstraint": REGION}
    stack.aws.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=location)
    form = json.dumps({**FORMAT, "acknowledged": True}).encode()
    stack.aws.s3.put_object(Bucket=BUCKET, Key=f"{PREFIX}connector.json", Body=form)
    return BatchErp(stack.aws.s3, PREFIX)
