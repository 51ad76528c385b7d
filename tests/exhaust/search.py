"""Every order of a plan's steps: a search over states, each looked at once."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import Any, NamedTuple, cast

from inventory_sync.domain.errors import LeaseLostError, OutcomeUnknownError, RetriableError
from inventory_sync.domain.events import EventRef
from tests.exhaust.digest import digest, world_text
from tests.exhaust.fork import forked
from tests.exhaust.invocations import Answer, Call, Ended, Invocation, Invocations
from tests.exhaust.small_world import UNITS, WAIT, Adapter, Rules, SmallWorld
from tests.simulation.invariants import Invariants, Violation

FORGIVABLE = (RetriableError, OutcomeUnknownError, LeaseLostError)
HOUR = timedelta(hours=1)
CLOSING_ROUNDS_MAX = 5
SHARED = {
    "erp.post_movements", "erp.look_up", "erp.snapshot", "newstore.start_job", "newstore.job",
}  # fmt: skip
"""Calls, besides those of the events and the owners, that others can tell the order of."""
READ_ALONE = {
    "clock.now", "clock.monotonic", "erp.capabilities", "runs.head", "leases.acquire",
    "newstore.locations", "newstore.received_jobs", "newstore.job_errors", "files.archive_uri",
    "files.manifest", "files.ledger", "files.latest_ledger", "files.finalization",
    "locations.locations", "locations.approvals", "locations.resends", "locations.operator_holds",
    "locations.holds", "event_log.unreadable_events", "clock.sleep",
}  # fmt: skip
"""Calls that only read what nobody else writes: a crash there is one at the next call. A lease,
once taken, is the tick's alone until time goes by."""
LOSABLE = {
    "erp.post_movements", "erp.look_up", "erp.change_allocations", "newstore.create_job",
    "newstore.start_job",
}  # fmt: skip


class Budget(NamedTuple):
    """How often each kind of step may still be taken."""

    forwards: int = 0
    ticks: int = 0
    waits: int = 0
    crashes: int = 0
    lost_answers: int = 0
    repeats: int = 0
    replays: int = 0


@dataclass(frozen=True)
class Plan:
    """One search. `stepwise` are the use cases that others may come between, call by call; the
    others run to their end in one step. With `shipped_first` all units have left at the start.
    """

    name: str
    budget: Budget
    stepwise: frozenset[str]
    shipped_first: bool = False
    forwarders_at_once: int = 1
    rules: Rules = field(default_factory=Rules)
    owners: Callable[[Any], Any] = lambda port: port


@dataclass(frozen=True)
class State:
    """Nothing in it changes: a step makes another."""

    world: SmallWorld
    budget: Budget
    running: tuple[Invocation, ...] = ()
    story: tuple[Any, ...] = ()


@dataclass
class Found:
    """What came of a search. `paths` are the orders that lead to an end."""

    states: int = 0
    steps: int = 0
    ends: int = 0
    paths: int = 0
    violation: str = ""
    figures: str = ""
    story: list[str] = field(default_factory=list)


