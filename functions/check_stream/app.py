"""Look after the event stream: called by a schedule with {}."""

from inventory_sync.bootstrap.check_stream import check_stream
from inventory_sync.bootstrap.handler import (
    Answer,
    Event,
    Handler,
    Make,
    SecondsLeft,
    handler_of,
)
from inventory_sync.bootstrap.runtime import in_lambda
from inventory_sync.domain.errors import FatalError, LeaseLostError
from inventory_sync.observability import PowertoolsObserver
from inventory_sync.use_cases.stream.check_stream import CheckStream, StreamCheck


def build_handler(make: Make[CheckStream]) -> Handler:
    """The handler over whatever `make` gives."""
    return handler_of(make, _check)


def _check(
    check: CheckStream, observer: PowertoolsObserver, event: Event, seconds_left: SecondsLeft
) -> Answer:
    try:
        found = check(seconds_left)
    except LeaseLostError as error:
        observer.log("check left to another", reason=error)
        return {"outcome": "another_check"}
    return _answer(found, observer)


def _answer(found: StreamCheck, observer: PowertoolsObserver) -> Answer:
    """What the next check may put right is logged; what only a person can is raised as well."""
    for error in found.failures:
        observer.failure(error)
    for error in found.failures:
        if isinstance(error, FatalError):
            raise error
    return {
        "outcome": "looked",
        "faults": None if found.faults is None else [fault.value for fault in found.faults],
        "restart": found.restart.value if found.restart else None,
        "missing": round(found.missing, 1),
        "rejected": found.rejected,
        "stopped_since": found.stopped_since.isoformat() if found.stopped_since else None,
        "days_left": found.days_left,
        "failures": [str(error) for error in found.failures],
    }


lambda_handler = build_handler(in_lambda(check_stream))
