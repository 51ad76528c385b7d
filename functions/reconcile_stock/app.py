"""Reconcile: called by a schedule with {}, or with {"locations": [...], "read_erp": false}."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from inventory_sync.bootstrap.reconcile_stock import reconcile_stock
from inventory_sync.domain.errors import RejectedError
from inventory_sync.observability import PowertoolsObserver
from inventory_sync.use_cases.reconcile.reconcile_stock import Reconciled, ReconcileStock

Handler = Callable[[Mapping[str, Any], Any], dict[str, Any]]


def build_handler(make: Callable[[], tuple[ReconcileStock, PowertoolsObserver]]) -> Handler:
    """The handler over whatever `make` gives; called once, at the first event."""
    resources = cache(make)

    def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        reconcile, observer = resources()
        try:
            found = reconcile(
                lambda: context.get_remaining_time_in_millis() / 1000,
                only=frozenset(event.get("locations") or ()),
                read_erp=bool(event.get("read_erp", True)),
            )
            observer.log("reconciled", report=found.folder, rows=found.totals.rows)
            return _answer(found)
        except RejectedError as error:
            # Before the first import there is nothing to compare with, and nothing to alarm.
            observer.log("nothing reconciled", reason=error)
            return {"outcome": "rejected", "detail": str(error)}
        except Exception as error:
            observer.failure(error)
            raise
        finally:
            observer.flush()

    return handler


def _answer(found: Reconciled) -> dict[str, Any]:
    totals = found.totals
    return {
        "outcome": "reconciled",
        "report": found.folder,
        "rows": totals.rows,
        "agreeing": totals.agreeing,
        "unchecked": totals.unchecked,
        "rows_by_cause": {cause.value: rows for cause, rows in totals.rows_by_cause.items()},
    }


lambda_handler = build_handler(reconcile_stock)
