"""The stack's tables in moto, as template.yaml has them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from boto3.session import Session
from moto import mock_aws

from local.aws import new_session
from tests.template.test_template import RESOURCES

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient

REGION = "eu-west-1"
_MADE_FROM = ("AttributeDefinitions", "BillingMode", "KeySchema", "LocalSecondaryIndexes")


@dataclass(frozen=True)
class Aws:
    """Clients; tables bear their logical names."""

    dynamodb: "DynamoDBClient"
    secrets: "SecretsManagerClient"


def aws_session() -> Session:
    """With credentials that open nothing; cheap, since AWS's services are read once for all."""
    return Session("local", "local", region_name=REGION, botocore_session=new_session())


@contextmanager
def local_aws(*tables: str) -> Iterator[Aws]:
    """An AWS of its own with these tables, such as EventsTable; nothing leaves the process."""
    with mock_aws():
        session = aws_session()
        aws = Aws(session.client("dynamodb"), session.client("secretsmanager"))
        for table in tables:
            create_table(aws.dynamodb, table)
        yield aws


def create_table(client: "DynamoDBClient", logical_name: str, table: str | None = None) -> None:
    """The template's table, under its logical name unless told otherwise."""
    properties = RESOURCES[logical_name]["Properties"]
    shape: Any = {name: properties[name] for name in _MADE_FROM if name in properties}
    client.create_table(TableName=table or logical_name, **shape)


@cache
def _s3_client() -> "S3Client":
    """Made once: that takes longer than a test."""
    return aws_session().client("s3")


@contextmanager
def local_bucket(name: str) -> Iterator["S3Client"]:
    """An S3 of its own with this bucket."""
    with mock_aws():
        client = _s3_client()
        location: Any = {"LocationConstraint": REGION}
        client.create_bucket(Bucket=name, CreateBucketConfiguration=location)
        yield client
