"""Calls follow one another no faster than they may."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Lock

import pytest

from inventory_sync.adapters.http.rate_limiter import RateLimiter
from tests.builders import NOW
from tests.fakes.clock import FakeClock


def test_calls_in_a_row_are_spaced_evenly() -> None:
    clock = FakeClock(NOW)
    pace = RateLimiter(clock, calls_per_second=4)
    times = []

    for _ in range(5):
        pace.wait()
        times.append(clock.now() - NOW)

    assert times == [timedelta(seconds=n / 4) for n in range(5)]


def test_a_pause_is_not_made_up_for_by_a_burst() -> None:
    clock = FakeClock(NOW)
    pace = RateLimiter(clock, calls_per_second=1)
    pace.wait()
    clock.advance(60)

    pace.wait()
    pace.wait()

    assert clock.now() == NOW + timedelta(seconds=61)


def test_threads_share_one_pace() -> None:
    asked: list[float] = []
    lock = Lock()

    class Standing:
        """Time does not pass; whoever sleeps says for how long."""

        def now(self) -> datetime:
            return NOW

        def monotonic(self) -> float:
            return 0.0

        def sleep(self, seconds: float) -> None:
            with lock:
                asked.append(seconds)

    pace = RateLimiter(Standing(), calls_per_second=10)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: pace.wait(), range(40)))

    assert sorted(asked) == pytest.approx([n / 10 for n in range(1, 40)])


def test_a_clock_that_is_set_back_lets_nobody_wait() -> None:
    clock = FakeClock(NOW)
    pace = RateLimiter(clock, calls_per_second=1)
    pace.wait()
    clock.step(timedelta(hours=-1))

    pace.wait()

    assert clock.monotonic() == 1
