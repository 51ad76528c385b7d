"""What every command shares: the state table it works on, its output, its exit codes."""

import functools
import getpass
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from cli.output import Output, RefusedError, refusal
from inventory_sync.adapters.audit import Author
from inventory_sync.adapters.aws_errors import translated
from inventory_sync.adapters.location_changes import LocationChanges
from inventory_sync.adapters.location_store import DynamoLocationStore
from inventory_sync.adapters.state_table import StateTable
from inventory_sync.domain.errors import FatalError, InventorySyncError, RejectedError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

EXIT_REFUSED = 1
EXIT_AWS = 3
STATE_TABLE_LOGICAL_ID = "StateTable"


class Connect:
    """Where the clients and the time come from."""

    def dynamodb(self) -> "DynamoDBClient":
        """The shell's credentials and region."""
        client: DynamoDBClient = self._client("dynamodb")
        return client

    def cloudformation(self) -> Any:
        """The shell's credentials and region."""
        return self._client("cloudformation")

    def _client(self, service: str) -> Any:
        import boto3  # slow to import: not for --help

        with translated(service):
            session: Any = boto3.Session()
            if session.region_name is None:
                raise FatalError("no AWS region; set AWS_REGION, or AWS_PROFILE to one that has it")
            if session.get_credentials() is None:
                raise FatalError("no AWS credentials; log in, or set AWS_PROFILE")
            return session.client(service)

    def now(self) -> datetime:
        """UTC, aware."""
        return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """What a command works with."""

    store: DynamoLocationStore
    changes: LocationChanges
    now: datetime
    out: Output

    def author(self, command: str, who: str, why: str) -> Author:
        """For the audit record; RefusedError where nobody signs it."""
        if not who.strip():
            raise refusal("nobody signs this change; say who you are with --who")
        return Author(who=who, command=command, why=why, at=self.now)


def connected(command: Callable[..., None]) -> Callable[..., None]:
    """Adds the options every command has; hands it an Operator and maps what goes wrong."""

    @click.option("--table", envvar="STATE_TABLE", help="The state table.  [env: STATE_TABLE]")
    @click.option(
        "--stack",
        envvar="STACK_NAME",
        default="inventory-sync",
        show_default=True,
        help="The CloudFormation stack whose state table it is, unless --table says it."
        "  [env: STACK_NAME]",
    )
    @click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text.")
    @click.pass_obj
    def wrapped(
        connect: Connect, /, table: str | None, stack: str, as_json: bool, **arguments: Any
    ) -> None:
        out = Output(as_json)
        with _exit_codes(out):
            state = StateTable(connect.dynamodb(), table or _table_of(connect, stack))
            operator = Operator(
                store=DynamoLocationStore(state),
                changes=LocationChanges(state),
                now=connect.now(),
                out=out,
            )
            command(operator, **arguments)

    return functools.update_wrapper(wrapped, command)


def _login() -> str:
    try:
        return getpass.getuser()
    except (ImportError, KeyError, OSError):
        return ""


def signed(command: Callable[..., None]) -> Callable[..., None]:
    """Adds who and why to a command that changes something."""
    command = click.option("--why", default="", help="For the audit record.")(command)
    return click.option(
        "--who", default=_login, help="For the audit record.  [default: your login]"
    )(command)


@contextmanager
def _exit_codes(out: Output) -> Iterator[None]:
    try:
        yield
    except RefusedError as error:
        out.refused(error.problems)
        raise click.exceptions.Exit(EXIT_REFUSED) from error
    except RejectedError as error:
        out.failed(str(error))
        raise click.exceptions.Exit(EXIT_REFUSED) from error
    except InventorySyncError as error:
        out.failed(str(error))
        raise click.exceptions.Exit(EXIT_AWS) from error


def _table_of(connect: Connect, stack: str) -> str:
    with translated(f"stack {stack}"):
        answer = connect.cloudformation().describe_stack_resource(
            StackName=stack, LogicalResourceId=STATE_TABLE_LOGICAL_ID
        )
    name = answer["StackResourceDetail"].get("PhysicalResourceId", "")
    if not name:
        raise FatalError(f"stack {stack} has no {STATE_TABLE_LOGICAL_ID} yet; deploy it first")
    return str(name)
