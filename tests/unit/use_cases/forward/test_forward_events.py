"""Forward: every event into the ERP's books exactly once, whatever it answers."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from typing import Any

import pytest

from inventory_sync.adapters.erp.booked_elsewhere import BookedElsewhere
from inventory_sync.domain.acknowledgements import ERP_CLOCK_SKEW
from inventory_sync.domain.cut import AppliedRule
from inventory_sync.domain.erp import Dedupe, ErpCapabilities
from inventory_sync.domain.errors import FatalError, RejectedError, RetriableError
from inventory_sync.domain.events import (
    EventRef,
    FulfillmentEvent,
    FulfillmentItem,
    OpenEvent,
)
from inventory_sync.domain.stock import (
    Accepted,
    Acknowledgement,
    AllocationChange,
    AllocationOutcome,
    AllocationState,
    Conflict,
    MovementOutcome,
    Rejection,
    StockMovement,
    TryLater,
    Unknown,
    movement_id,
)
from inventory_sync.domain.units import SHIPPED_BEFORE_MAX
from inventory_sync.use_cases.forward.forward_events import (
    BATCH_EVENTS_MAX,
    BOOKED_AFTER_MAX,
    LOCATION_GIGABYTES_MAX,
    REPLAYED_AFTER,
    ForwardEvents,
)
from tests.builders import HOUR, ITEMS_ASSIGNED, ITEMS_FAILED, MINUTE, NOW, STORE, event
from tests.errors import OF_ALL, OF_ONE
from tests.fakes.clock import FakeClock
from tests.fakes.event_log import FakeEventLog
from tests.fakes.mode import never_a_shadow
from tests.fakes.observer import FakeObserver
from tests.fakes.quarantine import FakeQuarantine
from tests.fakes.unit_owners import FakeUnitOwners

ACK = Acknowledgement(NOW + MINUTE, "DOC-1")
OTHER_CONTENT = Conflict("booked before with other content")
LOST = Unknown("no answer")
BUSY = TryLater("503")
NO = Rejection("unknown article")
TICK = timedelta(microseconds=1)
DAY = 24 * HOUR


class BookingErp:
    """Books and answers as told; a movement whose answer is Unknown may be in the books or not."""

    def __init__(self, dedupe: Dedupe) -> None:
        self.dedupe = dedupe
        self.reservations = True
        self.answers: dict[str, list[MovementOutcome]] = {}
        self.allocation_answers: dict[str, AllocationOutcome] = {}
        self.look_ups: dict[str, MovementOutcome | None] = {}
        self.posted: list[str] = []
        self.lines: list[str] = []
        """The units of what was posted."""
        self.changes: list[AllocationChange] = []
        self.meanwhile: Callable[[], None] = lambda: None
        self.cut_short = False
        self.fails: dict[tuple[str, str], Exception] = {}
        """What is raised, by the call and the location; a look-up names none."""

    def _fail(self, call: str, *location_ids: str) -> None:
        for location_id in location_ids:
            if (call, location_id) in self.fails:
                raise self.fails[call, location_id]

    def capabilities(self) -> ErpCapabilities:
        return ErpCapabilities(
            dedupe=self.dedupe,
            bulk_max=100,
            reservations=self.reservations,
            apply_lag=timedelta(0),
        )

    def post_movements(self, movements: list[StockMovement]) -> list[MovementOutcome]:
        self.meanwhile()
        self._fail("post", *(movement.location_id for movement in movements))
        self.lines += [line.unit.item_id for movement in movements for line in movement.lines]
        outcomes = [self._post(movement.movement_id) for movement in movements]
        return outcomes[1:] if self.cut_short and len(outcomes) > 1 else outcomes

    def _post(self, movement: str) -> MovementOutcome:
        self.posted.append(movement)
        answers = self.answers.get(movement, [])
        return answers.pop(0) if answers else ACK

    def look_up(self, movement: str) -> MovementOutcome | None:
        self._fail("look_up", movement)
        return self.look_ups.get(movement)

    def change_allocations(self, changes: list[AllocationChange]) -> list[AllocationOutcome]:
        self._fail("change", *(change.location_id for change in changes))
        self.changes += changes
        return [self.allocation_answers.get(c.fulfillment_request_id, Accepted()) for c in changes]


class World:
    """The use case over fakes."""

    def __init__(self, dedupe: Dedupe = Dedupe.NATIVE, **lags: timedelta) -> None:
        self.log = FakeEventLog()
        self.owners = FakeUnitOwners()
        self.quarantine = FakeQuarantine()
        self.clock = FakeClock(NOW)
        self.observer = FakeObserver()
        self.erp = BookingErp(dedupe)
        erp: Any = self.erp
        self.forward = ForwardEvents(
            event_log=self.log,
            owners=self.owners,
            quarantine=self.quarantine,
            erp=erp,
            clock=self.clock,
            observer=self.observer,
            rule=AppliedRule(other_channel_lags=lags),
            claim=3 * MINUTE,
            sweep_age=MINUTE,
            mode_check=never_a_shadow,
        )

    def store(self, *events: FulfillmentEvent, at: datetime = NOW - HOUR) -> list[OpenEvent]:
        for stored in events:
            self.log.append(stored, b"{}", at)
        return list(self.log.open_events())

    def answer(self, found: FulfillmentEvent, *outcomes: MovementOutcome) -> None:
        self.erp.answers[movement_id(found)] = list(outcomes)

    def state(self, found: FulfillmentEvent) -> OpenEvent:
        state = self.log.state_of(found.ref)
        assert state is not None
        return state

    def owned(self, found: FulfillmentEvent) -> str:
        return "".join(sorted(self.state(found).owned or ()))

    def sweep(self, seconds: float = 900) -> Any:
        return self.forward.sweep(lambda: seconds)

    def booked(self) -> list[str]:
        return self.erp.posted


def refs(*events: FulfillmentEvent) -> list[EventRef]:
    return [found.ref for found in events]


BOTH = pytest.mark.parametrize("dedupe", list(Dedupe))
SHIPPED = event(12)
MOVEMENT = movement_id(SHIPPED)


# Whatever the ERP does with one event, the others go on

ELSEWHERE = event(13, at=STORE)
OF_ONE_EVENT = pytest.mark.parametrize("error", OF_ONE, ids=lambda error: type(error).__name__)


@BOTH
@OF_ONE_EVENT
def test_an_error_of_posting_at_one_location_holds_up_no_other(
    dedupe: Dedupe, error: Exception
) -> None:
    world = World(dedupe)
    world.store(ELSEWHERE, SHIPPED)
    world.erp.fails["post", STORE] = error
    world.forward(world.log.open_events())
    world.clock.advance(HOUR)

    world.sweep()

    assert world.state(SHIPPED).forwarded_at is not None
    assert world.booked() == [MOVEMENT]
    bad = world.state(ELSEWHERE)
    assert (bad.forwarded_at, bad.applied_at) == (None, None)
    assert (bad.rejected_reason is not None) is isinstance(error, RejectedError)
    world.erp.fails.clear()
    world.clock.advance(HOUR)
    world.sweep()
    assert (world.state(ELSEWHERE).forwarded_at is None) is isinstance(error, RejectedError)


@BOTH
@OF_ONE_EVENT
def test_an_error_of_a_look_up_holds_up_no_other_and_is_no_word_of_the_erps(
    dedupe: Dedupe, error: Exception
) -> None:
    world = World(dedupe)
    for shipped in (ELSEWHERE, SHIPPED):
        world.answer(shipped, LOST)
        world.erp.look_ups[movement_id(shipped)] = ACK
    world.erp.fails["look_up", movement_id(ELSEWHERE)] = error

    result = world.forward(world.store(ELSEWHERE, SHIPPED))

    assert (result.forwarded, result.rejected) == (refs(SHIPPED), [])
    assert result.later == refs(ELSEWHERE)
    assert sorted(world.booked()) == sorted(map(movement_id, (ELSEWHERE, SHIPPED)))


@OF_ONE_EVENT
def test_an_error_of_an_allocation_at_one_location_holds_up_no_other(error: Exception) -> None:
    world = World()
    world.erp.fails["change", STORE] = error

    result = world.forward(world.store(ELSEWHERE, SHIPPED))

    assert result.forwarded == refs(SHIPPED)
    assert [change.location_id for change in world.erp.changes] == [SHIPPED.location_id]
    refused = isinstance(error, RejectedError)
    assert (result.rejected, result.later)[not refused] == refs(ELSEWHERE)
    assert world.state(ELSEWHERE).applied_at == ACK.applied_at


@pytest.mark.parametrize("call", ["post", "look_up", "change"])
@pytest.mark.parametrize("error", OF_ALL, ids=lambda error: type(error).__name__)
def test_where_nothing_may_go_on_one_event_stops_all(error: Exception, call: str) -> None:
    world = World()
    world.answer(SHIPPED, LOST)
    world.erp.fails[call, MOVEMENT if call == "look_up" else SHIPPED.location_id] = error

    with pytest.raises(type(error)):
        world.forward(world.store(ELSEWHERE, SHIPPED))


@BOTH
def test_an_answer_of_another_length_says_nothing_of_any_event(dedupe: Dedupe) -> None:
    world = World(dedupe)
    world.erp.cut_short = True

    result = world.forward(world.store(ELSEWHERE, SHIPPED))

    assert result.forwarded == (refs(SHIPPED, ELSEWHERE) if dedupe is Dedupe.NATIVE else [])
    assert result.rejected == []


# What each event asks for


@BOTH
def test_completed_items_are_booked_and_their_allocation_given_back(dedupe: Dedupe) -> None:
    world = World(dedupe)

    result = world.forward(world.store(SHIPPED))

    assert (result.forwarded, result.rejected, result.later) == (refs(SHIPPED), [], [])
    assert world.booked() == [MOVEMENT]
    assert [change.state for change in world.erp.changes] == [AllocationState.RELEASED]
    state = world.state(SHIPPED)
    assert (state.applied_at, state.forwarded_at) == (ACK.applied_at, NOW)
    assert world.observer.counts["EventsForwarded"] == 1


def test_a_completed_event_stays_open_until_an_import_releases_it() -> None:
    world = World()
    world.forward(world.store(SHIPPED))

    assert world.log.is_open(SHIPPED.ref)


@pytest.mark.parametrize(
    ("name", "state"),
    [(ITEMS_ASSIGNED, AllocationState.ALLOCATED), (ITEMS_FAILED, AllocationState.RELEASED)],
)
def test_assigned_and_failed_items_move_no_stock_and_are_closed_at_once(
    name: Any, state: AllocationState
) -> None:
    world, found = World(), event(12, name=name)

    world.forward(world.store(found))

    assert world.booked() == []
    assert [change.state for change in world.erp.changes] == [state]
    assert world.state(found).forwarded_at == NOW
    assert not world.log.is_open(found.ref)


def test_a_unit_that_was_not_found_is_told_with_its_reason_and_stays_open_for_the_imports() -> None:
    items = (FulfillmentItem("a", "A", rejection_reason="no_inventory"),)
    world, found = World(), event(12, name=ITEMS_FAILED, items=items)

    world.forward(world.store(found))

    [change] = world.erp.changes
    assert (change.state, change.reason) == (AllocationState.RELEASED, "no_inventory")
    assert (world.state(found).forwarded_at, world.log.is_open(found.ref)) == (NOW, True)


def test_an_erp_without_reservations_is_not_asked_for_any() -> None:
    world = World()
    world.erp.reservations = False

    result = world.forward(world.store(SHIPPED, event(11, name=ITEMS_ASSIGNED)))

    assert len(result.forwarded) == 2
    assert world.erp.changes == []
    assert world.booked() == [MOVEMENT]


def test_what_the_erp_learns_by_another_way_is_not_booked_again() -> None:
    world, sold = World(COUNTER=HOUR), event(12, service_level="COUNTER")

    result = world.forward(world.store(sold))

    assert result.forwarded == refs(sold)
    assert world.booked() == []
    assert world.state(sold).applied_at is None
    assert [change.state for change in world.erp.changes] == [AllocationState.RELEASED]


def test_allocations_change_only_after_the_movement_is_booked() -> None:
    world = World()
    world.answer(SHIPPED, BUSY)

    world.forward(world.store(SHIPPED))

    assert world.erp.changes == []


def test_nothing_to_do_asks_nobody() -> None:
    world = World()

    result = world.forward([])

    assert (result.forwarded, result.rejected, result.later) == ([], [], [])
    assert (world.booked(), world.erp.changes) == ([], [])


# Once, whatever is repeated


def test_what_is_forwarded_is_not_forwarded_again() -> None:
    world = World()
    world.forward(world.store(SHIPPED))

    result = world.forward(list(world.log.open_events()))

    assert (result.forwarded, world.booked()) == ([], [MOVEMENT])


def test_what_is_rejected_waits_for_an_operator() -> None:
    world = World()
    world.answer(SHIPPED, NO)
    world.forward(world.store(SHIPPED))

    result = world.forward(list(world.log.open_events()))

    assert (result.rejected, world.booked()) == ([], [MOVEMENT])


def test_a_movement_whose_allocation_was_refused_for_now_is_not_booked_again() -> None:
    world = World()
    world.erp.allocation_answers["ff12"] = BUSY
    first = world.forward(world.store(SHIPPED))
    assert (first.later, first.forwarded) == (refs(SHIPPED), [])
    assert world.state(SHIPPED).applied_at == ACK.applied_at
    world.erp.allocation_answers.clear()

    second = world.forward(list(world.log.open_events()))

    assert (second.forwarded, world.booked()) == (refs(SHIPPED), [MOVEMENT])


@pytest.mark.parametrize("name", [ITEMS_ASSIGNED, ITEMS_FAILED])
def test_an_event_stays_open_while_its_allocation_waits(name: Any) -> None:
    world, found = World(), event(12, name=name)
    world.erp.allocation_answers["ff12"] = BUSY

    result = world.forward(world.store(found))

    assert (result.later, result.forwarded) == (refs(found), [])
    assert (world.state(found).forwarded_at, world.log.is_open(found.ref)) == (None, True)


def test_with_lookups_only_one_of_two_forwarders_books() -> None:
    world = World(Dedupe.LOOKUP)
    events = world.store(SHIPPED)
    others: list[Any] = []

    def second_forwarder() -> None:
        world.erp.meanwhile = lambda: None
        others.append(world.forward(events))

    world.erp.meanwhile = second_forwarder
    result = world.forward(events)

    assert world.booked() == [MOVEMENT]
    assert result.forwarded == refs(SHIPPED)
    assert (others[0].forwarded, others[0].later) == ([], [])
    assert world.observer.notes[0][0] == "event claimed by another forwarder"


def test_with_lookups_a_stale_record_of_what_is_booked_books_nothing() -> None:
    world = World(Dedupe.LOOKUP)
    stale = world.store(SHIPPED)
    world.forward(stale)

    world.forward(stale)

    assert world.booked() == [MOVEMENT]


# Outcomes unknown


def test_after_an_unknown_outcome_what_is_booked_is_found_and_not_booked_again() -> None:
    world = World(Dedupe.LOOKUP)
    world.answer(SHIPPED, LOST)
    world.erp.look_ups[MOVEMENT] = ACK

    result = world.forward(world.store(SHIPPED))

    assert (result.forwarded, world.booked()) == (refs(SHIPPED), [MOVEMENT])
    assert world.state(SHIPPED).applied_at == ACK.applied_at


def test_an_erp_that_knows_repeats_is_simply_asked_again() -> None:
    world = World(Dedupe.NATIVE)
    world.answer(SHIPPED, LOST, ACK)

    result = world.forward(world.store(SHIPPED))

    assert (result.forwarded, world.booked()) == (refs(SHIPPED), [MOVEMENT, MOVEMENT])


def test_an_erp_that_books_repeats_twice_is_not_asked_again_at_once() -> None:
    world = World(Dedupe.LOOKUP)
    world.answer(SHIPPED, LOST)

    result = world.forward(world.store(SHIPPED))

    assert (result.later, world.booked()) == (refs(SHIPPED), [MOVEMENT])
    assert world.state(SHIPPED).applied_at is None


@BOTH
@pytest.mark.parametrize("found", [LOST, BUSY])
def test_while_the_lookup_has_no_answer_nothing_is_booked_again(
    dedupe: Dedupe, found: MovementOutcome
) -> None:
    world = World(dedupe)
    world.answer(SHIPPED, LOST)
    world.erp.look_ups[MOVEMENT] = found

    result = world.forward(world.store(SHIPPED))

    assert (result.later, world.booked()) == (refs(SHIPPED), [MOVEMENT])


def crashed_after_claim(world: World) -> list[OpenEvent]:
    events = world.store(SHIPPED)
    world.log.claim(SHIPPED.ref, now=NOW, until=NOW + MINUTE)
    world.clock.advance(2 * MINUTE)
    return events


def test_after_a_crash_the_reference_is_looked_up_before_it_is_booked() -> None:
    world = World(Dedupe.LOOKUP)
    events = crashed_after_claim(world)
    world.erp.look_ups[MOVEMENT] = ACK

    result = world.forward(events)

    assert (result.forwarded, world.booked()) == (refs(SHIPPED), [])
    assert world.state(SHIPPED).applied_at == ACK.applied_at


def test_after_a_crash_what_is_not_found_is_booked() -> None:
    world = World(Dedupe.LOOKUP)

    result = world.forward(crashed_after_claim(world))

    assert (result.forwarded, world.booked()) == (refs(SHIPPED), [MOVEMENT])


def test_what_comes_long_after_it_happened_is_not_booked_again_where_it_is_booked() -> None:
    """A replayed event whose record had run out looks like a new one."""
    world = World(Dedupe.LOOKUP)
    world.erp.look_ups[MOVEMENT] = ACK
    events = world.store(SHIPPED, at=SHIPPED.published_at + REPLAYED_AFTER + TICK)

    result = world.forward(events)

    assert (result.forwarded, world.booked()) == (refs(SHIPPED), [])
    assert world.state(SHIPPED).applied_at == ACK.applied_at


def test_what_comes_long_after_it_happened_is_booked_where_it_is_not() -> None:
    world = World(Dedupe.LOOKUP)
    events = world.store(SHIPPED, at=SHIPPED.published_at + REPLAYED_AFTER + TICK)

    result = world.forward(events)

    assert (result.forwarded, world.booked()) == (refs(SHIPPED), [MOVEMENT])


def test_what_comes_in_time_is_booked_without_a_question() -> None:
    world = World(Dedupe.LOOKUP)
    world.erp.look_ups[MOVEMENT] = Unknown("no answer")
    events = world.store(SHIPPED, at=SHIPPED.published_at + REPLAYED_AFTER)

    assert world.forward(events).forwarded == refs(SHIPPED)


def test_after_a_crash_a_lookup_without_an_answer_leaves_it_for_later() -> None:
    world = World(Dedupe.LOOKUP)
    events = crashed_after_claim(world)
    world.erp.look_ups[MOVEMENT] = LOST

    result = world.forward(events)

    assert (result.later, world.booked()) == (refs(SHIPPED), [])


@BOTH
@pytest.mark.parametrize(
    ("found", "becomes"),
    [(ACK, "forwarded"), (LOST, "later"), (BUSY, "later"), (None, "rejected"), (NO, "rejected")],
)
def test_after_a_conflict_what_stands_under_the_movement_id_counts(
    dedupe: Dedupe, found: MovementOutcome | None, becomes: str
) -> None:
    """An answer was lost, and the ERP has another name for the product or the location since."""
    world = World(dedupe)
    world.answer(SHIPPED, OTHER_CONTENT)
    world.erp.look_ups[MOVEMENT] = found

    result = world.forward(world.store(SHIPPED))

    assert {kind: getattr(result, kind) for kind in ("forwarded", "later", "rejected")} == {
        "forwarded": [],
        "later": [],
        "rejected": [],
        becomes: refs(SHIPPED),
    }
    assert world.booked() == [MOVEMENT]
    assert world.state(SHIPPED).applied_at == (ACK.applied_at if found == ACK else None)


# Events are cumulative: a unit is booked once


def shipment(logical_timestamp: int, items: str, **fields: Any) -> Any:
    """An event of one request that lists these items, a letter each."""
    listed = tuple(FulfillmentItem(item, "A") for item in items)
    return event(logical_timestamp, **({"fulfillment_request_id": "ff1", "items": listed} | fields))


FIRST, SECOND = shipment(10, "a"), shipment(20, "ab")


@BOTH
def test_an_event_books_only_the_units_that_no_other_event_owns(dedupe: Dedupe) -> None:
    world = World(dedupe)

    world.forward(world.store(FIRST))
    world.forward(world.store(SECOND))

    assert world.erp.lines == ["a", "b"]
    assert world.booked() == [movement_id(FIRST), movement_id(SECOND)]
    assert [world.owned(FIRST), world.owned(SECOND)] == ["a", "b"]


@BOTH
def test_out_of_order_the_event_that_comes_first_books_all_it_lists(dedupe: Dedupe) -> None:
    world = World(dedupe)

    world.forward(world.store(SECOND))
    world.forward(world.store(FIRST))

    assert (world.booked(), world.erp.lines) == ([movement_id(SECOND)], ["a", "b"])
    assert world.state(FIRST).owned == frozenset()


def test_an_event_with_a_lower_logical_timestamp_stays_open_though_it_books_nothing() -> None:
    world = World()
    world.forward(world.store(SECOND))

    world.forward(world.store(FIRST))

    assert world.log.is_open(FIRST.ref)
    assert world.state(FIRST).forwarded_at == NOW


def test_an_event_that_lists_nothing_new_is_closed_at_once() -> None:
    world, again = World(), shipment(30, "ab")
    world.forward(world.store(SECOND))

    result = world.forward(world.store(again))

    assert result.forwarded == refs(again)
    assert not world.log.is_open(again.ref)
    assert world.erp.lines == ["a", "b"]


def test_two_events_of_a_request_in_one_batch_book_each_unit_once() -> None:
    world = World()

    world.forward(world.store(SECOND, FIRST))

    assert sorted(world.erp.lines) == ["a", "b"]


def test_two_forwarders_at_once_book_each_unit_once() -> None:
    world = World()
    world.store(FIRST, SECOND)

    def second_forwarder() -> None:
        world.erp.meanwhile = lambda: None
        world.forward([OpenEvent(event=SECOND, received_at=NOW)])

    world.erp.meanwhile = second_forwarder
    world.forward([OpenEvent(event=FIRST, received_at=NOW)])

    assert sorted(world.erp.lines) == ["a", "b"]


def test_after_a_crash_between_owning_and_posting_the_same_units_are_booked() -> None:
    world = World()
    events = world.store(FIRST)
    world.owners.own(FIRST, NOW)
    world.forward(world.store(SECOND)[1:])

    world.forward(events)

    assert sorted(world.erp.lines) == ["a", "b"]
    assert world.owned(SECOND) == "b"


def test_what_others_own_is_known_before_the_erp_answers() -> None:
    world = World()
    world.forward(world.store(FIRST))
    world.answer(SECOND, BUSY)

    world.forward(world.store(SECOND))

    assert world.owned(SECOND) == "b"
    assert world.state(SECOND).applied_at is None


def test_a_replayed_event_whose_record_had_run_out_is_posted_under_the_same_reference() -> None:
    world = World()
    world.forward(world.store(FIRST))
    world.forward(world.store(SECOND))
    world.log.forget(FIRST.ref)

    world.forward(world.store(FIRST)[:1])

    assert world.booked() == [movement_id(FIRST), movement_id(SECOND), movement_id(FIRST)]
    assert world.erp.lines == ["a", "b", "a"]


def test_the_same_items_under_another_location_are_the_same_units() -> None:
    world = World()
    elsewhere = shipment(10, "a", location_id="ELSEWHERE")
    world.forward(world.store(FIRST))

    world.forward(world.store(elsewhere))

    assert world.erp.lines == ["a"]


def test_a_sale_by_another_way_owns_its_units_too() -> None:
    world = World(COUNTER=HOUR)
    sold = shipment(10, "a", service_level="COUNTER")
    more = shipment(20, "ab", service_level="COUNTER")

    world.forward(world.store(sold, more))

    assert world.erp.lines == []
    assert [world.owned(sold), world.owned(more)] == ["a", "b"]


def test_while_the_owners_cannot_be_written_nothing_is_posted() -> None:
    world = World()
    world.owners.fails_with = RetriableError("throttled")

    with pytest.raises(RetriableError):
        world.forward(world.store(FIRST))

    assert world.booked() == []


def test_a_request_with_too_many_units_holds_up_only_itself() -> None:
    world = World()
    world.owners.refuses.add("ff1")

    result = world.forward(world.store(FIRST, SHIPPED))

    assert (result.rejected, result.forwarded) == (refs(FIRST), refs(SHIPPED))
    assert world.quarantine.entries[0].ref == FIRST.ref


CONFLICTS = {
    "another location": shipment(20, "ab", location_id=STORE),
    "another product": replace(
        shipment(20, "ab"), items=(FulfillmentItem("a", "B"), FulfillmentItem("b", "B"))
    ),
}


@BOTH
@pytest.mark.parametrize("second", CONFLICTS.values(), ids=CONFLICTS)
def test_an_event_that_contradicts_the_owner_of_a_unit_waits_for_a_person(
    dedupe: Dedupe, second: FulfillmentEvent
) -> None:
    world = World(dedupe)
    world.forward(world.store(FIRST))

    result = world.forward(world.store(second, SHIPPED))

    assert (result.rejected, result.forwarded) == (refs(second), refs(SHIPPED))
    assert world.erp.lines == ["a", "ff12-1"]
    [entry] = world.quarantine.entries
    assert (entry.reason, entry.ref) == ("conflicting_unit", second.ref)
    assert "unit ff1/a " in entry.detail
    assert "event rejected" in [message for message, _ in world.observer.notes]
    assert world.log.is_open(second.ref)
    assert world.state(second).owned is None, "an import takes all of it off"


@pytest.mark.parametrize("second", CONFLICTS.values(), ids=CONFLICTS)
def test_once_a_person_says_so_it_books_what_no_other_event_owns(second: FulfillmentEvent) -> None:
    world = World()
    world.forward(world.store(FIRST))
    world.forward(world.store(second))

    result = world.forward([replace(world.state(second), rejected_reason=None, retried=True)])

    assert result.forwarded == refs(second)
    assert world.erp.lines == ["a", "b"]
    assert world.owned(second) == "b"


@BOTH
def test_what_was_published_long_ago_is_booked_only_when_a_person_says_so(dedupe: Dedupe) -> None:
    world = World(dedupe)
    late = FIRST.published_at + BOOKED_AFTER_MAX
    [fresh] = world.store(FIRST, at=late)
    old = OpenEvent(event=FIRST, received_at=late + TICK)

    assert world.forward([old]).rejected == refs(FIRST)
    assert world.booked() == []
    assert [entry.reason for entry in world.quarantine.entries] == ["published_long_ago"]
    assert world.forward([replace(old, retried=True)]).forwarded == refs(FIRST)
    assert len(world.booked()) == 1
    assert fresh.received_at == late


def test_what_came_in_just_in_time_is_booked() -> None:
    world = World()

    result = world.forward(world.store(FIRST, at=FIRST.published_at + BOOKED_AFTER_MAX))

    assert result.forwarded == refs(FIRST)


# Go-live

LIVE_AT = NOW - HOUR


def live(world: World) -> World:
    world.forward = replace(world.forward, rule=AppliedRule(go_live_at=LIVE_AT))
    return world


@BOTH
def test_what_left_before_go_live_is_never_booked(dedupe: Dedupe) -> None:
    world = live(World(dedupe))
    old = event(12, published_at=LIVE_AT - MINUTE)

    result = world.forward(world.store(old))

    assert (world.booked(), result.forwarded) == ([], refs(old))
    assert (world.state(old).forwarded_at, world.state(old).applied_at) == (NOW, None)
    assert world.log.is_open(old.ref)


def test_the_way_from_shipment_to_the_erp_is_timed_by_the_first_unit_that_is_booked() -> None:
    world = live(World())
    shipped = (LIVE_AT - TICK, LIVE_AT, LIVE_AT + MINUTE)
    items = tuple(FulfillmentItem(f"i{n}", "P", at) for n, at in enumerate(shipped))

    world.forward(world.store(event(12, items=items)))

    seconds = (world.clock.now() - LIVE_AT).total_seconds()
    assert world.observer.counts["ShipmentToErpSeconds"] == seconds


def test_what_the_erp_does_not_book_is_not_timed() -> None:
    world = World(IN_STORE_HANDOVER=HOUR)
    refused = event(13)
    world.answer(refused, NO)

    world.forward(world.store(event(12, service_level="IN_STORE_HANDOVER"), refused))

    assert "ShipmentToErpSeconds" not in world.observer.counts


def test_however_old_it_is_it_needs_no_person() -> None:
    world = live(World())
    old = event(12, published_at=LIVE_AT - 2000 * DAY)

    assert world.forward(world.store(old, at=NOW)).forwarded == refs(old)


def test_of_an_event_with_historical_units_the_others_alone_are_booked() -> None:
    world = live(World())
    items = (
        FulfillmentItem("a", "A", shipped_at=LIVE_AT - MINUTE),
        FulfillmentItem("b", "B", shipped_at=LIVE_AT),
    )

    world.forward(world.store(event(12, items=items, published_at=NOW)))

    assert world.erp.lines == ["b"]


@pytest.mark.parametrize("null_date", ["2000-01-01", "2001-01-01"])
def test_a_null_date_says_nothing_of_when_a_unit_left(null_date: str) -> None:
    world = live(World())
    at = datetime.fromisoformat(null_date).replace(tzinfo=UTC)
    migrated = FulfillmentItem("b", "B", shipped_at=NOW - SHIPPED_BEFORE_MAX)

    items = (FulfillmentItem("a", "A", shipped_at=at), migrated)
    world.forward(world.store(event(12, items=items, published_at=NOW)))

    assert world.erp.lines == ["a"]


# One event never holds up the others


def test_each_outcome_concerns_its_own_event() -> None:
    world = World()
    events = {n: event(n, at=place) for n, place in ((10, "A"), (11, "B"), (12, "C"), (13, "D"))}
    world.answer(events[10], NO)
    world.answer(events[11], BUSY)
    world.answer(events[12], LOST, ACK)

    result = world.forward(world.store(*events.values()))

    assert result.rejected == refs(events[10])
    assert result.later == refs(events[11])
    assert result.forwarded == refs(events[12], events[13])
    counts = world.observer.counts
    assert (counts["EventsForwarded"], counts["EventsRejected"], counts["EventsToRetry"]) == (
        2,
        1,
        1,
    )


IMPOSSIBLE = {
    "a null date": datetime(1, 1, 1, tzinfo=UTC),
    "an epoch": datetime(1970, 1, 1, tzinfo=UTC),
    "a date without a time": datetime(2026, 3, 2, tzinfo=UTC),
    "just before it was published": SHIPPED.published_at - ERP_CLOCK_SKEW - TICK,
    "still to come": NOW + ERP_CLOCK_SKEW + TICK,
    "an end of time": datetime(9999, 12, 31, 23, 59, 59, tzinfo=timezone(-5 * HOUR)),
    "without a zone": NOW.replace(tzinfo=None),
}


@BOTH
@pytest.mark.parametrize("applied_at", IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_an_acknowledgement_that_cannot_be_true_counts_as_none(
    dedupe: Dedupe, applied_at: datetime
) -> None:
    """Nor does what a look-up says; the event's neighbour is booked all the same."""
    world, untrue = World(dedupe), Acknowledgement(applied_at, "DOC-9")
    world.answer(SHIPPED, untrue)
    world.erp.look_ups[MOVEMENT] = untrue

    result = world.forward(world.store(SHIPPED, event(13)))

    assert (result.later, result.forwarded) == ([SHIPPED.ref], [event(13).ref])
    assert world.state(SHIPPED).applied_at is None
    assert world.booked() == [MOVEMENT, movement_id(event(13))]


