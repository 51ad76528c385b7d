"""What an adapter makes of AWS's failures: each names what the caller does next.

The answers are AWS's, byte for byte as they come over the wire; the client takes them for real.
"""

import json
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config

from inventory_sync.adapters.dynamodb.event_log import DynamoEventLog
from inventory_sync.adapters.dynamodb.leases import DynamoLeases
from inventory_sync.adapters.dynamodb.location_changes import LocationChanges
from inventory_sync.adapters.dynamodb.location_store import DynamoLocationStore
from inventory_sync.adapters.dynamodb.quarantine import DynamoQuarantine
from inventory_sync.adapters.dynamodb.run_store import DynamoRunStore
from inventory_sync.adapters.dynamodb.state_table import StateTable
from inventory_sync.adapters.dynamodb.unit_owners import DynamoUnitOwners
from inventory_sync.adapters.s3.file_store import S3FileStore
from inventory_sync.domain.availabilities import FileHead
from inventory_sync.domain.cut import LogicalRange
from inventory_sync.domain.errors import (
    FatalError,
    InventorySyncError,
    RetriableError,
    StoreFullError,
)
from inventory_sync.domain.holds import LocationHold
from inventory_sync.domain.import_head import ImportHead, Lease
from inventory_sync.domain.inbound import QuarantineEntry
from inventory_sync.domain.locations import Location
from inventory_sync.domain.manifest import Finalization, Ledger, Manifest
from tests.aws import aws_session
from tests.builders import OPERATOR, approval
from tests.contract.builders import MINUTE, NOON, RETENTION, event

NOBODY = 1
"""A port on which nothing listens."""
UNTIL = NOON + MINUTE
REF = event().ref
DC = Location(location_id="DC01", fulfillment_node_id="DC01", store_id="", erp_location="100")


@dataclass(frozen=True)
class Adapters:
    """All that talks to the tables and the bucket."""

    events: DynamoEventLog
    owners: DynamoUnitOwners
    quarantine: DynamoQuarantine
    leases: DynamoLeases
    runs: DynamoRunStore
    locations: DynamoLocationStore
    changes: LocationChanges
    files: S3FileStore


def archive(adapters: Adapters) -> None:
    with adapters.files.archive("run-1") as writer:
        writer.add_file(1, FileHead((DC,), LogicalRange(0, 1)), [])


DYNAMODB: dict[str, Callable[[Adapters], object]] = {
    "append": lambda a: a.events.append(event(), b"{}", NOON),
    "open_events": lambda a: list(a.events.open_events()),
    "open_events_of": lambda a: a.events.open_events_of("DC01"),
    "claim": lambda a: a.events.claim(REF, now=NOON, until=UNTIL),
    "mark_applied": lambda a: a.events.mark_applied(REF, NOON, "DOC-1"),
    "mark_owned": lambda a: a.events.mark_owned(event(), frozenset()),
    "own": lambda a: a.owners.own(event(), NOON),
    "mark_forwarded": lambda a: a.events.mark_forwarded(REF, NOON, close=True),
    "mark_rejected": lambda a: a.events.mark_rejected(REF, "why"),
    "mark_counted": lambda a: a.events.mark_counted(REF, "run-1"),
    "close": lambda a: a.events.close(REF),
    "quarantine": lambda a: a.quarantine.add(
        QuarantineEntry(reason="why", detail="", body=b"", received_at=NOON)
    ),
    "depth": lambda a: a.quarantine.depth(),
    "acquire": lambda a: a.leases.acquire(now=NOON, until=UNTIL),
    "renew": lambda a: a.leases.renew(Lease(1, UNTIL), now=NOON, until=UNTIL),
    "release": lambda a: a.leases.release(Lease(1, UNTIL)),
    "head": lambda a: a.runs.head(),
    "save": lambda a: a.runs.save(ImportHead(), lease=Lease(1, UNTIL), now=NOON),
    "locations": lambda a: a.locations.locations(),
    "put_locations": lambda a: a.changes.put_locations([DC], OPERATOR),
    "skus": lambda a: a.locations.skus(),
    "approvals": lambda a: a.locations.approvals(),
    "approve": lambda a: a.changes.approve([approval()], OPERATOR),
    "use_approval": lambda a: a.locations.use_approval(approval(), "run-1"),
    "end_approval": lambda a: a.locations.end_approval(approval()),
    "revoke": lambda a: a.changes.revoke([approval()], OPERATOR),
    "holds": lambda a: a.locations.holds(),
    "set_hold": lambda a: a.locations.set_hold(
        LocationHold(location_id="DC01", holds=(), since=NOON, run_id="run-1")
    ),
    "clear_hold": lambda a: a.locations.clear_hold("DC01"),
}
S3: dict[str, Callable[[Adapters], object]] = {
    "archive": archive,
    "save_manifest": lambda a: a.files.save_manifest(Manifest(run_id="run-1", cut_end=0)),
    "manifest": lambda a: a.files.manifest("run-1"),
    "save_ledger": lambda a: a.files.save_ledger(
        Ledger(location_id="DC01", run_id="run-1", quantities={}, sent=frozenset())
    ),
    "ledger": lambda a: a.files.ledger("DC01", "run-1"),
    "save_finalization": lambda a: a.files.save_finalization(
        "run-1", Finalization(counted=(), closed=())
    ),
    "finalization": lambda a: a.files.finalization("run-1"),
}

