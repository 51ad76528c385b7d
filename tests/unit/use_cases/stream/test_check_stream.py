"""One look after another at NewStore's event stream."""

from datetime import timedelta
from functools import partial

import pytest

from inventory_sync.adapters.newstore.event_body import parse_event
from inventory_sync.domain.arrivals import Arrivals
from inventory_sync.domain.errors import (
    FatalError,
    InventorySyncError,
    LeaseLostError,
    RejectedError,
    RetriableError,
)
from inventory_sync.domain.event_stream import Restart, StreamFault, StreamRegistration
from inventory_sync.domain.stream_check import StreamCheckState
from inventory_sync.use_cases.stream.check_stream import CheckStream, StreamCheck
from inventory_sync.use_cases.stream.retry_rejected import RetryRejected
from local.newstore.integrations import Integration
from tests.contract.builders import NOON, event
from tests.fakes.clock import FakeClock
from tests.fakes.event_log import FakeEventLog
from tests.fakes.event_streams import FakeStreamCheckStates, ModelStreamRecords, ModelStreams
from tests.fakes.observer import FakeObserver
from tests.unit.local.newstore_builder import Newstore

URL = "https://adapter.example/prod/event"
STREAM = "inventory-sync"
MINUTES = 60.0
START = NOON.replace(microsecond=123_000)
"""NewStore's instants are milliseconds."""


class Checked:
    """A registered stream, and the check of it; both sides share the clock."""

    def __init__(self) -> None:
        self.clock = FakeClock(NOON)
        self.newstore = Newstore(now=self.clock.now)
        self.model = self.newstore.model
        self.webhook_status = 200
        self.received: list[bytes] = []
        self.model.publications.send = self._receive
        self.streams = ModelStreams(self.model)
        self.records = ModelStreamRecords(self.model)
        self.log = FakeEventLog()
        self.memories = FakeStreamCheckStates()
        self.observer = FakeObserver()
        self.streams.create(StreamRegistration(stream_id=STREAM, callback_url=URL, api_key="key-1"))

    @property
    def integration(self) -> Integration:
        return self.model.integrations.of(STREAM)

    def stop(self, reason: str = "Stopped.") -> None:
        self.model.integrations.interrupt(STREAM, reason)

    def reject(self, **changed: object) -> str:
        """An event that the webhook once answered 400; the id under which NewStore keeps it."""
        found = {**self.newstore.ship(), **changed}
        return self.model.integrations.reject(STREAM, found)

    def kept(self) -> list[str]:
        """Rejected events that NewStore keeps, the oldest first."""
        return [one.rejected_id for one in self.records.rejected_events(STREAM)]

    def look(self, minutes: float = 5, remaining: float = 200) -> StreamCheck:
        """So many minutes after the last one; counts are of this look alone."""
        self.clock.advance(minutes * MINUTES)
        self.observer = FakeObserver()
        check = CheckStream(
            streams=self.streams,
            records=self.records,
            event_log=self.log,
            memories=self.memories,
            retry_rejected=RetryRejected(
                records=self.records,
                parse=partial(parse_event, tenant="acme"),
                observer=self.observer,
                stream_id=STREAM,
            ),
            clock=self.clock,
            observer=self.observer,
            stream_id=STREAM,
            callback_url=URL,
        )
        return check(lambda: remaining)

    def _receive(self, body: bytes) -> int:
        self.received.append(body)
        return self.webhook_status


@pytest.fixture
def checked() -> Checked:
    return Checked()


def test_a_stream_that_is_well_is_left_alone(checked: Checked) -> None:
    look = checked.look()

    assert (look.faults, look.restart, look.failures, look.rejected) == ((), None, (), 0)
    assert (look.stopped_since, look.days_left) == (None, 30)
    assert checked.observer.counts == {
        "EventsMissing": 0,
        "StreamStatus": 1,
        "StreamDaysLeft": 30,
        "StreamGivenUp": 0,
        "RejectedEvents": 0,
    }


def test_a_stopped_stream_is_started_again(checked: Checked) -> None:
    checked.stop()

    look = checked.look()

    assert (look.faults, look.restart) == ((), Restart.NOW)
    assert checked.integration.status == "running"
    [told] = [f for message, f in checked.observer.notes if message == "stream started"]
    assert told["restarts"] == 1
    assert checked.observer.counts["StreamStatus"] == 1