@BOTH
@pytest.mark.parametrize("ahead", [10 * MINUTE, 365 * DAY])
def test_what_was_published_in_the_future_was_published_by_the_time_it_came(
    dedupe: Dedupe, ahead: timedelta
) -> None:
    world = World(dedupe)
    hasty = event(12, published_at=NOW + ahead)
    world.answer(hasty, Acknowledgement(NOW, "DOC-1"))

    result = world.forward(world.store(hasty, at=NOW))

    assert (result.forwarded, world.state(hasty).applied_at) == (refs(hasty), NOW)


@BOTH
def test_a_placeholder_that_the_erp_fills_in_later_is_believed_then(dedupe: Dedupe) -> None:
    world = World(dedupe)
    world.answer(SHIPPED, Acknowledgement(datetime(1970, 1, 1, tzinfo=UTC), ""))
    world.erp.look_ups[MOVEMENT] = ACK

    result = world.forward(world.store(SHIPPED))

    assert result.forwarded == [SHIPPED.ref]
    assert world.state(SHIPPED).applied_at == ACK.applied_at
    assert world.booked() == [MOVEMENT]


@BOTH
@pytest.mark.parametrize("skew", [-ERP_CLOCK_SKEW, ERP_CLOCK_SKEW])
def test_clocks_may_differ_by_the_allowed_skew(dedupe: Dedupe, skew: timedelta) -> None:
    world = World(dedupe)
    applied_at = (SHIPPED.published_at if skew < timedelta(0) else NOW) + skew
    world.answer(SHIPPED, Acknowledgement(applied_at, "DOC-1"))
    assert world.forward(world.store(SHIPPED)).forwarded == [SHIPPED.ref]
    assert world.state(SHIPPED).applied_at == applied_at


