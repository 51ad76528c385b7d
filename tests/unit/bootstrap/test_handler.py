"""What surrounds the use case of every function but the webhook."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from inventory_sync.bootstrap.handler import Answer, Handler, SecondsLeft, handler_of
from tests.fakes.observer import FakeObserver

CONTEXT = SimpleNamespace(get_remaining_time_in_millis=lambda: 1_500)


class Told(FakeObserver):
    """Remembers failures too."""

    def __init__(self) -> None:
        super().__init__()
        self.failures: list[Exception] = []

    def failure(self, error: Exception) -> None:
        self.failures.append(error)


def divide(by: int, observer: Any, event: Mapping[str, Any], seconds_left: SecondsLeft) -> Answer:
    return {"found": event["number"] // by, "left": seconds_left()}


def handler_over(observer: Told, by: int) -> Handler:
    made: Any = (by, observer)
    return handler_of(lambda: made, divide)


def test_the_use_case_sees_the_event_and_the_seconds_left() -> None:
    observer = Told()

    assert handler_over(observer, 2)({"number": 6}, CONTEXT) == {"found": 3, "left": 1.5}

    assert (observer.failures, observer.flushed) == ([], 1)


def test_a_failure_is_logged_once_and_raised_and_metrics_are_written_out() -> None:
    observer = Told()

    with pytest.raises(ZeroDivisionError) as raised:
        handler_over(observer, 0)({"number": 6}, CONTEXT)

    assert (observer.failures, observer.flushed) == ([raised.value], 1)


def test_what_the_use_case_needs_is_made_at_the_first_event_and_kept() -> None:
    made: list[Any] = []

    def make() -> Any:
        made.append((2, Told()))
        return made[-1]

    handler = handler_of(make, divide)
    assert made == []

    handler({"number": 6}, CONTEXT)
    handler({"number": 8}, CONTEXT)
    assert len(made) == 1
