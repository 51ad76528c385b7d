"""One look after another at NewStore's event stream."""

from datetime import timedelta

import pytest

from inventory_sync.domain.arrivals import Arrivals
from inventory_sync.domain.errors import FatalError, LeaseLostError, RetriableError
from inventory_sync.domain.event_stream import Restart, StreamFault, StreamRegistration
from inventory_sync.domain.stream_check import StreamCheckState
from inventory_sync.use_cases.stream.check_stream import CheckStream, Look
from inventory_sync.use_cases.stream.retry_publications import RetryPublications
from local.newstore.events import Event
from tests.contract.builders import NOON, event
from tests.fakes.clock import FakeClock
from tests.fakes.event_log import FakeEventLog
from tests.fakes.event_streams import FakeWatchMemories, ModelStreams
from tests.fakes.observer import FakeObserver
from tests.unit.local.newstore_builder import Newstore

URL = "https://adapter.example/prod/event"
STREAM = "inventory-sync"
MINUTES = 60.0


class Watched:
    """A registered stream, and the watch over it; both sides share the clock."""

    def __init__(self) -> None:
        self.clock = FakeClock(NOON)
        self.newstore = Newstore()
        self.newstore.model.now = self.clock.now
        self.newstore.model.publications._now = self.clock.now
        self.webhook_status = 200
        self.received: list[bytes] = []
        self.newstore.model.publications.send = self._receive
        self.streams = ModelStreams(self.newstore.model)
        self.log = FakeEventLog()
        self.memories = FakeWatchMemories()
        self.observer = FakeObserver()
        self.streams.create(StreamRegistration(stream_id=STREAM, callback_url=URL, api_key="key-1"))

    @property
    def integration(self) -> dict:
        return self.newstore.model.integrations.of(STREAM)

    def look(self, minutes: float = 5, remaining: float = 200) -> Look:
        """So many minutes after the last one; counts are of this look alone."""
        self.clock.advance(minutes * MINUTES)
        self.observer = FakeObserver()
        watch = CheckStream(
            streams=self.streams,
            event_log=self.log,
            memories=self.memories,
            retry_publications=RetryPublications(
                streams=self.streams,
                clock=self.clock,
                observer=self.observer,
                stream_id=STREAM,
            ),
            clock=self.clock,
            observer=self.observer,
            stream_id=STREAM,
            callback_url=URL,
        )
        return watch(lambda: remaining)

    def failed(self, retries_remaining: int = 0) -> Event:
        """An event that NewStore could not deliver."""
        found = self.newstore.ship()
        self.newstore.model.publications.note(STREAM, found, 503, retries_remaining)
        return found

    def _receive(self, body: bytes) -> int:
        self.received.append(body)
        return self.webhook_status


@pytest.fixture
def watched() -> Watched:
    return Watched()


def test_a_stream_that_is_well_is_left_alone(watched: Watched) -> None:
    look = watched.look()

    assert (look.faults, look.restart, look.failures) == ((), None, ())
    assert watched.observer.counts == {
        "EventsMissing": 0,
        "StreamStatus": 1,
        "StreamGivenUp": 0,
        "PublicationsFailed": 0,
        "PublicationsRetried": 0,
        "PublicationsGivenUp": 0,
    }


def test_a_stopped_stream_is_started_again(watched: Watched) -> None:
    watched.integration["status"] = "stopped"

    look = watched.look()

    assert (look.faults, look.restart) == ((), Restart.NOW)
    assert watched.integration["status"] == "running"
    assert watched.observer.counts["StreamRestarts"] == 1
    assert watched.observer.counts["StreamStatus"] == 1


def test_a_stream_that_keeps_stopping_is_given_up_and_taken_up_again_hours_later(
    watched: Watched,
) -> None:
    started, last = 0, None
    for _ in range(40):
        watched.integration["status"] = "stopped"
        last = watched.look()
        started += watched.observer.counts["StreamRestarts"]

    assert started == 4
    assert last is not None
    assert last.restart is Restart.GIVEN_UP
    assert last.faults == (StreamFault.STOPPED,)
    assert watched.observer.counts["StreamStatus"] == 0
    assert watched.observer.counts["StreamGivenUp"] == 1

    watched.look(minutes=360)
    assert watched.integration["status"] == "running"


def test_a_crash_between_remembering_and_starting_counts_as_a_restart(watched: Watched) -> None:
    watched.integration["status"] = "stopped"
    original = watched.streams.start

    def crash(stream_id: str) -> None:
        raise SystemExit

    watched.streams.start = crash  # type: ignore[method-assign]
    for _ in range(12):
        try:
            watched.look()
        except SystemExit:
            continue
    watched.streams.start = original  # type: ignore[method-assign]

    assert watched.look().restart is Restart.GIVEN_UP
    assert watched.integration["status"] == "stopped"


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"callback_url": "https://other.example"}, StreamFault.OTHER_URL),
        (
            {"integration_type": "temporary", "ends_at": "2027-01-01T00:00:00Z"},
            StreamFault.TEMPORARY,
        ),
    ],
)
def test_a_stream_that_is_not_ours_to_start_is_only_reported(
    watched: Watched, change: dict, fault: StreamFault
) -> None:
    watched.integration.update(change, status="stopped")

    look = watched.look()

    assert set(look.faults or ()) == {fault, StreamFault.STOPPED}
    assert look.restart is None
    assert watched.integration["status"] == "stopped"
    assert watched.observer.counts["StreamStatus"] == 0


