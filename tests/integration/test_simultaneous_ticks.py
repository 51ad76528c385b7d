"""one_import: however many ticks come at once, one of them imports.

moto has no lock of its own, so `crashing` makes each call to AWS atomic, as AWS does; between two
calls the threads run as they like.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from tests.integration.crashing import CALLS, Moment
from tests.integration.story import DC, NYC, Story, story

TICKS = 20
LEASED_BY = 2
"""Calls: the first asks whether a shadow went before, the second takes the lease."""


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[Story]:
    with story(monkeypatch) as told:
        told.take_in(told.ship("ff1", DC, "SKU-1"), told.ship("ff2", NYC, "SKU-2"))
        told.let_settle()
        yield told


def test_twenty_simultaneous_ticks_make_one_job(told: Story) -> None:
    barrier = Barrier(TICKS)

    def run(sandbox: Story) -> dict[str, Any]:
        barrier.wait()
        return sandbox.tick()

    sandboxes = [told.another_sandbox() for _ in range(TICKS)]
    with ThreadPoolExecutor(TICKS) as threads:
        answers = list(threads.map(run, sandboxes))

    assert {answer["outcome"] for answer in answers} == {"ended", "lease_held"}
    assert len(told.newstore.jobs.by_id) == 1
    told.go_on_until_finalized(1)
    told.holds_the_truth()


def test_a_tick_that_comes_at_any_call_of_another_leaves_everything_to_it(told: Story) -> None:
    second = told.another_sandbox()
    outcomes = []

    def on_call(at: int, moment: Moment, name: str) -> None:
        if moment is Moment.AFTER and at == LEASED_BY:
            assert told.newstore.jobs.by_id == {}
        if moment is Moment.BEFORE and at > LEASED_BY:
            outcomes.append(second.tick()["outcome"])

    with CALLS.watching(on_call) as names:
        assert told.tick()["outcome"] == "ended"

    assert {"TransactWriteItems", "PutObject", "POST /v0/d/import"} <= set(names)
    assert outcomes == ["lease_held"] * (len(names) - LEASED_BY)
    assert len(told.newstore.jobs.by_id) == 1
    assert told.settled()
    told.holds_the_truth()
