"""resumable: an invocation may die at any call it makes to the outside.

To die before a call is sent leaves the same world as to die once the call before it took effect:
an import dies before each call of the first run there ever was, and in the same story after each
call of the next one.
"""

from collections.abc import Callable
from functools import cache

import pytest

from inventory_sync.adapters.dynamodb.event_log import read_open_event
from local.newstore.events import event_bytes
from tests.integration.crashing import CALLS, Moment, SimulatedCrashError, crash_at
from tests.integration.story import DC, NYC, Story, story

CHUNKS, FORWARD_CHUNKS = 16, 4
"""Tests for each way to die, each at every sixteenth, or fourth, call."""
TICKS_MAX = 3
"""So many more ticks put everything right: one for the run that broke off, one for what it
left to the next, one to spare."""
CLAIM_SECONDS = 180

Invocation = Callable[[Story], object]
Begin = Callable[[Story], Invocation]


IMPORT_CALLS = {"UpdateItem", "TransactWriteItems", "PutObject", "POST /v0/d/import"}
FORWARD_CALLS = {"UpdateItem", "POST /v1/movements", "POST /v1/allocations"}
"""Some that an undisturbed invocation makes: what is not met is not proven."""


def survive(told: Story, invocation: Invocation, number: int, moment: Moment) -> list[str]:
    """The invocation dies there, or goes through; the calls it made."""
    crash = crash_at(number, moment)

    def on_call(at: int, when: Moment, call: str) -> None:
        told.never_oversells()
        crash(at, when, call)

    with CALLS.watching(on_call) as names:
        try:
            invocation(told)
        except SimulatedCrashError:
            told.start_cold()
    told.never_oversells()
    return names


# Calls are counted, so the ERP is read by one thread.


def imports_die(number: int) -> tuple[int, int]:
    """The story of two imports that break off at this call; how many calls each came to make."""
    with pytest.MonkeyPatch.context() as patch, story(patch, ERP_READS_AT_ONCE="1") as told:
        told.take_in(told.ship("ff1", DC, "SKU-1", "SKU-2"), told.ship("ff2", NYC, "SKU-1"))
        told.let_settle()
        first = survive(told, Story.tick, number, Moment.BEFORE)
        told.go_on_until_finalized(TICKS_MAX)
        told.holds_the_truth()

        shipped = told.ship("ff3", NYC, "SKU-2", "SKU-1"), told.ship("ff4", DC, "SKU-3")
        told.let_settle()
        told.receive((DC, "SKU-2"), 5)
        still_allocated = told.ship("ff5", DC, "SKU-1")
        told.take_in(*shipped, still_allocated)
        later = survive(told, Story.tick, number, Moment.AFTER)
        assert number or set(first) & set(later) >= IMPORT_CALLS
        told.go_on_until_finalized(TICKS_MAX)
        told.holds_the_truth()
    return len(first), len(later)


@cache
def calls_of_imports() -> tuple[int, int]:
    """How many calls the two imports make when nothing befalls them."""
    return imports_die(0)


@pytest.mark.sweep(sample=1)
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_an_import_that_dies_at_any_call_is_finished_by_later_ticks(chunk: int) -> None:
    first, later = calls_of_imports()
    for number in range(chunk + 1, max(first, later) + 1, CHUNKS):
        died = imports_die(number)
        assert died[0] == min(number, first)
        # Past its usual end the later one dies only where the first has left it more to do.
        assert min(number, later) <= died[1] <= number


def events_come_in(told: Story) -> None:
    """Two shipments, a request that came to nothing and one that is still open."""
    events = [
        told.ship("ff1", DC, "SKU-1", "SKU-2"),
        told.ship("ff2", NYC, "SKU-1"),
        told.give_up("ff3", DC, "SKU-3"),
        told.assign("ff4", NYC, "SKU-2"),
    ]
    assert [told.post(event) for event in events] == [200] * len(events)


def streaming(told: Story) -> Invocation:
    """The stream's batch comes."""
    events_come_in(told)
    records = told.new_records()
    return lambda it: it.forward(records)


def sweeping(told: Story) -> Invocation:
    """The stream brought nothing: the sweep finds the events."""
    events_come_in(told)
    told.clock.sleep(CLAIM_SECONDS)
    return Story.sweep


def everything_is_booked(told: Story) -> None:
    """The shipments wait for an import; the ERP has set aside what is assigned, nothing else."""
    told.booked_once()
    waiting = [item for item in told.items("EventsTable") if "open_key" in item]
    requests = [read_open_event(item).event.fulfillment_request_id for item in waiting]
    assert sorted(requests) == ["ff1", "ff2"]
    assert all("applied_at" in item and "forwarded_at" in item for item in waiting)
    assert told.items("QuarantineTable") == []
    allocated = {key: units for key, units in told.erp.allocations.allocated.items() if units}
    assert allocated == {(NYC, "SKU-2"): 1}


def forwarding_dies(begin: Begin, dedupe: str, number: int, moment: Moment) -> int:
    """How many calls it came to make."""
    with (
        pytest.MonkeyPatch.context() as patch,
        story(patch, erp={"dedupe": dedupe}, ERP_READS_AT_ONCE="1") as told,
    ):
        invocation = begin(told)
        names = survive(told, invocation, number, moment)
        assert number or set(names) >= FORWARD_CALLS
        if begin is streaming:
            invocation(told)  # Lambda hands the batch over again
        told.clock.sleep(CLAIM_SECONDS)
        told.sweep()
        everything_is_booked(told)
    return len(names)


@cache
def calls_of_forwarding(begin: Begin, dedupe: str, moment: Moment) -> int:
    """How many calls are made when nothing befalls them."""
    return forwarding_dies(begin, dedupe, 0, moment)


@pytest.mark.sweep(sample=1)
@pytest.mark.parametrize("chunk", range(FORWARD_CHUNKS))
@pytest.mark.parametrize(
    ("begin", "dedupe", "moment"),
    [
        (streaming, "native", Moment.BEFORE),
        (sweeping, "native", Moment.AFTER),
        (streaming, "lookup", Moment.AFTER),
        (sweeping, "lookup", Moment.BEFORE),
    ],
)
def test_forwarding_that_dies_at_any_call_books_everything_once(
    begin: Begin, dedupe: str, moment: Moment, chunk: int
) -> None:
    calls = calls_of_forwarding(begin, dedupe, moment)
    for number in range(chunk + 1, calls + 1, FORWARD_CHUNKS):
        assert forwarding_dies(begin, dedupe, number, moment) == number


@pytest.mark.sweep
@pytest.mark.parametrize("moment", Moment)
@pytest.mark.parametrize("body", ["event", "not an event"])
def test_an_ingest_that_dies_at_any_call_stores_the_body_once_when_it_comes_again(
    body: str, moment: Moment
) -> None:
    """NewStore has no 2xx, so it posts again."""
    number = 0
    while True:
        number += 1
        with pytest.MonkeyPatch.context() as patch, story(patch, ERP_READS_AT_ONCE="1") as told:
            raw = event_bytes(told.ship("ff1", DC, "SKU-1")) if body == "event" else b'{"name": '
            with CALLS.watching(crash_at(number, moment)):
                try:
                    told.post_bytes(raw)
                except SimulatedCrashError:
                    told.start_cold()
                else:
                    break
            assert told.post_bytes(raw) == 200
            table = "EventsTable" if body == "event" else "QuarantineTable"
            assert [bytes(item["body"]["B"]) for item in told.items(table)] == [raw]
    assert number > 2, "the invocation called nobody, so it cannot have died"
