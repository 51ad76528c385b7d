"""EventStreams and StreamRecords: the clients over HTTP and the fakes, alike."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from inventory_sync.adapters.http.authorized import AuthorizedHttp, SecretBearer
from inventory_sync.adapters.newstore.event_body import parse_event
from inventory_sync.adapters.newstore.stream_records import NewStoreStreamRecords
from inventory_sync.adapters.newstore.streams import NewStoreStreams
from inventory_sync.domain.errors import RejectedError, RetriableError
from inventory_sync.domain.event_stream import WANTED_EVENTS, StreamRegistration, faults_of
from inventory_sync.domain.events import FulfillmentEvent
from inventory_sync.domain.stream_records import REJECTED_EVENTS_MAX, stopped_at
from inventory_sync.ports.newstore import EventStreams, StreamRecords
from local.newstore.events import Event
from local.newstore.server import newstore_server
from tests.fakes.event_streams import ModelStreamRecords, ModelStreams
from tests.unit.adapters.http_support import StandingClock, json_http, secrets_account
from tests.unit.local.newstore_builder import Newstore

MINUTE = timedelta(minutes=1)
WANTED = StreamRegistration(
    stream_id="stock-sync", callback_url="https://example.com/event", api_key="key-1"
)
STREAM = WANTED.stream_id


@dataclass
class Contract:
    """The ports, and the NewStore behind them; `bodies` is what came to the webhook."""

    streams: EventStreams
    records: StreamRecords
    newstore: Newstore

    def __post_init__(self) -> None:
        self.bodies: list[bytes] = []
        self.status = 200
        self.integrations = self.newstore.model.integrations
        self.newstore.model.publications.send = self._receive

    def _receive(self, body: bytes) -> int:
        self.bodies.append(body)
        return self.status

    def attempt(self, status: int, retries_remaining: int = 0) -> Event:
        event = self.newstore.ship()
        self.newstore.model.publications.note(
            STREAM, event, status, retries_remaining=retries_remaining
        )
        return event

    def failures(self, minutes: int = 5):
        now = self.newstore.clock()
        return self.records.failures(STREAM, now - minutes * MINUTE, now)

    def rejected(self) -> str:
        """An event that the webhook answered 400 to; the id under which it is kept."""
        return self.integrations.reject(STREAM, self.newstore.ship())


@pytest.fixture(params=["client", "fake"])
def contract(request: pytest.FixtureRequest) -> Iterator[Contract]:
    clock = StandingClock()
    newstore = Newstore(clients={"adapter": "secret"})
    if request.param == "fake":
        model = newstore.model
        yield Contract(ModelStreams(model), ModelStreamRecords(model), newstore)
        return
    token = newstore.model.tokens.client_credentials("adapter", "secret")["access_token"]
    with (
        newstore_server(newstore.model) as server,
        secrets_account({"token": token}) as account,
        json_http(clock) as http,
    ):
        authorized = AuthorizedHttp(http, SecretBearer(account.secrets(clock), account.arn))
        yield Contract(
            NewStoreStreams(authorized, base_url=server.base_url),
            NewStoreStreamRecords(authorized, base_url=server.base_url),
            newstore,
        )


def test_a_stream_that_was_created_runs_and_brings_what_we_want(contract: Contract) -> None:
    assert contract.streams.stream(STREAM) is None

    contract.streams.create(WANTED)

    found = contract.streams.stream(STREAM)
    assert found is not None
    assert faults_of(found, WANTED.callback_url) == ()
    assert found.event_filter == WANTED_EVENTS
    assert contract.streams.streams() == [found]
    assert contract.integrations.of(STREAM).callback["api_key"] == "key-1"


def test_creating_it_once_more_is_harmless_but_not_with_another_url(contract: Contract) -> None:
    contract.streams.create(WANTED)
    contract.streams.create(WANTED)

    with pytest.raises(RejectedError):
        contract.streams.create(replace(WANTED, callback_url="https://example.com/other"))


def test_a_change_reaches_url_and_key_of_a_stopped_stream(contract: Contract) -> None:
    contract.streams.create(WANTED)
    contract.streams.stop(STREAM)
    contract.streams.change(replace(WANTED, callback_url="https://new.example", api_key="key-2"))

    found = contract.streams.stream(STREAM)
    assert found is not None
    assert (found.callback_url, found.running) == ("https://new.example", False)
    assert contract.integrations.of(STREAM).callback["api_key"] == "key-2"

    contract.streams.start(STREAM)
    contract.streams.start(STREAM)
    started = contract.streams.stream(STREAM)
    assert started is not None
    assert started.running


def test_a_running_stream_cannot_be_changed(contract: Contract) -> None:
    contract.streams.create(WANTED)

    with pytest.raises(RejectedError):
        contract.streams.change(replace(WANTED, api_key="key-2"))
    assert contract.integrations.of(STREAM).callback["api_key"] == "key-1"


def test_a_stream_that_was_told_to_stop_may_run_on_for_a_while(contract: Contract) -> None:
    contract.streams.create(WANTED)
    contract.integrations.stop_seconds = 5
    contract.streams.stop(STREAM)
    contract.streams.stop(STREAM)

    still = contract.streams.stream(STREAM)
    contract.newstore.clock.sleep(5)
    then = contract.streams.stream(STREAM)

    assert still is not None
    assert then is not None
    assert (still.running, then.running) == (True, False)


def test_what_is_not_there_cannot_be_changed_or_started_but_deleted(contract: Contract) -> None:
    for refused in (contract.streams.start, contract.streams.stop):
        with pytest.raises(RejectedError):
            refused(STREAM)
    with pytest.raises(RejectedError):
        contract.streams.change(WANTED)

    contract.streams.create(WANTED)
    contract.streams.delete(STREAM)
    contract.streams.delete(STREAM)

    assert contract.streams.streams() == []


def test_of_a_stream_that_is_not_there_nothing_is_kept(contract: Contract) -> None:
    assert contract.records.log(STREAM) == []
    assert contract.records.rejected_events(STREAM) == []
    assert contract.records.rejected_event(STREAM, "1") is None
    assert contract.failures() == []
    contract.records.retry_rejected(STREAM, "1")
    contract.records.delete_rejected(STREAM, "1")


def test_a_temporary_stream_replays_its_window_and_stops(contract: Contract) -> None:
    now = contract.newstore.clock()
    missed = contract.newstore.ship()
    contract.newstore.clock.sleep(60)
    contract.streams.create(
        replace(WANTED, starts_at=now - MINUTE, ends_at=now + timedelta(seconds=30))
    )

    found = contract.streams.stream(STREAM)

    assert found is not None
    assert (found.temporary, found.running) == (True, False)
    assert len(contract.bodies) == 2  # its assignment and its completion
    assert missed["payload"]["id"].encode() in contract.bodies[-1]


def test_the_log_says_when_and_why_the_stream_stopped(contract: Contract) -> None:
    contract.streams.create(WANTED)
    contract.newstore.clock.sleep(60)
    reason = "Request to URL https://x.example failed. Payload: {Jane Doe}"
    contract.integrations.interrupt(STREAM, reason)
    stopped = contract.newstore.clock()
    contract.newstore.clock.sleep(60)

    log = contract.records.log(STREAM)

    assert [entry.action for entry in log] == ["integration_stopped", "integration_started"]
    assert log[0].reason == "Request to URL https://x.example failed."
    assert stopped_at(log) == stopped
    contract.streams.start(STREAM)
    assert stopped_at(contract.records.log(STREAM)) is None


def test_of_the_log_the_last_fifty_entries_are_shown(contract: Contract) -> None:
    contract.streams.create(WANTED)
    for _ in range(30):
        contract.newstore.clock.sleep(1)
        contract.streams.stop(STREAM)
        contract.streams.start(STREAM)

    assert len(contract.records.log(STREAM)) == 50


def test_rejected_events_are_listed_under_ids_of_their_own_and_can_be_read(
    contract: Contract,
) -> None:
    contract.streams.create(WANTED)
    first = contract.rejected()
    contract.newstore.clock.sleep(60)
    second = contract.rejected()

    listed = contract.records.rejected_events(STREAM)
    body = contract.records.rejected_event(STREAM, first)

    assert [one.rejected_id for one in listed] == [first, second]
    assert listed[1].rejected_at - listed[0].rejected_at == MINUTE
    assert body is not None
    event = parse_event(body, "acme")
    assert isinstance(event, FulfillmentEvent)
    assert event.fulfillment_request_id == "ff1"


def test_a_rejected_event_leaves_the_list_once_the_webhook_takes_it(contract: Contract) -> None:
    contract.streams.create(WANTED)
    rejected = contract.rejected()
    contract.status = 500

    with pytest.raises(RetriableError):
        contract.records.retry_rejected(STREAM, rejected)
    assert len(contract.records.rejected_events(STREAM)) == 1

    contract.status = 200
    contract.records.retry_rejected(STREAM, rejected)
    contract.records.retry_rejected(STREAM, rejected)
    assert contract.records.rejected_events(STREAM) == []


def test_a_deleted_rejected_event_is_gone(contract: Contract) -> None:
    contract.streams.create(WANTED)
    rejected = contract.rejected()

    contract.records.delete_rejected(STREAM, rejected)
    contract.records.delete_rejected(STREAM, rejected)

    assert contract.records.rejected_events(STREAM) == []
    assert contract.records.rejected_event(STREAM, rejected) is None
    assert contract.bodies == []


def test_one_rejected_event_too_many_stops_the_stream(contract: Contract) -> None:
    contract.streams.create(WANTED)
    for _ in range(REJECTED_EVENTS_MAX):
        contract.rejected()
    running = contract.streams.stream(STREAM)
    contract.rejected()
    stopped = contract.streams.stream(STREAM)

    assert len(contract.records.rejected_events(STREAM)) == REJECTED_EVENTS_MAX
    assert running is not None
    assert stopped is not None
    assert (running.running, stopped.running) == (True, False)


def test_failed_attempts_are_listed_with_what_newstore_still_does_about_them(
    contract: Contract,
) -> None:
    contract.streams.create(WANTED)
    contract.attempt(200)
    failed = contract.attempt(503)
    contract.attempt(202, retries_remaining=9)

    first, second = contract.failures()

    assert (first.entity_id, first.event_name) == (failed["payload"]["id"], failed["name"])
    assert (first.retries_remaining, second.retries_remaining) == (0, 9)
    contract.newstore.clock.sleep(600)
    assert contract.failures() == []


def test_whether_the_stream_has_delivered_is_told_of_a_time(contract: Contract) -> None:
    contract.streams.create(WANTED)
    contract.attempt(200)
    contract.newstore.clock.sleep(600)
    contract.attempt(503)
    now = contract.newstore.clock()

    told = [contract.records.delivered(STREAM, now - minutes * MINUTE, now) for minutes in (5, 11)]

    assert told == [False, True]
    assert not contract.records.delivered("another", now - 11 * MINUTE, now)
