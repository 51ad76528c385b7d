"""The commands over moto's tables, as an operator's shell runs them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner, Result

from cli.connect import Connect
from cli.main import main
from inventory_sync.adapters.dynamodb.audit import AuditedTable, AuditRecord
from inventory_sync.adapters.dynamodb.location_store import DynamoLocationStore
from inventory_sync.adapters.dynamodb.state_table import StateTable
from tests.aws import Aws, local_aws
from tests.template.test_template import RESOURCES

NOW = datetime(2026, 1, 15, 10, 30, tzinfo=UTC)


class OneStack:
    """CloudFormation as far as the commands use it: one stack, all named as in the template."""

    def describe_stack_resource(self, **arguments: str) -> dict[str, Any]:
        logical_id = arguments["LogicalResourceId"]
        if arguments["StackName"] != "inventory-sync" or logical_id not in RESOURCES:
            error = {"Error": {"Code": "ValidationError", "Message": "does not exist"}}
            raise ClientError(error, "DescribeStackResource")  # type: ignore[arg-type]
        return {"StackResourceDetail": {"PhysicalResourceId": logical_id}}


class LocalConnect(Connect):
    """Moto's client; a minute passes from one command to the next."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws
        self._commands = 0

    def dynamodb(self) -> Any:
        return self._aws.dynamodb

    def cloudformation(self) -> OneStack:
        return OneStack()

    def now(self) -> datetime:
        self._commands += 1
        return NOW + timedelta(minutes=self._commands - 1)


@dataclass(frozen=True)
class Shell:
    """`run` takes a command's words."""

    connect: LocalConnect
    state: StateTable
    folder: Path

    def run(self, *words: str, **env: str) -> Result:
        variables = {"STATE_TABLE": None, "STACK_NAME": None, **env}
        return CliRunner().invoke(main, words, obj=self.connect, env=variables)

    def file(self, *lines: str, encoding: str = "utf-8") -> str:
        path = self.folder / "rows.csv"
        path.write_bytes("\r\n".join([*lines, ""]).encode(encoding))
        return str(path)

    @property
    def store(self) -> DynamoLocationStore:
        return DynamoLocationStore(self.state)

    @property
    def audit(self) -> list[AuditRecord]:
        return list(AuditedTable(self.state).records())


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    with local_aws("StateTable") as aws:
        yield Shell(LocalConnect(aws), StateTable(aws.dynamodb, "StateTable"), tmp_path)


@pytest.fixture
def load(shell: Shell) -> Callable[..., Result]:
    """Load locations from these lines."""
    return lambda *lines: shell.run("locations", "load", shell.file(*lines), "--who", "ada")
