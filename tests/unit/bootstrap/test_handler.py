"""What surrounds the use case of every function."""

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from types import SimpleNamespace
from typing import Any

import pytest
from aws_lambda_powertools import Logger, Metrics

from inventory_sync.adapters.unreadable import report_unreadable, report_unreadable_entry
from inventory_sync.bootstrap.handler import Answer, Handler, SecondsLeft, handler_of
from inventory_sync.domain.errors import FatalError, RetriableError
from inventory_sync.domain.events import EventRef
from inventory_sync.observability import PowertoolsObserver
from inventory_sync.ports.observe import Observer
from inventory_sync.use_cases.ingest.tally_observer import TallyObserver
from tests.apps import ROOT, load_app
from tests.fakes.observer import FakeObserver

FUNCTIONS = ROOT / "functions"
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
        with ThreadPoolExecutor() as threads:
            threads.submit(observer.log, "beside").result()
        return divide(by, observer, event, seconds_left)

    made: Any = (0, PowertoolsObserver(logger, metrics))
    with pytest.raises(ZeroDivisionError):
        handler_of(lambda: made, fail)({"number": 1}, CONTEXT)

    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    assert [line["message"] for line in lines] == ["begun", "beside", "unexpected failure"]
    assert {line["function_request_id"] for line in lines} == {"request-7"}
    # Who asked for the line, not where lines are written.
    assert lines[0]["location"].startswith("fail:")
    assert lines[2]["location"].startswith("handler:")
    assert lines[2]["figures"]["error"] == "ZeroDivisionError"
    assert lines[2]["figures"]["raised_at"].endswith(" divide")


@pytest.mark.parametrize("verb", sorted(path.parent.name for path in FUNCTIONS.glob("*/app.py")))
def test_every_function_writes_a_failure_in_one_form_which_names_its_request(
    verb: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also of what comes before everything else: settings that are wrong."""
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", f"{verb}-test")
    for name in ("RETENTION_DAYS", "EVENTS_TABLE", "NEWSTORE_TENANT"):
        monkeypatch.delenv(name, raising=False)

    handler = load_app(verb).lambda_handler
    if verb == "ingest_event":
        assert handler({}, CONTEXT)["statusCode"] == 500
    else:
        with pytest.raises(FatalError):
            handler({}, CONTEXT)

    [line] = [json.loads(text) for text in capsys.readouterr().out.splitlines()]
    assert line["message"].partition(" ")[0].isupper()
    assert line["figures"]["error"] == "FatalError"
    assert ".py:" in line["figures"]["raised_at"]
    assert (line["level"], line["function_request_id"]) == ("ERROR", "request-7")
    assert line["service"] == f"{verb}-test"


def test_what_could_not_be_made_is_made_at_the_next_event() -> None:
    refused: list[Any] = []

    def make() -> Any:
        if not refused:
            refused.append(RetriableError("no secret"))
            raise refused[0]
        return 2, Told()

    handler = handler_of(make, divide)
    with pytest.raises(RetriableError):
        handler({"number": 6}, CONTEXT)

    assert handler({"number": 6}, CONTEXT)["found"] == 3


def test_a_line_about_an_event_names_its_own_location_alone(
    capsys: pytest.CaptureFixture[str],
) -> None:
    observer = PowertoolsObserver(Logger(service="location-test"), Metrics("Test", "location-test"))
    tally = TallyObserver(observer)

    def tell(who: Observer, location: str) -> None:
        who.log("event stored otherwise", event_ref=EventRef(location, "7"))

    tell(observer, "DC01")
    observer.log("tick")
    tell(tally, "NYC")

    lines = [json.loads(text) for text in capsys.readouterr().out.splitlines()]
    assert [line["figures"] for line in lines] == [
        {"event_ref": "DC01/7", "location_id": "DC01"},
        {},
        {"event_ref": "NYC/7", "location_id": "NYC"},
    ]
    # The `location` of the line is whoever asked for it, however many observers are between.
    assert {line["location"].partition(":")[0] for line in lines[::2]} == {"tell"}


def test_what_is_left_out_is_a_failure_in_the_one_form_and_logged_nowhere_else(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    observer = PowertoolsObserver(Logger(service="left-out-test"), Metrics("Test", "left-out-test"))

    def read(*_: Any) -> Answer:
        for report in (report_unreadable, report_unreadable_entry):
            try:
                raise FatalError("location A: enabled is no boolean")
            except FatalError as error:
                report(error)
        return {}

    made: Any = ((), observer)
    handler_of(lambda: made, read)({}, CONTEXT)

    *lines, _ = [json.loads(text) for text in capsys.readouterr().out.splitlines()]
    assert [line["message"].partition(": ")[::2] for line in lines] == [
        ("record unreadable", "location A: enabled is no boolean"),
        ("entry of NewStore unreadable, left out", "location A: enabled is no boolean"),
    ]
    for line in lines:
        assert (line["level"], line["function_request_id"]) == ("ERROR", "request-7")
        assert line["figures"]["error"] == "LeftOutError"
        assert line["figures"]["raised_at"].endswith(" read")
    assert [record.name for record in caplog.records] == ["left-out-test"] * 2


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