def test_an_event_that_cannot_be_read_is_quarantined_and_the_sweep_goes_on() -> None:
    world = World()
    world.store(SHIPPED, event(13))
    world.log.spoil(SHIPPED.ref)

    assert world.sweep().forwarded == [event(13).ref]

    [entry] = world.quarantine.entries
    assert (entry.reason, entry.ref, entry.received_at) == (
        "unreadable_record",
        SHIPPED.ref,
        NOW - HOUR,
    )
    assert world.observer.counts["RecordsUnreadable"] == 1
    world.quarantine.fails_with = RetriableError("throttled")
    assert world.sweep().later == []


def test_what_the_erp_rejects_is_quarantined_with_its_reason() -> None:
    world = World()
    world.answer(SHIPPED, NO)

    world.forward(world.store(SHIPPED))

    [entry] = world.quarantine.entries
    assert (entry.reason, entry.detail, entry.ref) == (
        "rejected_by_erp",
        "unknown article",
        SHIPPED.ref,
    )
    assert (entry.body, entry.received_at) == (b"", NOW - HOUR)
    state = world.state(SHIPPED)
    assert (state.rejected_reason, state.applied_at) == ("unknown article", None)
    assert world.log.is_open(SHIPPED.ref)
    assert world.observer.counts["EventsQuarantined"] == 1