class Search:
    """Depth first."""

    def __init__(self, plan: Plan, adapt: Callable[[Any], None] = lambda world: None) -> None:
        self.plan = plan
        self.adapter = Adapter(plan.rules, owners=plan.owners)
        self.invocations = Invocations(self.adapter.begin)
        self.found = Found()
        self._paths: dict[bytes, int] = {}
        self._adapt = adapt

    def __call__(self) -> Found:
        world = SmallWorld(self.plan.rules)
        self._adapt(world)
        for _ in UNITS if self.plan.shipped_first else ():
            world.ship()
        state = State(world, self.plan.budget)
        try:
            self.found.paths = self._visit(state)
        except _FoundViolationError as found:
            violation, state = found.violation, found.state
            self.found.violation, self.found.figures = violation.name, violation.figures
            self.found.story = _told(state.story)
        return self.found

    def _visit(self, state: State) -> int:
        """The number of paths from here to an end."""
        key = self._digest(state)
        known = self._paths.get(key)
        if known is not None:
            return known
        self.found.states += 1
        paths = 0
        for label, following in self._steps(state):
            self.found.steps += 1
            paths += self._visit(self._looked_at(label, state, following))
        if not paths:
            self.found.ends += 1
            self._close(state)
            paths = 1
        self._paths[key] = paths
        return paths

    def _digest(self, state: State) -> bytes:
        running = sorted(map(self.invocations.text, state.running))
        return digest(world_text(state.world), repr(tuple(state.budget)), *running)

    def _looked_at(self, label: str, before: State, state: State) -> State:
        state = replace(state, story=(label, before.story))
        try:
            _look(state.world)
        except Violation as violation:
            raise _FoundViolationError(violation, state) from None
        return state

    # Steps

    def _steps(self, state: State) -> Iterator[tuple[str, State]]:
        for invocation in state.running:
            yield from self._steps_of(state, invocation)
        yield from self._steps_of_the_world(state)
        yield from self._begun(state)

    def _steps_of_the_world(self, state: State) -> Iterator[tuple[str, State]]:
        world, budget = state.world, state.budget
        if world.shipped < len(UNITS):
            yield "a unit is shipped", _changed(state, lambda w: w.ship())
        for ref, completed in sorted(world.completed.items()):
            number = completed.event.logical_timestamp
            if completed.stored_at is None:
                yield (
                    f"{number} is delivered",
                    _changed(state, partial(self._deliver, ref)),
                )
                continue
            if budget.repeats and world.event_log_store.state_of(ref):
                spent = budget._replace(repeats=budget.repeats - 1)
                yield (
                    f"{number} is delivered again",
                    _changed(state, partial(self._deliver, ref), spent),
                )
            if budget.replays and not world.event_log_store.is_open(ref):
                spent = budget._replace(replays=budget.replays - 1)
                yield (
                    f"{number} is replayed after its record expired",
                    _changed(state, partial(self._replay, ref), spent),
                )
        if budget.waits:
            spent = budget._replace(waits=budget.waits - 1)
            # No invocation lasts so long.
            yield "time goes by", replace(_changed(state, lambda w: w.wait(), spent), running=())
        if any(job.state == "waiting" for job in world.newstore_model.jobs.by_id.values()):
            yield "NewStore works off a job", _changed(state, lambda w: w.newstore.work_off())

    def _deliver(self, ref: EventRef, world: SmallWorld) -> None:
        if world.deliver(ref):
            world.stream.append(self.adapter.note(world.event_log_store.state_of(ref)))

    def _replay(self, ref: EventRef, world: SmallWorld) -> None:
        world.wait(HOUR)
        world.expire(ref)
        self._deliver(ref, world)

    def _begun(self, state: State) -> Iterator[tuple[str, State]]:
        importing = [i for i in state.running if i.name == "import"]
        if state.budget.ticks and not importing:
            spent = state.budget._replace(ticks=state.budget.ticks - 1)
            yield from self._begin(state, "import", spent)
        forwarding = len(state.running) - len(importing)
        if not state.budget.forwards or forwarding >= self.plan.forwarders_at_once:
            return
        spent = state.budget._replace(forwards=state.budget.forwards - 1)
        for name in self._batches(state.world):
            yield from self._begin(state, name, spent)

    def _batches(self, world: SmallWorld) -> list[str]:
        """What the stream may bring: a record by itself, or all."""
        if "forward" not in self.plan.stepwise:
            return ["sweep"] if world.stream else []
        return [*world.stream, *(["+".join(world.stream)] if len(world.stream) > 1 else [])]

    def _begin(self, state: State, name: str, spent: Budget) -> Iterator[tuple[str, State]]:
        world = forked(state.world)
        use_case = name if name == "import" else "forward"
        if use_case not in self.plan.stepwise:
            try:
                self._run(world, name)
            except Violation as violation:
                raise _FoundViolationError(violation, state) from None
            yield f"{name} from beginning to end", replace(state, world=world, budget=spent)
            return
        begun = replace(state, world=world, budget=spent)
        yield from self._go_on(f"{name} begins", begun, Invocation(name))

    def _steps_of(self, state: State, invocation: Invocation) -> Iterator[tuple[str, State]]:
        """The call that it waits for, and what comes of it up to the next."""
        call = self.invocations.next_of(invocation)
        assert isinstance(call, Call)
        running = list(state.running)
        running.remove(invocation)
        without = replace(state, running=tuple(running))
        what = f"{invocation.name}: {call.label}"
        world = forked(state.world)
        told = self.invocations.told(invocation, world.perform(call))
        yield from self._go_on(what, replace(without, world=world), told)
        yield from self._cut_off(what, without, invocation, call)

    def _go_on(
        self, what: str, state: State, invocation: Invocation
    ) -> Iterator[tuple[str, State]]:
        """Up to the next call that others can tell the order of; `state` is without it."""
        world = state.world
        cut: list[tuple[str, State, Invocation, Call]] = []

        def meet(met: Invocation, call: Call) -> Answer | None:
            if _shared(call):
                return None
            if call.label not in READ_ALONE and (state.budget.crashes or state.budget.lost_answers):
                here = replace(state, world=forked(world))
                cut.append((f"{what}, then {call.label}", here, met, call))
            return world.perform(call)

        invocation = self.invocations.go_on(invocation, meet)
        yield what, self._with(state, invocation)
        for text, here, met, call in cut:
            yield from self._cut_off(text, here, met, call)

    def _cut_off(
        self, what: str, state: State, invocation: Invocation, call: Call
    ) -> Iterator[tuple[str, State]]:
        """A crash before the call, or its answer lost; a crash after it is one before the next."""
        budget = state.budget
        if budget.crashes:
            spent = budget._replace(crashes=budget.crashes - 1)
            yield f"{what}: crash before", replace(state, budget=spent)
        if budget.lost_answers and call.label in LOSABLE:
            spent = budget._replace(lost_answers=budget.lost_answers - 1)
            for before in (True, False):
                world = forked(state.world)
                told = self.invocations.told(invocation, world.lose_answer(call, before=before))
                there = replace(state, world=world, budget=spent)
                when = "before" if before else "after"
                yield from self._go_on(f"{what}: cut {when}", there, told)

    def _with(self, state: State, invocation: Invocation) -> State:
        """With the invocation beside the others, unless it has ended."""
        following = self.invocations.next_of(invocation)
        if isinstance(following, Call):
            return replace(state, running=(*state.running, invocation))
        _note_error(state.world, following)
        return state

    def _run(self, world: SmallWorld, name: str) -> None:
        """From beginning to end."""

        def meet(_: Invocation, call: Call) -> Answer:
            return world.perform(call)

        ended = self.invocations.next_of(self.invocations.go_on(Invocation(name), meet))
        assert isinstance(ended, Ended)
        _note_error(world, ended)
        _look(world)

    # The end

    def _close(self, state: State) -> None:
        """No more faults: within a few rounds everything is exact and at rest."""
        world = forked(state.world)
        last: Violation | None = None
        try:
            for _ in range(CLOSING_ROUNDS_MAX):
                self._round(world)
                try:
                    _everything(world)
                except Violation as violation:
                    last = violation
                    continue
                return
        except Violation as violation:
            last = violation
        assert last is not None
        raise _FoundViolationError(last, state)

    def _round(self, world: SmallWorld) -> None:
        world.wait(HOUR)
        self._run(world, "sweep")
        for _ in range(2):
            self._run(world, "import")
            world.newstore.work_off()
            self._run(world, "import")
            world.wait(WAIT)