def test_a_missing_stream_is_reported(watched: Watched) -> None:
    watched.newstore.model.integrations.delete(STREAM)

    assert watched.look().faults == (StreamFault.MISSING,)


def test_while_newstore_is_away_the_status_is_not_known_and_the_rest_goes_on(
    watched: Watched,
) -> None:
    watched.streams.fails_with = RetriableError("no connection")

    look = watched.look()

    assert look.faults is None
    assert len(look.failures) == 2
    assert "StreamStatus" not in watched.observer.counts
    assert "EventsMissing" in watched.observer.counts
    assert watched.memories.load(STREAM).arrivals.looked_at == watched.clock.now()


def test_refused_credentials_are_handed_on(watched: Watched) -> None:
    watched.streams.fails_with = FatalError("the secret")

    assert all(isinstance(failure, FatalError) for failure in watched.look().failures)


def test_what_could_not_be_delivered_is_published_once_more(watched: Watched) -> None:
    failed = watched.failed()
    watched.failed(retries_remaining=5)

    watched.look()
    first = dict(watched.observer.counts)
    watched.look()

    assert len(watched.received) == 1
    assert failed["payload"]["id"].encode() in watched.received[0]
    assert (first["PublicationsFailed"], first["PublicationsRetried"]) == (1, 1)
    assert watched.observer.counts["PublicationsFailed"] == 0


def test_what_keeps_failing_is_given_up_and_named(watched: Watched) -> None:
    failed = watched.failed()
    watched.webhook_status = 503
    given_up = 0
    for _ in range(6):
        watched.look()
        given_up += watched.observer.counts["PublicationsGivenUp"]
        named = [figures for message, figures in watched.observer.notes if "given up" in message]
        if named:
            assert named[0]["entity_id"] == failed["payload"]["id"]

    assert len(watched.received) == 3
    assert given_up == 1


def test_where_newstore_offers_no_retry_it_is_given_up_at_once(watched: Watched) -> None:
    watched.newstore.model.publications.offers_retry = False
    watched.failed()

    look = watched.look()

    assert look.failures == ()
    assert watched.observer.counts["PublicationsGivenUp"] == 1
    watched.look()
    assert watched.observer.counts["PublicationsGivenUp"] == 0


def test_where_newstore_lists_none_the_look_says_so_and_goes_on(watched: Watched) -> None:
    watched.newstore.model.publications.offers_list = False

    look = watched.look()

    assert (look.faults, look.failures) == ((), ())
    assert any("not listed" in message for message, _ in watched.observer.notes)


def test_without_time_left_the_next_look_goes_on(watched: Watched) -> None:
    watched.failed()

    watched.look(remaining=10)
    assert (watched.received, watched.observer.counts["PublicationsFailed"]) == ([], 0)
    watched.look()

    assert len(watched.received) == 1


def test_a_retry_that_fails_at_newstore_is_tried_by_the_next_look(watched: Watched) -> None:
    watched.failed()
    watched.failed()
    original, calls = watched.streams.retry, []

    def fail_once(stream_id: str, publication_id: str) -> None:
        calls.append(publication_id)
        if len(calls) == 1:
            raise RetriableError("503")
        original(stream_id, publication_id)

    watched.streams.retry = fail_once  # type: ignore[method-assign]
    look = watched.look()
    assert len(look.failures) == 1
    assert watched.observer.counts["PublicationsFailed"] == 0
    watched.look()

    assert len(watched.received) == 2


def test_two_looks_at_once_do_not_both_act(watched: Watched) -> None:
    watched.integration["status"] = "stopped"
    original = watched.memories.load

    def slow(stream_id: str):
        found = original(stream_id)
        watched.memories.load = original  # type: ignore[method-assign]
        watched.look(minutes=0)
        watched.integration["status"] = "stopped"
        return found

    watched.memories.load = slow  # type: ignore[method-assign]
    with pytest.raises(LeaseLostError):
        watched.look()

    assert watched.integration["status"] == "stopped"


def test_silence_is_measured_from_the_last_event_by_what_is_usual(watched: Watched) -> None:
    usual = Arrivals(weeks=dict.fromkeys(range(168), (6, 6)))
    watched.memories.save(STREAM, StreamCheckState(arrivals=usual))
    watched.log.append(event(), b"{}", watched.clock.now() + timedelta(minutes=5))
    assert watched.look().missing == 0

    for _ in range(12):
        look = watched.look()

    assert look.missing == pytest.approx(6)
    assert watched.observer.counts["EventsMissing"] == 6
    assert watched.memories.load(STREAM).arrivals.last_at == NOON + timedelta(minutes=5)