def test_an_allocation_that_the_erp_rejects_is_quarantined_too() -> None:
    world, found = World(), event(12, name=ITEMS_ASSIGNED)
    world.erp.allocation_answers["ff12"] = NO

    result = world.forward(world.store(found))

    assert (result.rejected, result.forwarded) == (refs(found), [])
    assert world.state(found).rejected_reason == "unknown article"


def test_a_rejection_that_cannot_be_kept_is_not_noted() -> None:
    world = World()
    world.answer(SHIPPED, NO)
    world.quarantine.fails_with = RetriableError("throttled")

    with pytest.raises(RetriableError):
        world.forward(world.store(SHIPPED))

    assert world.state(SHIPPED).rejected_reason is None


def test_events_are_booked_in_order_of_location_and_logical_timestamp() -> None:
    world = World()
    events = [event(12, at="B"), event(11, at="B"), event(13, at="A")]
    stored = world.store(*events)

    world.forward(reversed(stored))

    assert world.booked() == [movement_id(found) for found in (events[2], events[1], events[0])]


# The sweep


def test_the_sweep_forwards_what_the_stream_left_behind() -> None:
    world = World()
    old, fresh = event(11), event(12)
    world.store(old, at=NOW - MINUTE)
    world.store(fresh, at=NOW - MINUTE + timedelta(microseconds=1))

    result = world.sweep()

    assert result.forwarded == refs(old)


