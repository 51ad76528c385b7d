"""Import: called by a schedule with {}, and with {"full": true} to send every row.

An operator may ask for {"locations": [...]}: no more than these are read.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from inventory_sync.bootstrap.import_stock import import_stock
from inventory_sync.observability import PowertoolsObserver
from inventory_sync.use_cases.import_stock.import_stock import ImportStock, Tick, TickOutcome

Handler = Callable[[Mapping[str, Any], Any], dict[str, Any]]


def build_handler(make: Callable[[], tuple[ImportStock, PowertoolsObserver]]) -> Handler:
    """The handler over whatever `make` gives; called once, at the first event."""
    resources = cache(make)

    def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        import_stock, observer = resources()
        try:
            tick = import_stock(
                lambda: context.get_remaining_time_in_millis() / 1000,
                full=bool(event.get("full")),
                only=frozenset(event.get("locations") or ()),
            )
            if tick.outcome in {TickOutcome.RETRY, TickOutcome.LEASE_LOST}:
                observer.count("TicksToRetry")
            _note(observer, tick)
            return _answer(tick)
        except Exception as error:
            observer.failure(error)
            raise
        finally:
            observer.flush()

    return handler


def _note(observer: PowertoolsObserver, tick: Tick) -> None:
    figures: dict[str, object] = {"outcome": tick.outcome, "detail": tick.detail}
    if tick.run is not None:
        figures |= {"run_id": tick.run.run_id, "state": tick.run.state, "job_id": tick.run.job_id}
    observer.log("tick", **figures)


def _answer(tick: Tick) -> dict[str, Any]:
    answer: dict[str, Any] = {"outcome": tick.outcome.value, "detail": tick.detail}
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


lambda_handler = build_handler(import_stock)
