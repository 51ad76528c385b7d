"""A shadow notes its time before it leaves anything to others; what is live looks at it first."""

import pytest

from inventory_sync.domain.cut import AppliedRule
from inventory_sync.domain.errors import FatalError, RetriableError
from inventory_sync.domain.shadow_time import ShadowTime
from inventory_sync.use_cases.mode_checks import NoteShadow, RefuseGap
from tests.builders import HOUR, MINUTE, NOW
from tests.fakes.clock import FakeClock
from tests.fakes.mode import FakeShadowTimes


class CountedTimes(FakeShadowTimes):
    notes = 0

    def note(self, time: ShadowTime) -> None:
        self.notes += 1
        super().note(time)


def test_one_note_stands_for_a_minute() -> None:
    times, clock = CountedTimes("forward"), FakeClock(NOW)
    check = NoteShadow(times=times, rule=AppliedRule(other_system_lag=HOUR), clock=clock)

    for _ in range(3):
        check()
        clock.advance(20)

    assert (times.until(), times.notes) == (NOW + MINUTE, 1)
    clock.advance(1)
    check()
    assert (times.until(), times.notes) == (clock.now() + MINUTE, 2)


def test_what_ships_after_go_live_is_not_noted_as_left_to_others() -> None:
    times, clock = FakeShadowTimes("forward"), FakeClock(NOW)
    rule = AppliedRule(go_live_at=NOW + HOUR, other_system_lag=HOUR)
    check = NoteShadow(times=times, rule=rule, clock=clock)

    check()
    clock.advance(2 * HOUR)
    check()

    assert times.until() == NOW + HOUR


def test_a_note_never_moves_back() -> None:
    """GoLiveAt was set only after some of what shipped since was left to the other system."""
    times = FakeShadowTimes("forward")
    times.note(ShadowTime(NOW))
    rule = AppliedRule(go_live_at=NOW - HOUR, other_system_lag=HOUR)

    NoteShadow(times=times, rule=rule, clock=FakeClock(NOW))()

    assert times.until() == NOW


def test_what_cannot_be_noted_is_not_done() -> None:
    class Down(FakeShadowTimes):
        def note(self, time: ShadowTime) -> None:
            raise RetriableError("down")

    with pytest.raises(RetriableError):
        NoteShadow(times=Down(), rule=AppliedRule(other_system_lag=HOUR), clock=FakeClock(NOW))()


def test_a_stack_that_was_never_a_shadow_needs_nothing() -> None:
    assert RefuseGap(times=FakeShadowTimes(), rule=AppliedRule())() is None


def test_a_gap_is_refused_each_time() -> None:
    times = FakeShadowTimes()
    times.note(ShadowTime(NOW))
    check = RefuseGap(times=times, rule=AppliedRule())

    for _ in range(2):
        with pytest.raises(FatalError, match="was a shadow"):
            check()


def test_what_goes_live_after_a_shadow_is_told_when_that_was() -> None:
    times = FakeShadowTimes()
    times.note(ShadowTime(NOW))
    rule = AppliedRule(go_live_at=NOW, other_system_lag=HOUR)

    assert RefuseGap(times=times, rule=rule)() == NOW