def test_the_sweep_leaves_out_what_is_forwarded_or_rejected() -> None:
    world = World()
    world.answer(SHIPPED, NO)
    world.forward(world.store(SHIPPED, event(11)))
    world.erp.posted.clear()

    result = world.sweep()

    assert (result.forwarded, result.rejected, world.booked()) == ([], [], [])


def test_the_sweep_begins_with_what_has_waited_longest() -> None:
    world = World()
    first, second = event(12), event(11)
    world.store(first, at=NOW - 2 * HOUR)
    world.store(second, at=NOW - HOUR)

    world.sweep()

    assert world.observer.counts["OldestUnappliedSeconds"] == 7200


def test_the_age_of_the_oldest_is_nothing_where_none_waits() -> None:
    world = World()
    world.sweep()

    assert world.observer.counts["OldestUnappliedSeconds"] == 0


def test_the_sweep_counts_what_is_open_and_what_is_in_quarantine() -> None:
    world = World()
    world.answer(SHIPPED, NO)
    world.forward(world.store(SHIPPED, event(11), event(10, name=ITEMS_ASSIGNED)))

    world.sweep()

    counts = world.observer.counts
    assert (counts["OpenEvents"], counts["QuarantineDepth"]) == (2, 1)


def test_a_quarantine_that_cannot_be_counted_does_not_stop_the_sweep() -> None:
    world = World()
    world.store(SHIPPED)
    world.quarantine.fails_with = RetriableError("throttled")

    result = world.sweep()

    assert result.forwarded == refs(SHIPPED)
    assert "QuarantineDepth" not in world.observer.counts
    assert world.observer.notes[0][0] == "quarantine not counted"


