"""What each function makes of its event, answers, and writes into its log.

The names in the log are those of docs/metrics.md: people search by them.
"""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from inventory_sync.domain.errors import FatalError, LeaseLostError, RejectedError, RetriableError
from inventory_sync.domain.event_stream import Restart, StreamFault
from inventory_sync.domain.stock_reads import ReadPlan
from inventory_sync.use_cases.import_stock.import_stock import Tick, TickOutcome
from inventory_sync.use_cases.stream.check_stream import StreamCheck
from tests.apps import load_app
from tests.builders import NOW, run
from tests.fakes.observer import FakeObserver

CONTEXT = SimpleNamespace(get_remaining_time_in_millis=lambda: 90_000)


class Told(FakeObserver):
    """Remembers failures too."""

    def __init__(self) -> None:
        super().__init__()
        self.failures: list[Exception] = []

    def failure(self, error: Exception) -> None:
        self.failures.append(error)


class UseCase:
    """Answers what it was given, and remembers what it was asked."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.asked: list[Any] = []

    def __call__(self, *given: Any, **named: Any) -> Any:
        seconds_left = next(one for one in given if callable(one))
        self.asked += [one for one in given if one is not seconds_left]
        self.asked += [named, seconds_left()]
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def called(verb: str, use_case: UseCase, event: dict[str, Any]) -> tuple[Any, Told]:
    observer = Told()
    made: Any = (use_case, observer)
    return load_app(verb).build_handler(lambda: made)(event, CONTEXT), observer


@pytest.mark.parametrize(("attempt", "again"), [({}, False), ({"attempt": 2}, True)])
def test_the_reader_reads_its_batch_and_when_called_again_what_is_left(
    attempt: dict[str, int], again: bool
) -> None:
    reader = UseCase(2)
    batch = {"plan_id": "p1", "planned_at": "2026-03-02T09:00:00+00:00", "whole": True}

    answer, observer = called("read_stock", reader, {**batch, "locations": ["A", "B"], **attempt})

    plan = ReadPlan("p1", datetime(2026, 3, 2, 9, tzinfo=UTC), whole=True)
    assert reader.asked == [plan, ["A", "B"], {"again": again}, 90.0]
    assert answer == {"locations": 2}
    assert observer.notes == [("batch read", {"plan_id": "p1", "locations": 2})]


def test_the_import_says_what_became_of_its_tick() -> None:
    found = run(job_id="j1", rows=3, left_out={"A": "why"})

    answer, observer = called("import_stock", UseCase(Tick(TickOutcome.ENDED, found, "d")), {})

    figures = {"run_id": found.run_id, "state": found.state, "job_id": "j1"}
    assert observer.notes == [("tick", {"outcome": TickOutcome.ENDED, "detail": "d", **figures})]
    assert observer.counts == {}
    assert (answer["outcome"], answer["detail"]) == ("ended", "d")
    assert answer["run"] == {
        "run_id": found.run_id,
        "state": found.state.value,
        "full": False,
        "only": (),
        "job_id": "j1",
        "cut_end": found.cut_end,
        "rows": 3,
        "files": found.files,
        "left_out": {"A": "why"},
        "failure": "",
    }


@pytest.mark.parametrize("outcome", [TickOutcome.RETRY, TickOutcome.LEASE_LOST])
def test_a_tick_that_ended_early_is_counted(outcome: TickOutcome) -> None:
    answer, observer = called("import_stock", UseCase(Tick(outcome, None, "503")), {})

    assert observer.counts == {"TicksToRetry": 1}
    assert observer.notes == [("tick", {"outcome": outcome, "detail": "503"})]
    assert answer == {"outcome": outcome.value, "detail": "503"}


@pytest.mark.parametrize(
    ("event", "asked"),
    [
        ({}, {"full": False, "only": frozenset(), "ended_plan": ""}),
        (
            {"full": True, "locations": ["A"], "ended_plan": "p"},
            {"full": True, "only": frozenset("A"), "ended_plan": "p"},
        ),
    ],
)
def test_the_import_does_as_it_is_asked(event: dict[str, Any], asked: dict[str, Any]) -> None:
    importer = UseCase(Tick(TickOutcome.ENDED, None, ""))

    called("import_stock", importer, event)

    assert importer.asked == [asked, 90.0]


def test_where_nothing_can_be_reconciled_it_says_why_and_is_no_error() -> None:
    use_case = UseCase(RejectedError("no import has finished"))

    answer, observer = called("reconcile_stock", use_case, {})

    assert answer == {"outcome": "rejected", "detail": "no import has finished"}
    assert observer.notes == [("nothing reconciled", {"reason": use_case.answer})]
    assert use_case.asked == [{"only": frozenset(), "read_erp": True}, 90.0]


def test_a_reconciliation_names_its_report_and_its_figures() -> None:
    totals = SimpleNamespace(rows=9, agreeing=7, unchecked=1, rows_by_cause={})
    use_case = UseCase(SimpleNamespace(folder="reports/1", totals=totals))

    answer, observer = called("reconcile_stock", use_case, {"locations": ["A"], "read_erp": False})

    assert use_case.asked[0] == {"only": frozenset("A"), "read_erp": False}
    assert observer.notes == [("reconciled", {"report": "reports/1", "rows": 9})]
    assert answer == {
        "outcome": "reconciled",
        "report": "reports/1",
        "rows": 9,
        "agreeing": 7,
        "unchecked": 1,
        "rows_by_cause": {},
    }


def check(*failures: Any) -> StreamCheck:
    return StreamCheck(
        faults=(next(iter(StreamFault)),),
        restart=next(iter(Restart)),
        missing=2.345,
        rejected=4,
        stopped_since=NOW,
        days_left=29.5,
        failures=failures,
    )


def test_a_look_at_the_stream_says_what_it_found() -> None:
    error = RetriableError("503")

    answer, observer = called("check_stream", UseCase(check(error)), {})

    assert answer == {
        "outcome": "looked",
        "faults": [next(iter(StreamFault)).value],
        "restart": next(iter(Restart)).value,
        "missing": 2.3,
        "rejected": 4,
        "stopped_since": NOW.isoformat(),
        "days_left": 29.5,
        "failures": ["503"],
    }
    assert observer.failures == [error]


def test_what_only_a_person_can_put_right_is_raised_after_all_is_logged() -> None:
    failures = RetriableError("503"), FatalError("no secret")
    observer = Told()
    made: Any = (UseCase(check(*failures)), observer)

    with pytest.raises(FatalError):
        load_app("check_stream").build_handler(lambda: made)({}, CONTEXT)

    assert observer.failures[:2] == list(failures)


def test_of_two_checks_at_once_one_leaves_it_to_the_other() -> None:
    use_case = UseCase(LeaseLostError("another check"))

    answer, observer = called("check_stream", use_case, {})

    assert answer == {"outcome": "another_check"}
    assert observer.notes == [("check left to another", {"reason": use_case.answer})]