def test_a_stream_that_keeps_stopping_is_given_up_and_taken_up_again_hours_later(
    checked: Checked,
) -> None:
    started, last = 0, None
    for _ in range(40):
        checked.stop()
        last = checked.look()
        started += [message for message, _ in checked.observer.notes].count("stream started")

    assert started == 4
    assert last is not None
    assert last.restart is Restart.GIVEN_UP
    assert last.faults == (StreamFault.STOPPED,)
    assert checked.observer.counts["StreamStatus"] == 0
    assert checked.observer.counts["StreamGivenUp"] == 1

    checked.look(minutes=360)
    assert checked.integration.status == "running"


def test_a_crash_between_remembering_and_starting_counts_as_a_restart(checked: Checked) -> None:
    checked.stop()
    original = checked.streams.start

    def crash(stream_id: str) -> None:
        raise SystemExit

    checked.streams.start = crash  # type: ignore[method-assign]
    for _ in range(12):
        try:
            checked.look()
        except SystemExit:
            continue
    checked.streams.start = original  # type: ignore[method-assign]

    assert checked.look().restart is Restart.GIVEN_UP
    assert checked.integration.status == "stopped"


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (
            {"callback_parameters": {"callback_url": "https://other.example"}},
            StreamFault.OTHER_URL,
        ),
        (
            {"integration_type": "temporary", "ends_at": "2027-01-01T00:00:00Z"},
            StreamFault.TEMPORARY,
        ),
    ],
)
def test_a_stream_that_is_not_ours_to_start_is_only_reported(
    checked: Checked, change: dict, fault: StreamFault
) -> None:
    checked.integration.body.update(change)
    checked.stop()

    look = checked.look()

    assert set(look.faults or ()) == {fault, StreamFault.STOPPED}
    assert look.restart is None
    assert checked.integration.status == "stopped"
    assert checked.observer.counts["StreamStatus"] == 0


def test_a_missing_stream_is_reported(checked: Checked) -> None:
    checked.model.integrations.delete(STREAM)

    assert checked.look().faults == (StreamFault.MISSING,)


def test_newstores_log_says_since_when_and_why_the_stream_is_stopped(checked: Checked) -> None:
    checked.stop("Request to URL failed. Reason: forbidden. Payload: Jane Doe")
    checked.streams.start = lambda stream_id: None  # type: ignore[method-assign]

    look = checked.look(minutes=180)
    noted = [figures for message, figures in checked.observer.notes if message == "stream log"]

    assert look.stopped_since == START
    assert look.days_left == pytest.approx(29.9)
    assert noted[0]["why"] == "Request to URL failed. Reason: forbidden."


def test_the_days_until_events_get_lost_run_down_to_none(checked: Checked) -> None:
    checked.stop()
    checked.streams.start = lambda stream_id: None  # type: ignore[method-assign]
    left = [checked.look(minutes=10 * 1440).days_left for _ in range(4)]

    assert left == [20, 10, 0, 0]
    assert checked.observer.counts["StreamDaysLeft"] == 0


def test_a_stream_that_stops_again_at_once_is_stopped_since_the_first_time(
    checked: Checked,
) -> None:
    checked.stop()
    for _ in range(3):
        look = checked.look(minutes=30)
        checked.stop()

    assert look.stopped_since == START
    checked.streams.start(STREAM)
    assert checked.look().stopped_since is None


def test_where_the_log_does_not_say_the_first_look_does(checked: Checked) -> None:
    checked.stop()
    checked.integration.log.clear()

    look = checked.look(minutes=5)

    assert look.stopped_since == NOON + timedelta(minutes=5)


def test_while_newstore_is_away_the_status_is_not_known_and_the_rest_goes_on(
    checked: Checked,
) -> None:
    checked.streams.fails_with = checked.records.fails_with = RetriableError("no connection")

    look = checked.look()

    assert (look.faults, look.rejected) == (None, None)
    assert len(look.failures) == 2
    assert checked.observer.counts.keys().isdisjoint({"StreamStatus", "StreamDaysLeft"})
    assert "EventsMissing" in checked.observer.counts
    assert checked.memories.load(STREAM).arrivals.looked_at == checked.clock.now()


def test_a_log_that_cannot_be_read_does_not_keep_the_stream_from_being_started(
    checked: Checked,
) -> None:
    checked.stop()
    checked.records.fails_with = RetriableError("no connection")

    look = checked.look()

    assert look.faults == ()
    assert checked.integration.status == "running"


def test_refused_credentials_are_passed_up(checked: Checked) -> None:
    checked.streams.fails_with = FatalError("the secret")

    assert any(isinstance(failure, FatalError) for failure in checked.look().failures)


