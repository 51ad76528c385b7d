"""Stream, webhook and clocks, as preflight looks at them."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from cli.preflight.check import State
from cli.preflight.clocks import Reading, erp_clock_check, newstore_clock_check, read_clock
from cli.preflight.stream import log_check, rejected_check, stream_checks, webhook_check
from cli.smoke import Checks
from cli.stream import StreamFound
from inventory_sync.domain.errors import RetriableError
from inventory_sync.domain.event_stream import EventStream, faults_of
from inventory_sync.domain.stream_records import RejectedEvent, StreamLogEntry
from local.clock import LocalClock

URL = "https://hook.example/event"
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
STOPPED = StreamLogEntry(NOW - timedelta(hours=2), "integration_stopped", "answered 403")


def found(ours: EventStream | None, *log: StreamLogEntry, rejected: int = 0) -> StreamFound:
    return StreamFound(
        ours=ours,
        streams=[ours] if ours else [],
        faults=[fault.value for fault in faults_of(ours, URL)],
        log=list(log),
        rejected=[RejectedEvent(str(n), NOW) for n in range(rejected)],
        stopped=ours is not None and not ours.running,
    )


def stream(**fields: object) -> EventStream:
    return EventStream(
        **{"stream_id": "s", "status": "running", "callback_url": URL, **fields}  # type: ignore[arg-type]
    )


def wrong(of: StreamFound) -> dict[str, State]:
    checks = stream_checks("s", of, NOW)
    return {check.name: check.state for check in checks if check.state is not State.PASSED}


def test_a_stream_as_it_has_to_be_passes() -> None:
    assert wrong(found(stream())) == {}


@pytest.mark.parametrize(
    ("ours", "name"),
    [
        (None, "stream: registered"),
        (stream(temporary=True), "stream: registered"),
        (stream(status="stopped"), "stream: running"),
        (stream(callback_url="https://elsewhere.example"), "stream: calls"),
        (stream(event_filter=frozenset({"order.opened"})), "stream: filters"),
        (stream(entity_filter=frozenset({"order"})), "stream: filters"),
    ],
)
def test_each_fault_of_the_registration_is_a_line_of_its_own(
    ours: EventStream | None, name: str
) -> None:
    assert wrong(found(ours)) == {name: State.MEND}


def test_a_stream_that_newstore_has_stopped_of_late_is_to_be_looked_at() -> None:
    check = log_check([STOPPED], NOW)

    assert (check.state, check.figures) == (State.LOOK, {"stops": 1})
    assert "answered 403" in check.found
    assert log_check([STOPPED], NOW + timedelta(days=2)).state is State.PASSED


def test_rejected_events_are_to_be_looked_at() -> None:
    assert rejected_check(0).state is State.PASSED
    assert rejected_check(2).state is State.LOOK


def answers(**statuses: int) -> Checks:
    checks = Checks()
    for what, status in statuses.items():
        checks.add(what, {"key": 401, "ignored": 200}[what], status)
    return checks


@pytest.mark.parametrize(
    ("key", "ignored", "state"),
    [
        (401, 200, State.PASSED),
        (403, 200, State.MEND),
        (401, 401, State.MEND),
        (429, 429, State.LOOK),
        (500, 500, State.MEND),
    ],
)
def test_a_webhook_that_answers_otherwise_than_newstore_needs_is_told(
    key: int, ignored: int, state: State
) -> None:
    assert webhook_check(URL, answers(key=key, ignored=ignored)).state is state


def reading(seconds: float, off_by: float = 1) -> Reading:
    return Reading(ahead=timedelta(seconds=seconds), off_by=timedelta(seconds=off_by))


@pytest.mark.parametrize(
    ("seconds", "state"),
    [(0, State.PASSED), (7, State.PASSED), (-7, State.PASSED), (8, State.LOOK), (-8, State.LOOK)],
)
def test_newstore_and_aws_may_differ_by_seconds_and_by_what_is_not_known(
    seconds: float, state: State
) -> None:
    assert newstore_clock_check(reading(seconds), reading(0)).state is state


@pytest.mark.parametrize(
    ("seconds", "state"), [(300, State.PASSED), (-303, State.MEND), (3_600, State.MEND)]
)
def test_an_erp_whose_acknowledgements_are_not_believed_has_to_be_mended(
    seconds: float, state: State
) -> None:
    check = erp_clock_check(reading(seconds + 10), reading(10))

    assert (check.state, check.figures["ahead_seconds"]) == (state, seconds)


def test_a_clock_is_read_between_question_and_answer() -> None:
    clock = LocalClock(NOW)

    def answer() -> str:
        clock.sleep(4)
        return format_datetime(NOW + timedelta(seconds=62), usegmt=True)

    found = read_clock(answer, clock)

    assert found == Reading(ahead=timedelta(seconds=60.5), off_by=timedelta(seconds=2.5))


@pytest.mark.parametrize("header", ["", "yesterday"])
def test_an_answer_without_a_date_says_nothing_of_a_clock(header: str) -> None:
    with pytest.raises(RetriableError):
        read_clock(lambda: header, LocalClock(NOW))
