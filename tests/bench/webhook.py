"""The built webhook over an engine of its own: what the children of `warm` and `load` run in."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

import boto3

from local.aws import API_KEY, AWS_VARIABLES, served_over_http
from local.runtime_files import BUILD, SAM, built_template
from local.stack import INGEST, TENANT
from local.template import ROOT
from tests.aws import create_table
from tests.contract.engines import dynoxide

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

LAMBDA_PYTHON = (str(SAM / "bin" / "python"), "-S")
"""The template's Python, seeing nothing but PYTHONPATH."""
EVENTS, QUARANTINE = "EventsTable-bench", "QuarantineTable-bench"


@dataclass(frozen=True)
class Webhook:
    """`environment` is what a child needs to be the webhook, `dynamodb` reaches its tables."""

    environment: dict[str, str]
    dynamodb: "DynamoDBClient"


@contextmanager
def webhook() -> Iterator[Webhook]:
    """Tables in dynoxide, the inbound keys in moto, all of it gone at the end of the block."""
    built_template()
    with served_over_http() as aws, dynoxide() as dynamodb:
        create_table(dynamodb, "EventsTable", EVENTS)
        create_table(dynamodb, "QuarantineTable", QUARANTINE)
        paths = [BUILD / "InventorySyncLayer" / "python", BUILD / INGEST, ROOT]
        environment = {
            **AWS_VARIABLES,
            "AWS_ENDPOINT_URL_DYNAMODB": dynamodb.meta.endpoint_url,
            "AWS_ENDPOINT_URL_SECRETS_MANAGER": aws,
            "EVENTS_TABLE": EVENTS,
            "INBOUND_KEYS_SECRET_ARN": _secret(aws),
            "NEWSTORE_TENANT": TENANT,
            "PATH": os.defpath,
            "POWERTOOLS_METRICS_NAMESPACE": "InventorySync",
            "POWERTOOLS_SERVICE_NAME": "inventory-sync",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": os.pathsep.join(map(str, paths)),
            "QUARANTINE_TABLE": QUARANTINE,
            "STATE_TABLE": "state-not-used",
            "IMPORT_BUCKET": "bodies",
        }
        yield Webhook(environment, dynamodb)


def _secret(endpoint_url: str) -> str:
    client = boto3.client(
        "secretsmanager",
        endpoint_url=endpoint_url,
        region_name=AWS_VARIABLES["AWS_REGION"],
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )
    text = json.dumps({"api_keys": [API_KEY]})
    return client.create_secret(Name=f"inbound-keys-{uuid4()}", SecretString=text)["ARN"]
