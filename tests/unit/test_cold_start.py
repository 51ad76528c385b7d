"""What the webhook may not import: each of these would be felt when it starts cold.

Why, and what each would cost: docs/decisions/0014-the-webhook-s-cold-start.md.
"""

import json
import os
import subprocess
import sys

from tests.aws import REGION
from tests.template.test_template import ROOT

TOO_HEAVY = {
    "aws_xray_sdk",
    "boto3",
    "inventory_sync.domain.availabilities",
    "inventory_sync.domain.cut",
    "inventory_sync.domain.guards",
    "inventory_sync.domain.import_run",
    "inventory_sync.domain.manifest",
    "inventory_sync.domain.stock",
    "inventory_sync.ports",
    "moto",
    "pydantic",
    "pydantic_core",
    "requests",
    "s3transfer",
}
MAKE_THE_DOOR = """
import json, sys
import app
from inventory_sync.bootstrap.ingest_event import ingest_event
from inventory_sync.bootstrap.runtime import in_lambda
in_lambda(ingest_event)()
print(json.dumps(sorted(sys.modules)))
"""


def imported(code: str) -> set[str]:
    """Modules that a fresh Python has after the code."""
    environment = {
        "PATH": os.defpath,
        "PYTHONPATH": f"{ROOT / 'layers/inventory_sync'}:{ROOT / 'functions/ingest_event'}",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "EVENTS_TABLE": "events",
        "QUARANTINE_TABLE": "quarantine",
        "STATE_TABLE": "state",
        "IMPORT_BUCKET": "bucket",
        "INBOUND_KEYS_SECRET_ARN": "arn",
        "NEWSTORE_TENANT": "acme",
        "POWERTOOLS_SERVICE_NAME": "inventory-sync",
        "POWERTOOLS_METRICS_NAMESPACE": "InventorySync",
    }
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, check=True, text=True
    )
    return set(json.loads(done.stdout))


def test_the_webhook_imports_nothing_heavy_that_it_does_not_use() -> None:
    modules = imported(MAKE_THE_DOOR)

    assert "botocore.client" in modules
    assert modules & TOO_HEAVY == set()


def test_a_heavy_import_is_found() -> None:
    assert "boto3" in imported("import boto3\n" + MAKE_THE_DOOR) & TOO_HEAVY
