"""Look after the event stream: called by a schedule with {}."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from inventory_sync.bootstrap.check_stream import check_stream
from inventory_sync.domain.errors import FatalError, LeaseLostError
from inventory_sync.observability import PowertoolsObserver
from inventory_sync.use_cases.stream.check_stream import CheckStream, Look

Handler = Callable[[Mapping[str, Any], Any], dict[str, Any]]


def build_handler(make: Callable[[], tuple[CheckStream, PowertoolsObserver]]) -> Handler:
    """The handler over whatever `make` gives; called once, at the first event."""
    resources = cache(make)

    def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        check, observer = resources()
        try:
            look = check(lambda: context.get_remaining_time_in_millis() / 1000)
        except LeaseLostError as error:
            observer.log("look left to another", reason=error)
            return {"outcome": "another_look"}
        except Exception as error:
            observer.failure(error)
            raise
        else:
            return _answer(look, observer)
        finally:
            observer.flush()

    return handler


def _answer(look: Look, observer: PowertoolsObserver) -> dict[str, Any]:
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


lambda_handler = build_handler(check_stream)