def test_the_fullest_location_is_counted() -> None:
    world = World()
    world.log.gigabytes = {"A": 2.0, "B": 7.5}

    world.forward(world.store(event(10, at="A"), event(11, at="B"), event(12, at="C")))

    assert world.observer.counts["LocationGigabytes"] == 7.5


# A location of which DynamoDB takes no more


@BOTH
def test_a_full_location_holds_up_only_its_own_events(dedupe: Dedupe) -> None:
    world = World(dedupe)
    stuck, other = event(10, at="A"), event(11, at="B")
    waiting = world.store(stuck, other)
    world.log.full = {"A"}

    result = world.forward(waiting)

    assert (result.later, result.forwarded) == (refs(stuck), refs(other))
    assert world.observer.counts["LocationGigabytes"] >= LOCATION_GIGABYTES_MAX
    [(_, figures)] = [note for note in world.observer.notes if note[0] == "event to retry"]
    assert figures["event_ref"] == stuck.ref
    assert "Location full" in str(figures["reason"])


def test_what_an_erp_would_book_twice_is_not_posted_where_its_claim_is_refused() -> None:
    world = World(Dedupe.LOOKUP)
    waiting = world.store(event(10, at="A"))
    world.log.full = {"A"}

    world.forward(waiting)
    assert world.booked() == []

    world.log.full = set()
    assert world.forward(waiting).forwarded == [waiting[0].event.ref]
    assert len(world.booked()) == 1