DYNAMODB_FAILURES: dict[str, tuple[int, type[InventorySyncError]]] = {
    "ProvisionedThroughputExceededException": (400, RetriableError),
    "ThrottlingException": (400, RetriableError),
    "RequestLimitExceeded": (400, RetriableError),
    "TransactionConflictException": (400, RetriableError),
    "InternalServerError": (500, RetriableError),
    "ServiceUnavailable": (503, RetriableError),
    "ExpiredTokenException": (400, RetriableError),
    "AccessDeniedException": (400, FatalError),
    "ResourceNotFoundException": (400, FatalError),
    "UnrecognizedClientException": (400, FatalError),
    "ValidationException": (400, FatalError),
}
S3_FAILURES: dict[str, tuple[int, type[InventorySyncError]]] = {
    "SlowDown": (503, RetriableError),
    "InternalError": (500, RetriableError),
    "RequestTimeout": (400, RetriableError),
    "AccessDenied": (403, FatalError),
    "NoSuchBucket": (404, FatalError),
}


@cache
def client(service: Any, port: int) -> Any:
    """Towards a port of this machine; one attempt only, so that no back-off is waited for."""
    return aws_session().client(
        service,
        endpoint_url=f"http://127.0.0.1:{port}",
        config=Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=0.2),
    )


def adapters(port: int = NOBODY) -> Adapters:
    dynamodb = client("dynamodb", port)
    state = StateTable(dynamodb, "state")
    return Adapters(
        DynamoEventLog(dynamodb, "events", RETENTION),
        DynamoUnitOwners(dynamodb, "requests", RETENTION),
        DynamoQuarantine(dynamodb, "quarantine", RETENTION),
        DynamoLeases(state),
        DynamoRunStore(state, RETENTION),
        DynamoLocationStore(state),
        LocationChanges(state),
        S3FileStore(client("s3", port), "imports", str),
    )


@dataclass(frozen=True)
class _Raw:
    """An answer's bytes, as botocore's transport hands them over."""

    content: bytes

    def stream(self, **_: object) -> Iterator[bytes]:
        yield self.content

    def read(self, *_: object) -> bytes:
        return self.content


@contextmanager
def answering(service: str, status: int, content: bytes) -> Iterator[None]:
    """Every call of the service is answered so."""

    def answer(request: Any, **_: object) -> AWSResponse:
        return AWSResponse(request.url, status, {}, _Raw(content))  # type: ignore[arg-type]

    events = client(service, NOBODY).meta.events
    events.register("before-send", answer)
    try:
        yield
    finally:
        events.unregister("before-send", answer)


Calls = Mapping[str, Callable[[Adapters], object]]


def outcomes(calls: Calls, port: int = NOBODY) -> dict[str, tuple[str, str]]:
    """The error that each call ends with, and its text."""
    found = {}
    for name, call in calls.items():
        try:
            found[name] = ("no error", repr(call(adapters(port))))
        except Exception as error:  # noqa: BLE001 - any other is what is looked for
            found[name] = (type(error).__name__, str(error))
    return found


def assert_all_say(calls: Calls, expected: type[InventorySyncError], text: str) -> None:
    wrong = {
        name: said
        for name, said in outcomes(calls).items()
        if said[0] != expected.__name__ or text not in said[1]
    }
    assert not wrong


TOO_MANY_UNITS = ("own", "ValidationException")
"""Of one request alone: its events are refused, and nobody else's."""


@pytest.mark.parametrize("code", DYNAMODB_FAILURES)
def test_a_failure_of_dynamodb_says_what_to_do_next(code: str) -> None:
    status, expected = DYNAMODB_FAILURES[code]
    fault = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "AWS says so"}

    calls = {name: call for name, call in DYNAMODB.items() if (name, code) != TOO_MANY_UNITS}
    with answering("dynamodb", status, json.dumps(fault).encode()):
        assert_all_say(calls, expected, code)


