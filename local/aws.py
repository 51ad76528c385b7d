"""An AWS inside this process (moto), and in it what template.yaml and its parameters ask for."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import requests
from boto3.session import Session
from botocore.exceptions import ClientError
from botocore.session import Session as CoreSession
from botocore.session import get_session
from moto import mock_aws
from moto.server import ThreadedMotoServer

from local.template import REGION, Template

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient

API_KEY = "local-inbound-key-0001"
CLIENT_ID, CLIENT_SECRET = "local-client", "local-client-secret"
ERP_TOKEN = "local-erp-token"

SECRETS: Mapping[str, Mapping[str, object]] = {
    "InboundKeysSecretArn": {"api_keys": [API_KEY]},
    "NewStoreSecretArn": {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET},
    "ErpSecretArn": {"token": ERP_TOKEN},
}
"""Content by the parameter that names the secret."""

FETCH_SECONDS_MAX = 30

AWS_VARIABLES: Mapping[str, str] = {
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_REGION": REGION,
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "NO_PROXY": "127.0.0.1,localhost",
    "no_proxy": "127.0.0.1,localhost",
}
"""Credentials that open nothing, and no way to others."""

_TABLE_PROPERTIES = (
    "AttributeDefinitions", "BillingMode", "GlobalSecondaryIndexes", "KeySchema",
    "LocalSecondaryIndexes",
)  # fmt: skip


@dataclass(frozen=True)
class Aws:
    """The embedded AWS; a client is made once, since making it takes longer than a call."""

    dynamodb: DynamoDBClient
    streams: Any
    s3: S3Client
    secrets: SecretsManagerClient
    queues: Any
    certificate: str = ""
    """Of an AWS that gives out https:// URLs; without it they cannot be read."""

    def fetch_file(self, uri: str) -> bytes:
        """What stands at a URI; LookupError where nothing can be read there."""
        if self.certificate and uri.startswith("https://"):
            answer = requests.get(uri, timeout=FETCH_SECONDS_MAX, verify=self.certificate)
            if not answer.ok:
                raise LookupError(f"HTTP {answer.status_code} at {uri.partition('?')[0]}")
            return answer.content
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        if not uri.startswith("s3://") or not key:
            raise LookupError(f"not an s3:// URI: {uri}")
        try:
            return self.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        except ClientError as error:
            raise LookupError(f"{uri}: {error}") from error


@cache
def _loader() -> Any:
    return get_session().get_component("data_loader")


def new_session() -> CoreSession:
    """A session as any other; what AWS's services are is read once for all: it takes 0.4 s."""
    session = get_session()
    session.register_component("data_loader", _loader())
    return session


@contextmanager
def embedded_aws(variables: Mapping[str, str]) -> Iterator[Aws]:
    """No AWS_ variable of the caller's counts inside, so that no real account can be reached."""
    before = dict(os.environ)
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update({**AWS_VARIABLES, **variables})
    try:
        with mock_aws():
            session: Any = Session(botocore_session=new_session())
            yield Aws(
                dynamodb=session.client("dynamodb"),
                streams=session.client("dynamodbstreams"),
                s3=session.client("s3"),
                secrets=session.client("secretsmanager"),
                queues=session.client("sqs"),
            )
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def served_over_http() -> Iterator[str]:
    """The URL at which other processes reach this process's embedded AWS, until the block ends."""
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    log_of_requests = logging.getLogger("werkzeug")
    level = log_of_requests.level
    log_of_requests.setLevel(logging.ERROR)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.stop()
        log_of_requests.setLevel(level)


def create_resources(aws: Aws, template: Template) -> None:
    """Tables, bucket, queues and secrets; the parameters that name the secrets are set."""
    for table in template.of_type("AWS::DynamoDB::Table"):
        _create_table(aws, template, table)
    for bucket in template.of_type("AWS::S3::Bucket"):
        location: Any = {"LocationConstraint": REGION}
        aws.s3.create_bucket(
            Bucket=template.physical_id(bucket), CreateBucketConfiguration=location
        )
    for queue in template.of_type("AWS::SQS::Queue"):
        aws.queues.create_queue(QueueName=template.physical_id(queue))
    for parameter, content in SECRETS.items():
        name = f"{template.stack_name}/{parameter.removesuffix('Arn')}"
        secret = aws.secrets.create_secret(Name=name, SecretString=json.dumps(content))
        template.set_parameters({parameter: secret["ARN"]})


def _create_table(aws: Aws, template: Template, logical_id: str) -> None:
    properties = template.resolve(template.properties(logical_id))
    shape: dict[str, Any] = {k: properties[k] for k in _TABLE_PROPERTIES if k in properties}
    if stream := properties.get("StreamSpecification"):
        shape["StreamSpecification"] = {"StreamEnabled": True, **stream}
    name = template.physical_id(logical_id)
    aws.dynamodb.create_table(TableName=name, **shape)
    if life := properties.get("TimeToLiveSpecification"):
        aws.dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=life)
