"""Which failed publications are asked for again, and how often."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from inventory_sync.domain.publications import (
    AT_ONCE_MAX,
    FIRST_LOOK,
    LOOK_BACK_MAX,
    OVERLAP,
    TRIES_KEPT,
    TRIES_MAX,
    Publication,
    PublicationMemory,
    Tries,
    not_done,
    plan_retries,
)

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
NEVER = PublicationMemory()


def failed(number: int = 1, *, entity: str = "", age: timedelta = MINUTE) -> Publication:
    return Publication(
        publication_id=f"p-{number}",
        event_name="fulfillment_request.items_completed",
        entity_id=entity or f"ff{number}",
        domain_entity_id="order-1",
        attempted_at=NOON - age,
    )


def test_what_newstore_has_given_up_is_asked_for_once() -> None:
    plan = plan_retries([failed()], NEVER, NOON)
    again = plan_retries([failed()], plan.memory, NOON + MINUTE)

    assert (plan.retry, plan.given_up) == ((failed(),), ())
    assert (again.retry, again.given_up) == ((), ())


def test_what_newstore_still_repeats_and_other_events_are_left_alone() -> None:
    repeated = replace(failed(1), retries_remaining=3)
    other = replace(failed(2), event_name="order.created")

    assert plan_retries([repeated, other], NEVER, NOON).retry == ()


def test_an_event_that_fails_again_is_given_up_after_a_few_tries() -> None:
    memory, retried, given_up = NEVER, 0, 0
    for number in range(1, TRIES_MAX + 3):
        plan = plan_retries([failed(number, entity="ff")], memory, NOON + number * MINUTE)
        memory, retried = plan.memory, retried + len(plan.retry)
        given_up += len(plan.given_up)

    assert (retried, given_up) == (TRIES_MAX, 2)


def test_what_has_no_id_cannot_be_asked_for() -> None:
    nameless = replace(failed(), publication_id="")
    plan = plan_retries([nameless], NEVER, NOON)

    assert (plan.retry, plan.given_up) == ((), (nameless,))
    assert plan_retries([nameless], plan.memory, NOON).given_up == ()


def test_a_flood_is_worked_off_in_portions_the_oldest_first() -> None:
    flood = [failed(n, age=(100 - n) * timedelta(seconds=1)) for n in range(AT_ONCE_MAX + 5)]
    first = plan_retries(reversed(flood), NEVER, NOON)
    listed = [p for p in flood if p.attempted_at >= first.memory.since(NOON)]
    second = plan_retries(listed, first.memory, NOON)

    assert first.retry == tuple(flood[:AT_ONCE_MAX])
    assert second.retry == tuple(flood[AT_ONCE_MAX:])
    assert second.memory.looked_until == NOON


def test_what_could_not_be_done_is_tried_by_the_next_look() -> None:
    plan = plan_retries([failed(1, age=3 * MINUTE), failed(2)], NEVER, NOON)
    left = not_done(plan.memory, plan.retry[1:])
    again = plan_retries([failed(1, age=3 * MINUTE), failed(2)], left, NOON + MINUTE)

    assert again.retry == (failed(2),)
    assert again.memory.tries[failed(2).event_key].count == 1
    assert not_done(plan.memory, ()) == plan.memory


def test_the_list_is_read_from_the_last_look_on_with_an_overlap() -> None:
    looked = PublicationMemory(looked_until=NOON - MINUTE)
    long_ago = PublicationMemory(looked_until=NOON - timedelta(days=60))

    assert NEVER.since(NOON) == NOON - FIRST_LOOK
    assert looked.since(NOON) == NOON - MINUTE - OVERLAP
    assert long_ago.since(NOON) == NOON - LOOK_BACK_MAX


def test_the_memory_stays_small() -> None:
    memory = plan_retries([failed()], NEVER, NOON).memory
    later = plan_retries([], memory, NOON + TRIES_KEPT + MINUTE).memory

    assert (later.seen, later.tries) == ({}, {})


def test_the_figures_are_these() -> None:
    day = timedelta(days=1)

    assert (15 * MINUTE, day, 7 * day, 7 * day) == (OVERLAP, FIRST_LOOK, LOOK_BACK_MAX, TRIES_KEPT)
    assert (AT_ONCE_MAX, TRIES_MAX) == (50, 3)


def test_a_flood_is_listed_again_from_the_first_that_was_left() -> None:
    flood = [failed(n, age=(100 - n) * MINUTE) for n in range(AT_ONCE_MAX + 5)]

    memory = plan_retries(flood, NEVER, NOON).memory

    assert memory.looked_until == flood[AT_ONCE_MAX].attempted_at


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_try_that_was_not_made_does_not_count(count: int) -> None:
    tried = PublicationMemory(tries={failed().event_key: Tries(count, NOON)})

    assert not_done(tried, [failed()]).tries == {failed().event_key: Tries(count - 1, NOON)}


def test_what_was_left_before_is_not_forgotten_for_what_could_not_be_done() -> None:
    before = PublicationMemory(
        looked_until=NOON - 10 * MINUTE, tries={failed().event_key: Tries(1, NOON)}
    )

    assert not_done(before, [failed()]).looked_until == NOON - 10 * MINUTE


def test_attempts_are_remembered_for_as_long_as_they_may_be_listed_again() -> None:
    tick = timedelta(microseconds=1)
    ages = {"old": 2 * OVERLAP + tick, "kept": 2 * OVERLAP}
    memory = PublicationMemory(seen={name: NOON - age for name, age in ages.items()})

    assert set(plan_retries([], memory, NOON).memory.seen) == {"kept"}


def test_tries_are_forgotten_after_their_time() -> None:
    tick = timedelta(microseconds=1)
    tries = {"old": Tries(1, NOON - TRIES_KEPT), "kept": Tries(1, NOON - TRIES_KEPT + tick)}

    assert set(plan_retries([], PublicationMemory(tries=tries), NOON).memory.tries) == {"kept"}
