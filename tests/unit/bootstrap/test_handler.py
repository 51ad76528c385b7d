"""What surrounds the use case of every function but the webhook."""

import json
from collections.abc import Mapping
from io import StringIO
from types import SimpleNamespace
from typing import Any

import pytest
from aws_lambda_powertools import Logger, Metrics

from inventory_sync.bootstrap.handler import Answer, Handler, SecondsLeft, handler_of
from inventory_sync.observability import PowertoolsObserver
from tests.fakes.observer import FakeObserver

CONTEXT = SimpleNamespace(
    get_remaining_time_in_millis=lambda: 1_500,
    function_name="forward",
    memory_limit_in_mb=512,
    invoked_function_arn="arn",
    aws_request_id="request-7",
)


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


def test_every_line_names_the_request_failures_too() -> None:
    log = StringIO()
    logger = Logger(service="handler-test", stream=log)
    metrics = Metrics(namespace="Test", service="handler-test")

    def fail(by: int, observer: Any, event: Mapping[str, Any], seconds_left: SecondsLeft) -> Answer:
        observer.log("begun")
        return divide(by, observer, event, seconds_left)

    made: Any = (0, PowertoolsObserver(logger, metrics))
    with pytest.raises(ZeroDivisionError):
        handler_of(lambda: made, fail)({"number": 1}, CONTEXT)

    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    assert [line["message"] for line in lines] == ["begun", "unexpected failure"]
    assert {line["function_request_id"] for line in lines} == {"request-7"}
