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
from inventory_sync.use_cases.stream.check_stream import CheckStream, Look


def build_handler(make: Make[CheckStream]) -> Handler:
    """The handler over whatever `make` gives."""
    return handler_of(make, _check)


def _check(
    check: CheckStream, observer: PowertoolsObserver, event: Event, seconds_left: SecondsLeft
) -> Answer:
    try:
        look = check(seconds_left)
    except LeaseLostError as error:
        observer.log("look left to another", reason=error)
        return {"outcome": "another_look"}
    return _answer(look, observer)


def _answer(look: Look, observer: PowertoolsObserver) -> Answer:
    """What the next look may put right is logged; what only a person can is raised as well."""
    for error in look.failures:
        observer.failure(error)
    for error in look.failures:
        if isinstance(error, FatalError):
            raise error
    return {
        "outcome": "looked",
        "faults": None if look.faults is None else [fault.value for fault in look.faults],
        "restart": look.restart.value if look.restart else None,
        "missing": round(look.missing, 1),
        "rejected": look.rejected,
        "stopped_since": look.stopped_since.isoformat() if look.stopped_since else None,
        "days_left": look.days_left,
        "failures": [str(error) for error in look.failures],
    }


lambda_handler = build_handler(in_lambda(check_stream))