def test_a_rejected_event_that_we_would_take_now_is_sent_again(checked: Checked) -> None:
    checked.reject()

    look = checked.look()

    assert look.rejected == 0
    [told] = [f for message, f in checked.observer.notes if message == "rejected events"]
    assert (told["taken"], told["left"]) == (1, 0)
    assert b'"ff1"' in checked.received[0]
    assert checked.kept() == []
    assert checked.memories.load(STREAM).retries == {}


def test_an_event_that_does_not_concern_us_is_taken_too(checked: Checked) -> None:
    checked.reject(name="order.created")

    assert checked.look().rejected == 0


@pytest.mark.parametrize("changed", [{"payload": {"id": "ff1"}}, {"tenant": "others"}])
def test_a_rejected_event_that_we_cannot_read_is_left_to_a_person_and_named(
    checked: Checked, changed: dict[str, object]
) -> None:
    rejected = checked.reject(**changed)
    checked.look()

    look = checked.look()

    assert look.rejected == 1
    assert checked.received == []
    assert checked.kept() == [rejected]
    (figures,) = [f for message, f in checked.observer.notes if message == "rejected events"]
    assert figures["rejected_ids"] == rejected


def test_a_rejected_event_that_the_webhook_does_not_take_is_sent_three_times(
    checked: Checked,
) -> None:
    checked.reject()
    checked.webhook_status = 500
    left = [checked.look().rejected for _ in range(6)]

    assert left == [1] * 6
    assert len(checked.received) == 3


def test_one_rejected_event_does_not_hold_up_the_others(checked: Checked) -> None:
    unreadable = checked.reject(payload={})
    checked.reject()

    checked.look()

    assert checked.kept() == [unreadable]


@pytest.mark.parametrize("call", ["rejected_event", "retry_rejected"])
@pytest.mark.parametrize("error", [RetriableError("503"), RejectedError("422")])
def test_one_that_newstore_refuses_to_show_or_to_send_does_not_hold_up_the_others(
    checked: Checked, call: str, error: InventorySyncError
) -> None:
    refused = checked.reject()
    checked.reject()
    original = getattr(checked.records, call)

    def refuse(stream_id: str, rejected_id: str) -> object:
        if rejected_id == refused:
            raise error
        return original(stream_id, rejected_id)

    setattr(checked.records, call, refuse)

    assert checked.look().rejected == 1
    assert checked.kept() == [refused]


def test_a_crash_between_remembering_and_retrying_counts_as_a_retry(checked: Checked) -> None:
    checked.reject()

    def crash(stream_id: str, rejected_id: str) -> None:
        raise SystemExit

    checked.records.retry_rejected = crash  # type: ignore[method-assign]
    for _ in range(3):
        with pytest.raises(SystemExit):
            checked.look()

    assert checked.look().rejected == 1


def test_thirty_rejected_events_are_gone_before_the_stream_is_started(checked: Checked) -> None:
    for _ in range(31):
        checked.reject()
    assert checked.integration.status == "stopped"

    look = checked.look()

    assert (look.rejected, look.restart) == (0, Restart.NOW)
    assert checked.integration.status == "running"
    assert len(checked.received) == 30


def test_without_time_left_rejected_events_wait_for_the_next_look(checked: Checked) -> None:
    checked.reject()

    assert checked.look(remaining=10).rejected == 1
    assert checked.received == []
    assert checked.look().rejected == 0


def test_two_looks_at_once_do_not_both_act(checked: Checked) -> None:
    checked.stop()
    original = checked.memories.load

    def slow(stream_id: str):
        found = original(stream_id)
        checked.memories.load = original  # type: ignore[method-assign]
        checked.look(minutes=0)
        checked.stop()
        return found

    checked.memories.load = slow  # type: ignore[method-assign]
    with pytest.raises(LeaseLostError):
        checked.look()

    assert checked.integration.status == "stopped"


def test_silence_is_measured_from_the_last_event_by_what_is_usual(checked: Checked) -> None:
    usual = Arrivals(weeks=dict.fromkeys(range(168), (6, 6)))
    checked.memories.save(STREAM, StreamCheckState(arrivals=usual))
    checked.log.append(event(), b"{}", checked.clock.now() + timedelta(minutes=5))
    assert checked.look().missing == 0

    for _ in range(12):
        look = checked.look()

    assert look.missing == pytest.approx(6)
    assert checked.observer.counts["EventsMissing"] == 6
    assert checked.memories.load(STREAM).arrivals.last_at == NOON + timedelta(minutes=5)