@pytest.mark.parametrize("code", S3_FAILURES)
def test_a_failure_of_s3_says_what_to_do_next(code: str) -> None:
    status, expected = S3_FAILURES[code]
    fault = f"<Error><Code>{code}</Code><Message>AWS says so</Message></Error>"

    with answering("s3", status, fault.encode()):
        assert_all_say(S3, expected, code)


def test_a_service_that_cannot_be_reached_is_tried_again() -> None:
    assert_all_say({**DYNAMODB, **S3}, RetriableError, "EndpointConnectionError")


@pytest.mark.parametrize("content", [b"", b"<html>Bad gateway</html>", b"{", b"\x00"])
def test_an_answer_of_something_in_between_is_tried_again(content: bytes) -> None:
    with answering("dynamodb", 502, content):
        assert_all_say(DYNAMODB, RetriableError, "")
    with answering("s3", 502, content):
        assert_all_say(S3, RetriableError, "")


@pytest.fixture(scope="module")
def silent_port() -> Iterator[int]:
    """Takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as server:
        yield server.getsockname()[1]


def test_every_read_of_a_table_asks_for_what_is_written_last() -> None:
    """Engines on one machine never answer with less, so none shows where it is forgotten."""
    reads: list[bool] = []

    def note(params: dict[str, Any], **_: object) -> None:
        reads.append(params.get("ConsistentRead") is True)

    events = client("dynamodb", NOBODY).meta.events
    names = [f"provide-client-params.dynamodb.{name}" for name in ("GetItem", "Query", "Scan")]
    for name in names:
        events.register(name, note)
    try:
        outcomes(DYNAMODB)
    finally:
        for name in names:
            events.unregister(name, note)

    assert len(reads) == 11
    assert all(reads)


@pytest.mark.parametrize("call", ["append", "open_events", "acquire", "save", "archive", "ledger"])
def test_a_service_that_does_not_answer_is_tried_again(call: str, silent_port: int) -> None:
    with pytest.raises(RetriableError):
        {**DYNAMODB, **S3}[call](adapters(silent_port))


@pytest.mark.parametrize(
    ("reasons", "expected"),
    [
        (["None", "TransactionConflict", "None"], RetriableError),
        (["None", "ThrottlingError", "None"], RetriableError),
        (["None", "ProvisionedThroughputExceeded", "None"], RetriableError),
        (["None", "None", "ValidationError"], FatalError),
    ],
)
def test_a_cancelled_save_says_what_to_do_next(
    reasons: list[str], expected: type[InventorySyncError]
) -> None:
    """A conflict is another who writes just now, not one who has the lease."""
    fault = {
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": f"Transaction cancelled [{', '.join(reasons)}]",
        "CancellationReasons": [{"Code": reason} for reason in reasons],
    }

    with answering("dynamodb", 400, json.dumps(fault).encode()), pytest.raises(expected):
        DYNAMODB["save"](adapters())


def test_a_location_without_room_is_told_from_all_else_that_fails() -> None:
    """An event that comes in is kept elsewhere; a mark on one that is there waits."""
    code = "com.amazonaws.dynamodb.v20120810#ItemCollectionSizeLimitExceededException"
    with answering("dynamodb", 400, json.dumps({"__type": code}).encode()):
        with pytest.raises(StoreFullError, match="10 GB"):
            adapters().events.append(event(), b"{}", NOON)
        with pytest.raises(StoreFullError, match="10 GB"):
            adapters().events.mark_forwarded(REF, NOON, close=False)
        with pytest.raises(StoreFullError, match="10 GB"):
            adapters().events.claim(REF, now=NOON, until=NOON)


def test_what_a_location_s_events_take_is_dynamodb_s_upper_estimate() -> None:
    """No engine on one machine estimates it; the answer is as AWS documents it."""
    collection = {"location_id": {"S": "DC01"}}
    estimate = {"ItemCollectionKey": collection, "SizeEstimateRangeGB": [7.0, 8.0]}
    answer = json.dumps({"ItemCollectionMetrics": estimate}).encode()

    with answering("dynamodb", 200, answer):
        assert adapters().events.mark_forwarded(REF, NOON, close=True) == 8.0
    with answering("dynamodb", 200, b"{}"):
        assert adapters().events.mark_forwarded(REF, NOON, close=True) == 0.0


def test_a_ledger_that_is_not_there_is_told_from_one_that_may_not_be_read() -> None:
    missing = b"<Error><Code>NoSuchKey</Code><Message>No such key</Message></Error>"
    with answering("s3", 404, missing):
        assert adapters().files.ledger("DC01", "run-1") is None
