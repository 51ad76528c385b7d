"""The search finds what is planted, and nothing where nothing is; `make exhaust` searches more."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.exhaust.__main__ import DEPTH_MAX
from tests.exhaust.fork import forked
from tests.exhaust.plans import FORWARD
from tests.exhaust.planted import ItemsOfTheirOwn, ReadThenWrite, owners_in_two_steps
from tests.exhaust.search import Budget, Plan, Search
from tests.exhaust.small_world import KEY, Adapter, Rules, SmallWorld
from tests.simulation.mutants import MUTANTS

WHOLE = frozenset[str]()
SHORT = Plan("deliveries", Budget(forwards=1, ticks=1, waits=1), WHOLE)
FORWARDERS = Plan(
    "two forwarders", Budget(forwards=2), FORWARD, shipped_first=True, forwarders_at_once=2
)
PATCHED = {mutant.name: mutant.patched for mutant in MUTANTS}


@pytest.fixture(autouse=True)
def deep() -> Iterator[None]:
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(DEPTH_MAX)
    yield
    sys.setrecursionlimit(before)


@pytest.mark.parametrize("plan", [SHORT, FORWARDERS], ids=lambda plan: plan.name)
def test_every_invariant_holds_in_every_state(plan: Plan) -> None:
    found = Search(plan)()

    assert (found.violation, found.figures, found.story) == ("", "", [])
    assert found.states > 200
    assert found.paths > found.states


@pytest.mark.parametrize(
    ("plan", "broken"),
    [
        (replace(FORWARDERS, owners=ItemsOfTheirOwn), {"applied_once"}),
        (replace(FORWARDERS, owners=ReadThenWrite), {"applied_once"}),
        (replace(SHORT, rules=Rules(settle=timedelta(0), cumulative=False)), {"never_oversell"}),
    ],
    ids=["every event's items booked", "owned by read-then-write", "no settle window"],
)
def test_what_is_planted_in_a_port_is_found(plan: Plan, broken: set[str]) -> None:
    found = Search(plan, owners_in_two_steps)()

    assert found.violation in broken
    assert found.story


@pytest.mark.parametrize(
    "name",
    [
        "every event's items counted",
        "no subtraction",
    ],
)
def test_what_is_planted_in_the_code_is_found(name: str) -> None:
    with PATCHED[name]():
        found = Search(SHORT)()

    assert found.violation in {"never_oversell", "converges", "resumable"}
    assert found.story


def test_a_copy_shares_nothing_that_can_change() -> None:
    world = SmallWorld(Rules())
    copy = forked(world)

    copy.ship()
    [ref] = copy.completed
    copy.deliver(ref)
    copy.wait()
    search = Search(SHORT)
    search.adapter = Adapter(Rules())
    search._run(copy, "sweep")
    search._run(copy, "import")
    copy.newstore.work_off()

    assert (world.shipped, world.physical[KEY], world.newstore_model.atp(KEY)) == (0, 5, 3)
    assert world.event_log_store.refs() == []
    assert world.erp_model.on_hand(KEY) == 5
    assert world.newstore_model.jobs.by_id == {}
    assert world.runs.head().run is None
    assert copy.erp_model.on_hand(KEY) == 4
    assert [job.state for job in copy.newstore_model.jobs.by_id.values()] == ["finished"]
    assert copy.newstore_model.atp(KEY) == 3
