"""What surrounds the use case of every function but the webhook."""

import json
from collections.abc import Mapping
from io import StringIO
from types import SimpleNamespace
from typing import Any

import pytest
from aws_lambda_powertools import Logger, Metrics

from inventory_sync.adapters.unreadable import report_unreadable
from inventory_sync.bootstrap.handler import Answer, Handler, SecondsLeft, handler_of
from inventory_sync.domain.errors import FatalError
from inventory_sync.observability import PowertoolsObserver, in_context
from tests.apps import load_app
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
    # Who asked for the line, not where lines are written.
    assert lines[0]["location"].startswith("fail:")
    assert lines[1]["location"].startswith("handler:")
    assert lines[1]["figures"]["error"] == "ZeroDivisionError"
    assert lines[1]["figures"]["raised_at"].endswith(" divide")


def test_a_failure_of_the_webhook_has_the_form_of_all_others_and_names_its_request(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "webhook-test")
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Test")

    def refuse() -> Any:
        raise FatalError("RETENTION_DAYS='x': allowed is a whole number")

    handler = in_context(load_app("ingest_event").build_handler(refuse))
    assert handler({}, CONTEXT)["statusCode"] == 500

    [line] = [json.loads(text) for text in capsys.readouterr().out.splitlines()]
    assert line["message"] == "RETENTION_DAYS='x': allowed is a whole number"
    assert line["figures"]["error"] == "FatalError"
    assert line["figures"]["raised_at"].endswith(" refuse")
    assert (line["level"], line["function_request_id"]) == ("ERROR", "request-7")


def test_records_that_cannot_be_read_are_counted_once_each_and_anew_each_time() -> None:
    observer = Told()

    def read(broken: tuple[str, ...], *_: Any) -> Answer:
        for record in broken:
            report_unreadable(FatalError(record))
        return {}

    made: Any = (("location A", "location B", "location A"), observer)
    handler = handler_of(lambda: made, read)

    handler({}, CONTEXT)
    assert observer.counts == {"RecordsUnreadable": 2}
    handler({}, CONTEXT)
    assert observer.counts == {"RecordsUnreadable": 4}


def test_where_all_can_be_read_nothing_is_counted() -> None:
    observer = Told()

    handler_over(observer, 2)({"number": 6}, CONTEXT)

    assert observer.counts == {}
