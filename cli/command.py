"""What every command shares: the stack it works on, its output, its exit codes."""

import functools
import getpass
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import sleep
from typing import TYPE_CHECKING, Any

import click

from cli.output import Output, RefusedError, refusal
from cli.stack import NAMES, Stack
from inventory_sync.adapters.aws.errors import translated
from inventory_sync.adapters.dynamodb.audit import Author, Change
from inventory_sync.adapters.dynamodb.location_changes import LocationChanges
from inventory_sync.adapters.dynamodb.location_store import DynamoLocationStore
from inventory_sync.bootstrap.dry_run import dry_run
from inventory_sync.bootstrap.event_streams import StreamAdmin, inbound_key, stream_admin
from inventory_sync.bootstrap.ingest_event import ingest_with
from inventory_sync.bootstrap.ingest_export import ingest_export_here
from inventory_sync.bootstrap.newstore import read_newstore, read_stock
from inventory_sync.bootstrap.reconcile_stock import reconcile_with
from inventory_sync.bootstrap.set_watermark import set_watermark
from inventory_sync.domain.errors import FatalError, InventorySyncError, RejectedError
from inventory_sync.ports.newstore import NewStoreReader, StockReader
from inventory_sync.use_cases.import_stock.dry_run import DryRun
from inventory_sync.use_cases.import_stock.set_watermark import SetWatermark
from inventory_sync.use_cases.ingest.ingest_event import IngestOutcome
from inventory_sync.use_cases.ingest.ingest_export import IngestExport
from inventory_sync.use_cases.reconcile.reconcile_stock import ReconcileStock

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_UNTIL_IT_ENDS = {"read_timeout": 920, "retries": {"total_max_attempts": 1}}
"""A function may take fifteen minutes; to ask again would run it twice."""
EXIT_REFUSED = 1
EXIT_AWS = 3


class NullObserver:
    """An observer for a shell: what there is to say is in the command's answer."""

    def count(self, name: str, value: float = 1, **dimensions: str) -> None:
        """Metrics are for the functions."""

    def log(self, message: str, **figures: object) -> None:
        """So are log lines."""


class Connect:
    """Where the clients and the time come from."""

    def dynamodb(self) -> "DynamoDBClient":
        """The shell's credentials and region."""
        client: DynamoDBClient = self._client("dynamodb")
        return client

    def cloudformation(self) -> Any:
        """The shell's credentials and region."""
        return self._client("cloudformation")

    def s3(self) -> Any:
        """The shell's credentials and region."""
        return self._client("s3")

    def variables(self, stack: Stack, function: str) -> Mapping[str, str]:
        """The environment that a deployed function has."""
        name = stack.resource(function)
        with translated(f"function {name}"):
            answer = self._client("lambda").get_function_configuration(FunctionName=name)
        found: Mapping[str, str] = answer.get("Environment", {}).get("Variables", {})
        return found

    def invoke(self, stack: Stack, function: str, event: Mapping[str, Any]) -> Any:
        """A function's answer to an event; FatalError where it raised."""
        name = stack.resource(function)
        with translated(f"function {name}"):
            answer = self._client("lambda", _UNTIL_IT_ENDS).invoke(
                FunctionName=name, Payload=json.dumps(event).encode()
            )
        found = json.loads(answer["Payload"].read() or b"null")
        if answer.get("FunctionError"):
            raise FatalError(f"function {name}: {found}")
        return found

    def newstore(self, variables: Mapping[str, str]) -> NewStoreReader:
        """NewStore, as a function with these variables reaches it."""
        return read_newstore(variables)

    def stock(self, variables: Mapping[str, str]) -> StockReader:
        """What NewStore says of stock and orders, as a function with these variables reaches it."""
        return read_stock(variables)

    def stream_admin(self, variables: Mapping[str, str]) -> StreamAdmin:
        """NewStore's event streams, as a stream check with these variables reaches them."""
        return stream_admin(variables)

    def inbound_key(self, variables: Mapping[str, str]) -> str:
        """The key NewStore is to call a webhook with these variables with."""
        return inbound_key(variables)

    def export_reader(self, variables: Mapping[str, str], *, local: bool) -> IngestExport:
        """The use case of a function with these variables, for files of this machine or of S3."""
        return ingest_export_here(variables, NullObserver(), local=local)

    def dry_run(self, variables: Mapping[str, str], archive: Path, rows_max: int) -> DryRun:
        """The import of a function with these variables, without effect."""
        return dry_run(NullObserver(), archive, rows_max, variables)

    def watermark(self, variables: Mapping[str, str], author: Author | None) -> SetWatermark:
        """The watermark that a function with these variables keeps; `author` signs a change."""
        return set_watermark(author, variables)

    def ingest(self, variables: Mapping[str, str], body: bytes) -> IngestOutcome:
        """What becomes of a body at a webhook with these variables."""
        return ingest_with(NullObserver(), variables)(body)

    def reconciler(self, variables: Mapping[str, str]) -> ReconcileStock:
        """The use case of a function with these variables, here."""
        return reconcile_with(NullObserver(), variables)

    def _client(self, service: str, settings: Mapping[str, Any] | None = None) -> Any:
        import boto3  # slow to import: not for --help
        from botocore.config import Config

        with translated(service):
            session: Any = boto3.Session()
            if session.region_name is None:
                raise FatalError("no AWS region; set AWS_REGION, or AWS_PROFILE to one that has it")
            if session.get_credentials() is None:
                raise FatalError("no AWS credentials; log in, or set AWS_PROFILE")
            return session.client(service, config=Config(**(settings or {})))

    def now(self) -> datetime:
        """UTC, aware."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """Wait."""
        sleep(seconds)


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
        with _exit_codes(out):
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
    item = operator.stack.state.get(kind, item_id)
    before = item["record"]["S"] if item else None
    change = Change(
        kind=kind, item_id=item_id, before=before, after=json.dumps(after, sort_keys=True)
    )
    operator.stack.audited.apply([change], author)


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
