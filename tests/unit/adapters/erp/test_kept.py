"""What the ERP has told is asked for once a minute, whatever the clock does."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import count

import pytest

from inventory_sync.adapters.erp.kept import KEPT_FOR, Kept
from inventory_sync.domain.errors import RetriableError
from tests.contract.builders import NOON
from tests.fakes.clock import FakeClock


class Asked:
    """Answers 1, 2, 3."""

    def __init__(self) -> None:
        self.clock = FakeClock(NOON)
        self._kept: Kept[int] = Kept(self.clock)
        self._answers: Iterator[int] = count(1)

    def __call__(self) -> int:
        return self._kept.get(lambda: next(self._answers))

    def failing(self) -> None:
        def fail() -> int:
            raise RetriableError("503")

        self._kept.get(fail)


@pytest.fixture
def asked() -> Asked:
    return Asked()


def test_it_is_read_once_a_minute(asked: Asked) -> None:
    assert asked() == 1
    asked.clock.advance(KEPT_FOR)
    assert asked() == 1
    asked.clock.advance(1)
    assert asked() == 2


@pytest.mark.parametrize("back", [timedelta(seconds=1), timedelta(days=1)])
def test_what_is_from_the_future_of_a_clock_that_was_set_back_is_read_anew(
    asked: Asked, back: timedelta
) -> None:
    asked()
    asked.clock.step(-back)

    assert [asked(), asked()] == [2, 2]


def test_a_reading_that_fails_makes_nothing_younger(asked: Asked) -> None:
    asked()
    asked.clock.advance(61)
    with pytest.raises(RetriableError):
        asked.failing()

    assert asked() == 2
