"""EventStreams: the client over HTTP, in both forms NewStore may want, and the fake, alike."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from inventory_sync.adapters.http.authorized import AuthorizedHttp, SecretBearer
from inventory_sync.adapters.newstore.streams import NewStoreStreams
from inventory_sync.domain.errors import NotOfferedError, RejectedError
from inventory_sync.domain.event_stream import WANTED_EVENTS, StreamRegistration, faults_of
from inventory_sync.ports.newstore import EventStreams
from local.newstore.events import Event
from local.newstore.server import newstore_server
from tests.fakes.event_streams import ModelStreams
from tests.unit.adapters.http_support import StandingClock, json_http, secrets_account
from tests.unit.local.newstore_builder import Newstore

MINUTE = timedelta(minutes=1)
WANTED = StreamRegistration(
    stream_id="stock sync", callback_url="https://example.com/event", api_key="key-1"
)


@dataclass
class Contract:
    """The port, and the NewStore behind it; `bodies` is what came to the webhook."""

    streams: EventStreams
    newstore: Newstore

    def __post_init__(self) -> None:
        self.bodies: list[bytes] = []
        self.status = 200
        self.newstore.model.publications.send = self._receive

    def _receive(self, body: bytes) -> int:
        self.bodies.append(body)
        return self.status

    def publish(self, status: int, retries_remaining: int = 0) -> Event:
        event = self.newstore.ship()
        self.newstore.model.publications.note(
            WANTED.stream_id, event, status, retries_remaining=retries_remaining
        )
        return event

    def failures(self, minutes: int = 5):
        now = self.newstore.clock()
        return self.streams.failures(WANTED.stream_id, now - minutes * MINUTE, now)


@pytest.fixture(params=["flat", "nested", "fake"])
def contract(request: pytest.FixtureRequest) -> Iterator[Contract]:
    clock = StandingClock()
    nested = {} if request.param == "fake" else {"callback_form": request.param}
    newstore = Newstore(clients={"adapter": "secret"}, **nested)
    if request.param == "fake":
        yield Contract(ModelStreams(newstore.model), newstore)
        return
    token = newstore.model.tokens.client_credentials("adapter", "secret")["access_token"]
    with (
        newstore_server(newstore.model) as server,
        secrets_account({"token": token}) as account,
        json_http(clock) as http,
    ):
        credentials = SecretBearer(account.secrets(clock), account.arn)
        client = NewStoreStreams(AuthorizedHttp(http, credentials), base_url=server.base_url)
        yield Contract(client, newstore)


def test_a_stream_that_was_created_runs_and_brings_what_we_want(contract: Contract) -> None:
    assert contract.streams.stream(WANTED.stream_id) is None

    contract.streams.create(WANTED)

    found = contract.streams.stream(WANTED.stream_id)
    assert found is not None
    assert faults_of(found, WANTED.callback_url) == ()
    assert found.event_filter == WANTED_EVENTS
    assert contract.streams.streams() == [found]
    assert contract.newstore.model.integrations.of(WANTED.stream_id)["api_key"] == "key-1"


def test_creating_it_once_more_is_harmless_but_not_with_another_url(contract: Contract) -> None:
    contract.streams.create(WANTED)
    contract.streams.create(WANTED)

    with pytest.raises(RejectedError):
        contract.streams.create(replace(WANTED, callback_url="https://example.com/other"))


def test_a_change_reaches_url_and_key_and_leaves_the_status(contract: Contract) -> None:
    contract.streams.create(WANTED)
    contract.newstore.model.integrations.stop(WANTED.stream_id)
    contract.streams.change(replace(WANTED, callback_url="https://new.example", api_key="key-2"))

    found = contract.streams.stream(WANTED.stream_id)
    assert found is not None
    assert (found.callback_url, found.running) == ("https://new.example", False)
    assert contract.newstore.model.integrations.of(WANTED.stream_id)["api_key"] == "key-2"

    contract.streams.start(WANTED.stream_id)
    contract.streams.start(WANTED.stream_id)
    started = contract.streams.stream(WANTED.stream_id)
    assert started is not None
    assert started.running


def test_what_is_not_there_cannot_be_changed_or_started_but_deleted(contract: Contract) -> None:
    with pytest.raises(RejectedError):
        contract.streams.change(WANTED)
    with pytest.raises(RejectedError):
        contract.streams.start(WANTED.stream_id)

    contract.streams.create(WANTED)
    contract.streams.delete(WANTED.stream_id)
    contract.streams.delete(WANTED.stream_id)

    assert contract.streams.streams() == []


def test_a_temporary_stream_replays_its_window_and_stops(contract: Contract) -> None:
    now = contract.newstore.clock()
    missed = contract.newstore.ship()
    contract.newstore.clock.sleep(60)
    contract.streams.create(
        replace(WANTED, starts_at=now - MINUTE, ends_at=now + timedelta(seconds=30))
    )

    found = contract.streams.stream(WANTED.stream_id)

    assert found is not None
    assert (found.temporary, found.running) == (True, False)
    assert len(contract.bodies) == 2  # its assignment and its completion
    assert missed["payload"]["id"].encode() in contract.bodies[-1]


def test_failed_publications_are_listed_with_what_a_retry_needs(contract: Contract) -> None:
    contract.publish(200)
    failed = contract.publish(503)
    contract.publish(500, retries_remaining=9)

    first, second = contract.failures()

    assert first.publication_id
    assert (first.entity_id, first.event_name) == (failed["payload"]["id"], failed["name"])
    assert (first.retries_remaining, second.retries_remaining) == (0, 9)
    contract.newstore.clock.sleep(600)
    assert contract.failures() == []


def test_a_retry_publishes_once_more_and_its_outcome_is_listed(contract: Contract) -> None:
    contract.publish(503)
    [failed] = contract.failures()

    contract.streams.retry(WANTED.stream_id, failed.publication_id)
    assert len(contract.failures()) == 1
    contract.status = 503
    contract.streams.retry(WANTED.stream_id, failed.publication_id)

    assert len(contract.failures()) == 2
    assert len(contract.bodies) == 2


def test_what_newstore_does_not_offer_is_told_apart(contract: Contract) -> None:
    contract.publish(503)
    contract.newstore.model.publications.offers_retry = False
    [failed] = contract.failures()

    assert failed.publication_id == ""
    with pytest.raises(NotOfferedError):
        contract.streams.retry(WANTED.stream_id, "p-1")
    contract.newstore.model.publications.offers_list = False
    with pytest.raises(NotOfferedError):
        contract.failures()