def test_a_slow_erp_s_answer_for_a_full_location_waits_once() -> None:
    world = World()
    stuck, other = event(10, at="A"), event(11, at="B")
    waiting = world.store(stuck, other)
    world.erp.meanwhile = lambda: world.clock.advance(MINUTE)
    world.log.full = {"A"}

    result = world.forward(waiting)

    assert (result.later, result.forwarded) == (refs(stuck), refs(other))
    assert world.state(stuck).applied_at is None
    assert world.state(other).applied_at is not None


def test_what_the_erp_rejects_of_a_full_location_is_in_quarantine_and_waits() -> None:
    world = World()
    stuck = event(10, at="A")
    waiting = world.store(stuck)
    world.answer(stuck, NO)
    world.log.full = {"A"}

    result = world.forward(waiting)

    assert (result.later, result.rejected) == (refs(stuck), [])
    assert [entry.ref for entry in world.quarantine.entries] == refs(stuck)


# The trail in the logs


def test_a_forwarded_event_leaves_its_movement_and_the_erp_s_document() -> None:
    world, reserved = World(), event(11, name=ITEMS_ASSIGNED)

    world.forward(world.store(SHIPPED, reserved))

    names = {"movement_id": MOVEMENT, "document_id": "DOC-1"}
    assert sorted(world.observer.notes, key=str) == [
        ("event forwarded", {"event_ref": reserved.ref}),
        ("event forwarded", {"event_ref": SHIPPED.ref, **names}),
    ]


def test_the_document_of_what_is_booked_is_in_the_line_of_the_allocation_to_retry() -> None:
    world = World()
    world.erp.allocation_answers["ff12"] = BUSY

    world.forward(world.store(SHIPPED))

    [(message, figures)] = world.observer.notes
    assert (message, figures["what"], figures["reason"]) == ("event to retry", "allocation", "503")
    assert (figures["movement_id"], figures["document_id"]) == (MOVEMENT, "DOC-1")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (BUSY, ("event to retry", "503")),
        (NO, ("event rejected", "unknown article")),
    ],
)
def test_what_the_erp_did_not_take_is_logged_with_its_reason(
    answer: MovementOutcome, said: tuple[str, str]
) -> None:
    world = World()
    world.answer(SHIPPED, answer)

    world.forward(world.store(SHIPPED))

    [(message, figures)] = world.observer.notes
    assert (message, figures["reason"]) == said
    assert (figures["event_ref"], figures["movement_id"]) == (SHIPPED.ref, MOVEMENT)


def test_the_sweep_adds_up_its_batches() -> None:
    world = World()
    events = [event(n) for n in range(BATCH_EVENTS_MAX + 5)]
    world.answer(events[0], NO)
    world.answer(events[-1], BUSY)
    world.store(*events)

    result = world.sweep()

    assert (len(result.forwarded), len(result.rejected), len(result.later)) == (
        BATCH_EVENTS_MAX + 3,
        1,
        1,
    )


def test_the_sweep_begins_no_batch_without_time_for_it() -> None:
    world = World()
    world.store(*[event(n) for n in range(8)])
    times = iter((900.0, 10.0, 9.9))

    result = world.forward.sweep(lambda: next(times))

    assert len(result.forwarded) == 1 + 2
    assert world.observer.notes[-1] == ("sweep out of time", {"left": 5})


# An ERP that takes its time


class TimeUpError(BaseException):
    """Lambda has ended the invocation: nothing is cleaned up."""


class SlowErp(BookingErp):
    """Each movement and each change takes it `seconds`; the invocation ends at `end`."""

    def __init__(self, clock: FakeClock, seconds: float) -> None:
        super().__init__(Dedupe.NATIVE)
        self.clock, self.seconds, self.end = clock, seconds, 0.0

    def post_movements(self, movements: list[StockMovement]) -> list[MovementOutcome]:
        self._work(len(movements))
        return super().post_movements(movements)

    def change_allocations(self, changes: list[AllocationChange]) -> list[AllocationOutcome]:
        self._work(len(changes))
        return super().change_allocations(changes)

    def _work(self, entries: int) -> None:
        self.clock.advance(self.seconds * entries)
        if self.clock.monotonic() > self.end:
            raise TimeUpError

    def within(self, seconds: float) -> Callable[[], float]:
        self.end = self.clock.monotonic() + seconds
        return lambda: self.end - self.clock.monotonic()


def slow_world(seconds: float) -> tuple[World, SlowErp]:
    world = World()
    slow = SlowErp(world.clock, seconds)
    world.erp = slow
    erp: Any = slow
    world.forward = replace(world.forward, erp=erp)
    return world, slow


