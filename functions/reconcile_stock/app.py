"""Reconcile: called by a schedule with {}, or with {"locations": [...], "read_erp": false}."""

from inventory_sync.bootstrap.handler import (
    Answer,
    Event,
    Handler,
    Make,
    SecondsLeft,
    handler_of,
)
from inventory_sync.bootstrap.reconcile_stock import reconcile_stock
from inventory_sync.bootstrap.runtime import in_lambda
from inventory_sync.domain.errors import RejectedError
from inventory_sync.observability import PowertoolsObserver
from inventory_sync.use_cases.reconcile.reconcile_stock import Reconciled, ReconcileStock


def build_handler(make: Make[ReconcileStock]) -> Handler:
    """The handler over whatever `make` gives."""
    return handler_of(make, _reconcile)


def _reconcile(
    reconcile: ReconcileStock,
    observer: PowertoolsObserver,
    event: Event,
    seconds_left: SecondsLeft,
) -> Answer:
    try:
        found = reconcile(
            seconds_left,
            only=frozenset(event.get("locations") or ()),
            read_erp=bool(event.get("read_erp", True)),
        )
    except RejectedError as error:
        # Before the first import there is nothing to compare with, and nothing to alarm.
        observer.log("nothing reconciled", reason=error)
        return {"outcome": "rejected", "detail": str(error)}
    observer.log("reconciled", report=found.folder, rows=found.totals.rows)
    return _answer(found)


def _answer(found: Reconciled) -> Answer:
    totals = found.totals
    return {
        "outcome": "reconciled",
        "report": found.folder,
        "rows": totals.rows,
        "agreeing": totals.agreeing,
        "unchecked": totals.unchecked,
        "rows_by_cause": {cause.value: rows for cause, rows in totals.rows_by_cause.items()},
    }


lambda_handler = build_handler(in_lambda(reconcile_stock))
