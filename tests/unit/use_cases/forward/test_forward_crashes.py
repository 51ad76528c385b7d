"""Forward: a crash before or after any call of a port, then once more: each unit is booked once."""

from datetime import timedelta
from typing import Any, get_args

import pytest

from inventory_sync.domain.cut import AppliedRule
from inventory_sync.domain.events import OpenEvent
from inventory_sync.use_cases.forward.forward_events import ForwardEvents
from local.erp.records import Dedupe
from tests.builders import MINUTE
from tests.exhaust.small_world import UNITS, Rules, SmallWorld
from tests.fakes.clock import FakeClock
from tests.fakes.mode import never_a_shadow
from tests.fakes.observer import FakeObserver


class CrashError(BaseException):
    """The invocation is gone."""


class Crashing:
    """Counts the calls of all ports; crashes before or after the one of that number."""

    def __init__(self, crash_at: int, *, before: bool) -> None:
        self.crash_at, self.before = crash_at, before
        self.calls = 0

    def port(self, port: Any) -> Any:
        return _Port(self, port)

    def called(self, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        self.calls += 1
        now = self.calls == self.crash_at
        if now and self.before:
            raise CrashError
        answer = target(*args, **kwargs)
        if now:
            raise CrashError
        return answer


class _Port:
    def __init__(self, crashing: Crashing, port: Any) -> None:
        self._crashing, self._port = crashing, port

    def __getattr__(self, method: str) -> Any:
        target = getattr(self._port, method)
        return lambda *args, **kwargs: self._crashing.called(target, args, kwargs)


def stored(dedupe: Dedupe) -> SmallWorld:
    """Both units are shipped and their events stored, neither is forwarded."""
    world = SmallWorld(Rules(dedupe=dedupe))
    for _ in UNITS:
        world.ship()
    for ref in world.completed:
        world.deliver(ref)
    return world


def forward(world: SmallWorld, crashing: Crashing) -> None:
    """One batch as the stream brings it."""
    port = crashing.port
    use_case = ForwardEvents(
        event_log=port(world.event_log_store),
        owners=port(world.unit_owners),
        quarantine=port(world.quarantine),
        erp=port(world.erp),
        clock=FakeClock(world.now),
        observer=FakeObserver(),
        rule=AppliedRule(),
        claim=3 * MINUTE,
        sweep_age=timedelta(0),
        mode_check=never_a_shadow,
    )
    log = world.event_log_store
    states = [log.state_of(ref) for ref in log.refs()]
    use_case([OpenEvent(event=s.event, received_at=s.received_at) for s in states])


def booked(world: SmallWorld) -> list[str]:
    """The units in the ERP's books."""
    return [
        line.item_id
        for bookings in world.erp_model.movements.values()
        for one in bookings
        for line in one.movement.lines
    ]


def calls_of(dedupe: Dedupe) -> int:
    counting = Crashing(0, before=False)
    forward(stored(dedupe), counting)
    return counting.calls


EVERY_CALL = [
    pytest.param(dedupe, number, before, id=f"{dedupe}-{number}-{'before' if before else 'after'}")
    for dedupe in get_args(Dedupe)
    for number in range(1, calls_of(dedupe) + 1)
    for before in (True, False)
]


@pytest.mark.parametrize(("dedupe", "number", "before"), EVERY_CALL)
def test_after_a_crash_at_any_call_each_unit_is_booked_once(
    dedupe: Dedupe, number: int, before: bool
) -> None:
    world = stored(dedupe)
    with pytest.raises(CrashError):
        forward(world, Crashing(number, before=before))
    world.wait()

    forward(world, Crashing(0, before=False))

    assert sorted(booked(world)) == sorted(UNITS)
    assert all(e.forwarded_at is not None for e in world.event_log_store.open_events())


def test_a_batch_makes_calls_that_a_crash_can_come_between() -> None:
    assert calls_of("native") >= 7
    assert calls_of("lookup") > calls_of("native")