class _FoundViolationError(Exception):
    def __init__(self, violation: Violation, state: State) -> None:
        self.violation, self.state = violation, state


def _shared(call: Call) -> bool:
    """Whether others can tell if it comes before or after a step of theirs."""
    if call.label in READ_ALONE:
        return False
    return call.port in {"event_log", "owners"} or call.label in SHARED


def _changed(state: State, step: Callable[[Any], Any], spent: Budget | None = None) -> State:
    world = forked(state.world)
    step(world)
    return replace(state, world=world, budget=spent or state.budget)


def _note_error(world: SmallWorld, ended: Ended) -> None:
    """What the next tick or attempt may go on from is part of life."""
    if ended.error is not None and not isinstance(ended.error, FORGIVABLE):
        world.errors.append(f"{type(ended.error).__name__}: {ended.error}")


def _invariants(world: SmallWorld) -> Invariants:
    """With what was remembered at the last look."""
    invariants = Invariants(cast(Any, world))
    invariants.watermark, invariants.cut_end = world.watermark, world.cut_end
    return invariants


def _look(world: SmallWorld) -> None:
    """Raises Violation."""
    invariants = _invariants(world)
    invariants.check()
    invariants.nothing_lost()
    invariants.applied_once(all_applied=False)
    world.watermark, world.cut_end = invariants.watermark, invariants.cut_end


def _everything(world: SmallWorld) -> None:
    invariants = _invariants(world)
    invariants.nothing_lost()
    invariants.applied_once(all_applied=True)
    invariants.converges()
    invariants.at_rest()


def _told(story: tuple[Any, ...]) -> list[str]:
    lines: list[str] = []
    while story:
        label, story = story
        lines.append(label)
    return lines[::-1]
