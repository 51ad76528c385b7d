"""Where the moments come from: the embedded local stack, or one deployed to a local AWS."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import requests
from botocore.exceptions import BotoCoreError, ClientError

from cli.room.history import History
from cli.room.picture import picture
from inventory_sync.domain.errors import RetriableError
from local.room.stack_reader import StackReader
from local.room.tables import TableNames, Tables
from local.stack import EVENTS, QUARANTINE, STATE, LocalStack

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

TROUBLES = (requests.RequestException, BotoCoreError, ClientError, RetriableError)
"""What a reading may fail with while a stack comes up or goes down."""


def local_reader(stack: LocalStack) -> StackReader:
    """Of the stack in this process."""
    tables = _tables(stack.aws.dynamodb, stack.template.physical_id)
    return StackReader(tables, stack.newstore_url, stack.erp_url, stack.clock.now)


def deployed_reader(stack_name: str, newstore_url: str, erp_url: str) -> StackReader:
    """Of a stack in the AWS that the environment names; the simulators are reached by HTTP."""
    import boto3

    formation: Any = boto3.client("cloudformation")

    def physical_id(logical_id: str) -> str:
        answer = formation.describe_stack_resource(
            StackName=stack_name, LogicalResourceId=logical_id
        )
        return str(answer["StackResourceDetail"]["PhysicalResourceId"])

    tables = _tables(boto3.client("dynamodb"), physical_id)
    return StackReader(tables, newstore_url, erp_url, lambda: datetime.now(UTC))


def recorder(reader: StackReader, history: History) -> Callable[[str], None]:
    """To be called with what happened: adds the moment after it."""
    return lambda told: history.add(picture(reader.read(), told))


def keep_watching(
    reader: StackReader, history: History, every_seconds: float, warn: Callable[[str], None]
) -> None:
    """Add a moment whenever something has changed, until `history` is closed."""
    trouble = ""
    while not history.closed:
        try:
            history.add(picture(reader.read()), repeat=False)
            trouble = ""
        except TROUBLES as error:
            if str(error) != trouble:
                warn(f"cannot read the stack, trying on: {error}")
            trouble = str(error)
        time.sleep(every_seconds)


def _tables(client: DynamoDBClient, physical_id: Callable[[str], str]) -> Tables:
    names = TableNames(*(physical_id(table) for table in (EVENTS, STATE, QUARANTINE)))
    return Tables(client, names)
