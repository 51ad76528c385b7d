"""What is wrong with a stream, and when a stopped one is started."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from inventory_sync.domain.errors import FatalError
from inventory_sync.domain.event_stream import (
    WANTED_EVENTS,
    EventStream,
    Restart,
    RestartRule,
    StreamFault,
    StreamRegistration,
    faults_of,
    replay_id,
)

URL = "https://adapter.example/event"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def stream(**changed: object) -> EventStream:
    good = {"stream_id": "s", "status": "running", "callback_url": URL}
    return EventStream(**{**good, **changed})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "good",
    [
        stream(),
        stream(event_filter=WANTED_EVENTS),
        stream(event_filter=WANTED_EVENTS | {"order.created"}),
        stream(entity_filter=frozenset({"fulfillment_request", "order"})),
    ],
    ids=["no filter", "just ours", "ours and more", "by entity"],
)
def test_a_stream_that_brings_us_everything_is_well(good: EventStream) -> None:
    assert faults_of(good, URL) == ()


@pytest.mark.parametrize(
    ("found", "fault"),
    [
        (None, StreamFault.MISSING),
        (stream(status="stopped"), StreamFault.STOPPED),
        (stream(status="a later word"), StreamFault.STOPPED),
        (stream(callback_url=URL + "s"), StreamFault.OTHER_URL),
        (stream(callback_url=""), StreamFault.OTHER_URL),
        (
            stream(event_filter=WANTED_EVENTS - {"fulfillment_request.assigned"}),
            StreamFault.EVENTS_LEFT_OUT,
        ),
        (stream(entity_filter=frozenset({"order"})), StreamFault.EVENTS_LEFT_OUT),
        (
            stream(event_filter=WANTED_EVENTS, entity_filter=frozenset({"order"})),
            StreamFault.EVENTS_LEFT_OUT,
        ),
        (stream(temporary=True), StreamFault.TEMPORARY),
    ],
)
def test_each_fault_is_found_by_itself(found: EventStream | None, fault: StreamFault) -> None:
    assert faults_of(found, URL) == (fault,)


def test_all_faults_are_found_together() -> None:
    worst = stream(
        status="stopped", callback_url="x", entity_filter=frozenset({"order"}), temporary=True
    )

    assert set(faults_of(worst, URL)) == set(StreamFault) - {StreamFault.MISSING}


@pytest.mark.parametrize("stream_id", ["Stock", "stock_sync", "stock sync", "", "s" * 51, "a/b"])
def test_an_id_that_newstore_does_not_take_cannot_be_asked_for(stream_id: str) -> None:
    with pytest.raises(FatalError, match="StreamId"):
        StreamRegistration(stream_id=stream_id, callback_url=URL, api_key="k")


@pytest.mark.parametrize("stream_id", ["inventory-sync", "s" * 50, "1"])
def test_a_replay_has_an_id_of_its_own_that_newstore_takes(stream_id: str) -> None:
    at = NOON.replace(second=7).astimezone(timezone(timedelta(hours=-5)))
    found = replay_id(stream_id, at)

    StreamRegistration(stream_id=found, callback_url=URL, api_key="k")
    assert found.endswith("-replay-20260302120007")
    assert found.startswith(stream_id[:28])
    assert found != replay_id(stream_id, at + timedelta(seconds=1))


def test_a_registration_does_not_show_its_key() -> None:
    registration = StreamRegistration(stream_id="s", callback_url=URL, api_key="key-of-newstore")

    assert "key-of-newstore" not in repr(registration)


def test_a_stream_that_keeps_stopping_is_started_ever_later_and_then_given_up() -> None:
    rule, decisions = RestartRule(), []
    restarts: list[datetime] = []
    for minute in range(0, 200, 5):
        now = NOON + minute * MINUTE
        decision = rule.decide(restarts, now)
        decisions.append((minute, decision))
        if decision is Restart.NOW:
            restarts.append(now)

    assert [minute for minute, decision in decisions if decision is Restart.NOW] == [0, 5, 15, 35]
    assert decisions[-1][1] is Restart.GIVEN_UP
    assert (10, Restart.LATER) in decisions


def test_old_restarts_are_forgotten() -> None:
    rule = RestartRule()
    restarts = [NOON + number * MINUTE for number in range(4)]

    assert rule.decide(restarts, NOON + timedelta(hours=6) - MINUTE) is Restart.GIVEN_UP
    assert rule.decide(restarts, NOON + timedelta(hours=6)) is Restart.NOW
    assert rule.counted(restarts, NOON + timedelta(hours=6)) == tuple(restarts[1:])


def test_a_stream_runs_where_newstore_says_so() -> None:
    assert stream(status="".join(("run", "ning"))).running


def test_the_first_pause_is_five_minutes() -> None:
    assert RestartRule().decide([NOON], NOON + timedelta(minutes=4.9)) is Restart.LATER
    assert RestartRule().decide([NOON], NOON + 5 * MINUTE) is Restart.NOW


def test_more_restarts_than_allowed_are_too_many_too() -> None:
    restarts = [NOON, NOON + MINUTE, NOON + 2 * MINUTE]

    assert RestartRule(restarts_max=2).decide(restarts, NOON + 60 * MINUTE) is Restart.GIVEN_UP
    assert RestartRule().counted(restarts, NOON + timedelta(hours=7)) == ()
