"""NewStoreStreams and its records against a server that answers as NewStore may."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from inventory_sync.adapters.http.authorized import AuthorizedHttp, SecretBearer
from inventory_sync.adapters.newstore.stream_records import NewStoreStreamRecords
from inventory_sync.adapters.newstore.streams import NewStoreStreams
from inventory_sync.domain.errors import FatalError, RejectedError, RetriableError
from inventory_sync.domain.event_stream import WANTED_EVENTS, StreamRegistration
from tests.unit.adapters.http_support import (
    NOON,
    LocalServer,
    Reply,
    SecretsAccount,
    StandingClock,
    json_http,
    replying,
    secrets_account,
)

KEY = "inbound-key-that-nobody-sees"
WANTED = StreamRegistration(stream_id="s", callback_url="https://example.com/event", api_key=KEY)
SHOWN = {
    "id": "s",
    "status": "running",
    "integration_type": "permanent",
    "callback_parameters": {"callback_url": WANTED.callback_url, "api_key": KEY},
}
FAILED = {
    "integration_id": "s",
    "integration_type": "permanent",
    "target": "webhook",
    "status": "FAILURE",
    "attempted_at": "2026-03-02T11:59:59.756Z",
    "retries_remaining": 0,
    "entity_id": "e",
    "domain_entity_id": "d",
    "event_name": "fulfillment_request.assigned",
    "response": {"code": 503, "body": "Temporary unavailable"},
}
STREAMS = "/api/v1/org/integrations/eventstream"


@pytest.fixture(scope="module")
def account() -> Iterator[SecretsAccount]:
    with secrets_account({"token": "good-token"}) as account:
        yield account


@contextmanager
def authorized(server: LocalServer, account: SecretsAccount) -> Iterator[AuthorizedHttp]:
    clock = StandingClock()
    with server, json_http(clock) as http:
        yield AuthorizedHttp(http, SecretBearer(account.secrets(clock), account.arn))


@contextmanager
def streams_of(server: LocalServer, account: SecretsAccount) -> Iterator[NewStoreStreams]:
    with authorized(server, account) as http:
        yield NewStoreStreams(http, base_url=server.url)


@contextmanager
def records_of(server: LocalServer, account: SecretsAccount) -> Iterator[NewStoreStreamRecords]:
    with authorized(server, account) as http:
        yield NewStoreStreamRecords(http, base_url=server.url)


def failures(records: NewStoreStreamRecords):
    return records.failures("s", NOON - timedelta(hours=1), NOON)


def test_an_integration_that_writes_to_s3_calls_no_url(account: SecretsAccount) -> None:
    to_s3 = {**SHOWN, "s3_parameters": {"bucket": "b", "aws_region": "us-east-1"}}
    del to_s3["callback_parameters"]
    with streams_of(replying(Reply({"integrations": [to_s3]})), account) as streams:
        [found] = streams.streams()

    assert (found.stream_id, found.running, found.callback_url) == ("s", True, "")


def test_url_and_key_stand_in_callback_parameters(account: SecretsAccount) -> None:
    server = replying(Reply(SHOWN))
    with streams_of(server, account) as streams:
        streams.create(WANTED)

    assert (server.calls[0].method, server.calls[0].path) == ("POST", STREAMS)
    assert server.calls[0].json == {
        "id": "s",
        "integration_type": "permanent",
        "callback_parameters": {"callback_url": WANTED.callback_url, "api_key": KEY},
        "filter_conditions": {"event_filter": sorted(WANTED_EVENTS)},
    }


def test_a_change_names_only_what_newstore_lets_change(account: SecretsAccount) -> None:
    server = replying(Reply(SHOWN))
    with streams_of(server, account) as streams:
        streams.change(WANTED)

    assert (server.calls[0].method, server.calls[0].path) == ("PATCH", f"{STREAMS}/s")
    assert set(server.calls[0].json) == {"callback_parameters", "filter_conditions"}


def test_a_bare_list_of_attempts_is_read_as_documented(account: SecretsAccount) -> None:
    others = [{**FAILED, "integration_id": "other"}, {**FAILED, "status": "SUCCESS"}]
    server = replying(Reply([FAILED, *others]))
    with records_of(server, account) as records:
        [found] = failures(records)

    assert server.calls[0].path == "/api/v1/org/integrations/published-events"
    assert server.calls[0].query == {
        "integration_id": "s",
        "status": "failure",
        "from": "2026-03-02T11:00:00Z",
        "to": "2026-03-02T12:00:00Z",
    }
    assert (found.entity_id, found.domain_entity_id, found.retries_remaining) == ("e", "d", 0)


def test_half_an_answer_is_not_taken_for_a_whole_one(account: SecretsAccount) -> None:
    entry = {name: value for name, value in FAILED.items() if name != "attempted_at"}
    with (
        records_of(replying(Reply([entry])), account) as records,
        pytest.raises(RetriableError, match="attempted_at"),
    ):
        failures(records)


@pytest.mark.parametrize("read", ["log", "rejected_events"])
def test_an_answer_without_the_list_is_not_taken_for_an_empty_one(
    account: SecretsAccount, read: str
) -> None:
    with (
        records_of(replying(Reply({})), account) as records,
        pytest.raises(RetriableError, match="expected a list"),
    ):
        getattr(records, read)("s")


def test_a_rejected_event_s_fractions_survive(account: SecretsAccount) -> None:
    event = {"tenant": "acme", "name": "n", "published_at": "x", "payload": {"price": 1.25}}
    with records_of(replying(Reply(event)), account) as records:
        body = records.rejected_event("s", "1")

    assert body is not None
    assert json.loads(body) == event


def test_ids_are_quoted_in_paths(account: SecretsAccount) -> None:
    server = replying(Reply({}))
    with records_of(server, account) as records:
        records.delete_rejected("s", "../logs")

    assert server.calls[0].path == f"{STREAMS}/s/rejected_events/..%2Flogs"


def test_the_key_is_in_no_message(account: SecretsAccount) -> None:
    echo = Reply({"message": f"api_key {KEY} is too simple"}, status=400)
    with (
        streams_of(replying(echo), account) as streams,
        pytest.raises(RejectedError) as refused,
    ):
        streams.create(WANTED)

    assert KEY not in str(refused.value)
    assert "too simple" in str(refused.value)


def test_a_change_that_newstore_passes_over_is_noticed(account: SecretsAccount) -> None:
    other = {**SHOWN, "callback_parameters": {"callback_url": "https://example.com/other"}}
    with (
        streams_of(replying(Reply({}), Reply(other)), account) as streams,
        pytest.raises(RejectedError, match="does not show"),
    ):
        streams.change(WANTED)


def test_a_token_without_the_right_stops_with_the_secret_to_look_at(
    account: SecretsAccount,
) -> None:
    with (
        streams_of(replying(Reply({}, status=403)), account) as streams,
        pytest.raises(FatalError, match="secret"),
    ):
        streams.start("s")


def test_a_5xx_is_for_the_next_look(account: SecretsAccount) -> None:
    server = replying(Reply({}, status=503))
    with streams_of(server, account) as streams, pytest.raises(RetriableError):
        streams.stream("s")

    assert len(server.calls) == 3
