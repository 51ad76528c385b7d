"""NewStoreStreams against a server that answers as NewStore may."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from inventory_sync.adapters.http.authorized import AuthorizedHttp, SecretBearer
from inventory_sync.adapters.newstore.streams import NewStoreStreams
from inventory_sync.domain.errors import FatalError, RejectedError, RetriableError
from inventory_sync.domain.event_stream import StreamRegistration
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
SHOWN = {"id": "s", "status": "running", "callback_parameters": {"api_key": KEY}}
FAILED = {
    "integration_id": "s",
    "status": "FAILURE",
    "attempted_at": "2026-03-02T11:59:59.756Z",
    "retries_remaining": 0,
    "entity_id": "e",
    "domain_entity_id": "d",
    "event_name": "fulfillment_request.assigned",
    "response": {"body": "Temporary unavailable"},
}


@pytest.fixture(scope="module")
def account() -> Iterator[SecretsAccount]:
    with secrets_account({"token": "good-token"}) as account:
        yield account


@contextmanager
def streams_of(server: LocalServer, account: SecretsAccount) -> Iterator[NewStoreStreams]:
    clock = StandingClock()
    with server, json_http(clock) as http:
        credentials = SecretBearer(account.secrets(clock), account.arn)
        yield NewStoreStreams(AuthorizedHttp(http, credentials), base_url=server.url)


def failures(streams: NewStoreStreams):
    return streams.failures("s", NOON - timedelta(hours=1), NOON)


def test_the_documented_answer_is_read_though_it_shows_no_url(account: SecretsAccount) -> None:
    with streams_of(replying(Reply({"integrations": [SHOWN]})), account) as streams:
        [found] = streams.streams()

    assert (found.stream_id, found.running, found.callback_url) == ("s", True, "")


def test_a_bare_list_of_publications_is_read_as_documented(account: SecretsAccount) -> None:
    others = [{**FAILED, "integration_id": "other"}, {**FAILED, "status": "SUCCESS"}]
    server = replying(Reply([FAILED, *others]))
    with streams_of(server, account) as streams:
        [found] = failures(streams)

    assert server.calls[0].path == "/api/v1/org/integrations/published-events"
    assert server.calls[0].query == {
        "integration_id": "s",
        "status": "failure",
        "from": "2026-03-02T11:00:00Z",
        "to": "2026-03-02T12:00:00Z",
    }
    assert (found.publication_id, found.entity_id, found.retries_remaining) == ("", "e", 0)


def test_the_newer_form_of_the_list_is_read_too(account: SecretsAccount) -> None:
    entry = {**FAILED, "id": "p-1", "retries_remaining": None}
    del entry["integration_id"]
    with streams_of(replying(Reply({"events": [entry]})), account) as streams:
        [found] = failures(streams)

    assert (found.publication_id, found.retries_remaining) == ("p-1", 0)


@pytest.mark.parametrize("without", ["attempted_at"])
def test_half_an_answer_is_not_taken_for_a_whole_one(account: SecretsAccount, without: str) -> None:
    entry = {name: value for name, value in FAILED.items() if name != without}
    with (
        streams_of(replying(Reply([entry])), account) as streams,
        pytest.raises(RetriableError, match=without),
    ):
        failures(streams)


def test_the_key_is_in_no_message(account: SecretsAccount) -> None:
    echo = Reply({"error": f"api_key {KEY} is too simple"}, status=409 + 1)
    with (
        streams_of(replying(echo), account) as streams,
        pytest.raises(RejectedError) as refused,
    ):
        streams.create(WANTED)

    assert KEY not in str(refused.value)
    assert "too simple" in str(refused.value)


def test_a_body_that_is_refused_in_both_forms_is_refused(account: SecretsAccount) -> None:
    server = replying(Reply({"error": "no"}, status=400))
    with streams_of(server, account) as streams, pytest.raises(RejectedError, match="400"):
        streams.create(WANTED)

    flat, nested = (call.json for call in server.calls)
    assert flat["callback_url"] == WANTED.callback_url
    assert nested["callback_parameters"] == {"callback_url": WANTED.callback_url, "api_key": KEY}
    assert "callback_url" not in nested


def test_a_change_that_newstore_passes_over_is_noticed(account: SecretsAccount) -> None:
    other = {**SHOWN, "callback_url": "https://example.com/other"}
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