@pytest.mark.parametrize("seconds", [0.5, 4, 11, 50, 70, 110])
def test_every_sweep_marks_something_however_slow_the_erp_is(seconds: float) -> None:
    world, slow = slow_world(seconds)
    world.store(*[event(n) for n in range(30)])
    marked = [0]

    while any(found.forwarded_at is None for found in world.log.open_events()):
        with suppress(TimeUpError):
            world.forward.sweep(slow.within(120))
        states = list(world.log.open_events())
        marked.append(sum((e.applied_at is not None) + bool(e.forwarded_at) for e in states))
        assert marked[-1] > marked[-2]

    assert marked[-1] == 2 * 30


def test_events_of_another_writer_do_not_make_the_first_batch_for_a_slow_erp_larger() -> None:
    """Simulation seed 8357: a sweep asked a slow ERP about several events at once."""
    world, slow = slow_world(40)
    slow.dedupe = Dedupe.LOOKUP
    events = [event(n) for n in range(10)]
    world.store(*events)
    for claimed in events[:3]:
        world.log.claim(claimed.ref, now=world.clock.now(), until=world.clock.now() + HOUR)

    with suppress(TimeUpError):
        world.forward.sweep(slow.within(120))

    assert world.state(events[3]).applied_at is not None


def test_events_that_the_erp_hangs_on_keep_no_others_from_it() -> None:
    world, slow = slow_world(0)
    events = [event(n) for n in range(12)]
    hanging = {movement_id(found) for found in events[:4]}
    world.store(*events)

    def hang(movements: list[StockMovement]) -> list[MovementOutcome]:
        slow.seconds = 200 if hanging & {m.movement_id for m in movements} else 0
        return SlowErp.post_movements(slow, movements)

    slow.post_movements = hang  # type: ignore[method-assign]
    for _ in range(len(events)):
        with suppress(TimeUpError):
            world.forward.sweep(slow.within(120))
        world.clock.advance(MINUTE)

    assert all(world.state(found).forwarded_at for found in events[4:])


def test_a_quick_erp_gets_large_batches_after_a_few_small_ones() -> None:
    world, sizes = World(), []
    world.erp.meanwhile = lambda: sizes.append(len(world.booked()))
    world.store(*[event(n) for n in range(400)])

    world.sweep()

    assert [after - before for before, after in pairwise(sizes)] == [
        1,
        2,
        4,
        8,
        16,
        32,
        64,
        100,
        100,
    ]


def test_what_a_slow_erp_has_booked_is_marked_before_it_is_asked_for_the_allocation() -> None:
    world, slow = slow_world(60)
    events = world.store(SHIPPED)

    slow.within(90)
    with pytest.raises(TimeUpError):
        world.forward(events)

    assert (world.state(SHIPPED).applied_at, world.state(SHIPPED).forwarded_at) == (
        ACK.applied_at,
        None,
    )
    slow.within(90)
    assert world.forward(list(world.log.open_events())).forwarded == refs(SHIPPED)
    assert world.booked() == [MOVEMENT]


def test_what_a_quick_erp_has_booked_is_marked_in_one_write_with_its_allocation() -> None:
    world = World()
    events = world.store(SHIPPED)
    world.log.mark_applied = lambda *_: pytest.fail("a second write")  # type: ignore[method-assign]

    assert world.forward(events).forwarded == refs(SHIPPED)


# Beside another system


def shadow(world: World, go_live_at: datetime | None = None) -> World:
    rule = AppliedRule(other_system_lag=HOUR, go_live_at=go_live_at)
    books: Any = BookedElsewhere()
    world.forward = replace(world.forward, rule=rule, erp=books, shadow=True)
    return world


def test_a_shadow_marks_everything_and_posts_nothing() -> None:
    """Its books are such that a post would raise."""
    world = shadow(World())
    events = [
        event(10, name=ITEMS_ASSIGNED), event(11), event(12, name=ITEMS_FAILED)
    ]  # fmt: skip

    result = world.forward(world.store(*events))

    assert result.forwarded == refs(*events)
    assert [world.log.is_open(one.ref) for one in events] == [False, True, False]
    assert world.state(events[1]).applied_at is None


def test_a_shadow_knows_which_event_owns_a_unit() -> None:
    world = shadow(World())
    items = (FulfillmentItem("a", "A"), FulfillmentItem("b", "B"))
    first = event(10, items=items[:1], fulfillment_request_id="ff")
    both = event(12, items=items, fulfillment_request_id="ff")

    world.forward(world.store(first, both))

    assert world.state(both).owned == frozenset({"b"})


def test_what_ships_from_go_live_on_a_shadow_leaves_for_the_live_stack() -> None:
    world = shadow(World(), go_live_at=LIVE_AT)
    theirs, ours = event(10, published_at=LIVE_AT - MINUTE), event(11, published_at=LIVE_AT)
    mixed = event(
        12,
        items=(
            FulfillmentItem("a", "A", shipped_at=LIVE_AT - MINUTE),
            FulfillmentItem("b", "B", shipped_at=LIVE_AT),
        ),
    )
    order = event(13, name=ITEMS_ASSIGNED, published_at=LIVE_AT)

    result = world.forward(world.store(theirs, ours, mixed, order))

    assert (result.forwarded, result.later) == (refs(theirs), [])
    assert world.state(ours).forwarded_at is None


def test_the_live_stack_books_that_and_nothing_of_the_shadows_time() -> None:
    world = World()
    rule = AppliedRule(other_system_lag=HOUR, go_live_at=LIVE_AT)
    world.forward = replace(world.forward, rule=rule)
    items = (
        FulfillmentItem("a", "A", shipped_at=LIVE_AT - MINUTE),
        FulfillmentItem("b", "B", shipped_at=LIVE_AT),
    )
    before = event(10, published_at=LIVE_AT - MINUTE)
    order = event(11, name=ITEMS_ASSIGNED, published_at=LIVE_AT - MINUTE)

    result = world.forward(world.store(before, order, event(12, items=items, published_at=NOW)))

    assert len(result.forwarded) == 3
    assert world.erp.lines == ["b"]
    assert {change.logical_timestamp for change in world.erp.changes} == {12}


def test_where_the_mode_leaves_a_gap_nothing_is_booked() -> None:
    def refuse() -> None:
        raise FatalError("a gap")

    world = World()
    world.forward = replace(world.forward, mode_check=refuse)

    with pytest.raises(FatalError):
        world.forward(world.store(FIRST))

    assert (world.booked(), world.state(FIRST).forwarded_at) == ([], None)
