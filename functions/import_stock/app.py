"""Import: called by a schedule with {}, and with {"full": true} to send every row.

An operator may ask for {"locations": [...]}: no more than these are read. Where reads fan out, the
state machine calls it with {"ended_plan": "..."} once they are made. A shadow imports nothing: it
looks at what NewStore promises.
"""

from dataclasses import asdict

from inventory_sync.bootstrap.handler import (
    Answer,
    Event,
    Handler,
    Make,
    SecondsLeft,
    handler_of,
)
from inventory_sync.bootstrap.import_stock import import_stock
from inventory_sync.bootstrap.runtime import in_lambda
from inventory_sync.domain.errors import RetriableError
from inventory_sync.observability import PowertoolsObserver
from inventory_sync.use_cases.import_stock.import_stock import ImportStock, Tick, TickOutcome
from inventory_sync.use_cases.reconcile.look_at_promises import LookAtPromises


def build_handler(make: Make[ImportStock | LookAtPromises]) -> Handler:
    """The handler over whatever `make` gives."""
    return handler_of(make, _tick)


def _tick(
    work: ImportStock | LookAtPromises,
    observer: PowertoolsObserver,
    event: Event,
    seconds_left: SecondsLeft,
) -> Answer:
    if isinstance(work, LookAtPromises):
        return _look(work, observer, event, seconds_left)
    return _import(work, observer, event, seconds_left)


def _look(
    look: LookAtPromises, observer: PowertoolsObserver, event: Event, seconds_left: SecondsLeft
) -> Answer:
    try:
        found = look(seconds_left, only=frozenset(event.get("locations") or ()))
    except RetriableError as error:
        observer.count("TicksToRetry")
        observer.log("promises looked at", detail=error)
        return {"outcome": "retry", "detail": str(error)}
    observer.log("promises looked at", **asdict(found))
    return {"outcome": "looked", **asdict(found)}


def _import(
    importer: ImportStock, observer: PowertoolsObserver, event: Event, seconds_left: SecondsLeft
) -> Answer:
    tick = importer(
        seconds_left,
        full=bool(event.get("full")),
        only=frozenset(event.get("locations") or ()),
        ended_plan=event.get("ended_plan") or "",
    )
    if tick.outcome in {TickOutcome.RETRY, TickOutcome.LEASE_LOST}:
        observer.count("TicksToRetry")
    _log(observer, tick)
    return _answer(tick)


def _log(observer: PowertoolsObserver, tick: Tick) -> None:
    figures: dict[str, object] = {"outcome": tick.outcome, "detail": tick.detail}
    if tick.run is not None:
        figures |= {"run_id": tick.run.run_id, "state": tick.run.state, "job_id": tick.run.job_id}
    observer.log("tick", **figures)


def _answer(tick: Tick) -> Answer:
    answer: Answer = {"outcome": tick.outcome.value, "detail": tick.detail}
    if tick.run is not None:
        answer["run"] = {
            "run_id": tick.run.run_id,
            "state": tick.run.state.value,
            "full": tick.run.full,
            "only": tick.run.only,
            "job_id": tick.run.job_id,
            "cut_end": tick.run.cut_end,
            "rows": tick.run.rows,
            "files": tick.run.files,
            "left_out": tick.run.left_out,
            "failure": tick.run.failure,
        }
    return answer


lambda_handler = build_handler(in_lambda(import_stock))
