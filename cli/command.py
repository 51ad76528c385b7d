"""What every command shares: the stack it works on, its output, its exit codes."""

import functools
import getpass
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import click
from botocore.exceptions import BotoCoreError, ClientError

from cli.connect import Connect
from cli.output import ExitCode, Output, RefusedError, refusal
from cli.stack import NAMES, Stack
from inventory_sync.adapters.dynamodb.audit import Author, Change
from inventory_sync.adapters.dynamodb.location_changes import LocationChanges
from inventory_sync.adapters.dynamodb.location_store import DynamoLocationStore
from inventory_sync.domain.errors import InventorySyncError, RejectedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """What a command works with."""

    stack: Stack
    now: datetime
    out: Output

    @property
    def store(self) -> DynamoLocationStore:
        """The location map, holds and approvals."""
        return self.stack.locations

    @property
    def changes(self) -> LocationChanges:
        """What may be changed there."""
        return self.stack.changes

    def require_location(self, location_id: str) -> None:
        """RefusedError for a location that the map does not have."""
        if location_id not in self.store.locations():
            raise refusal(f"the location map has no {location_id}; see `locations list`")

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
        help="The CloudFormation stack, unless EVENTS_TABLE, STATE_TABLE, QUARANTINE_TABLE and"
        " IMPORT_BUCKET name what it has.  [env: STACK_NAME]",
    )
    @click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text.")
    @click.pass_obj
    def wrapped(
        connect: Connect, /, table: str | None, stack: str, as_json: bool, **arguments: Any
    ) -> None:
        out = Output(as_json)
        with _exit_codes(out, lambda: f"{connect.region() or 'no region'}, stack {stack}"):
            given = {name: os.environ.get(name, "") for name in NAMES.values()}
            given |= {"STATE_TABLE": table or ""}
            operator = Operator(stack=Stack(connect, stack, given), now=connect.now(), out=out)
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


def note_change(
    operator: Operator, kind: str, item_id: str, after: Mapping[str, object], author: Author
) -> None:
    """Write down what is about to be done, over what was written down before; RejectedError."""
    before = operator.stack.state.record(kind, item_id)
    change = Change(
        kind=kind, item_id=item_id, before=before, after=json.dumps(after, sort_keys=True)
    )
    operator.stack.audited.apply([change], author)


@contextmanager
def _exit_codes(out: Output, where: Callable[[], str]) -> Iterator[None]:
    try:
        yield
    except RefusedError as error:
        out.refused(error.problems)
        raise click.exceptions.Exit(ExitCode.REFUSED) from error
    except RejectedError as error:
        out.failed(str(error))
        raise click.exceptions.Exit(ExitCode.REFUSED) from error
    except InventorySyncError as error:
        of_aws = isinstance(error.__cause__, BotoCoreError | ClientError)
        out.failed(f"{error} ({where()})" if of_aws else str(error))
        raise click.exceptions.Exit(ExitCode.TROUBLE) from error
