"""Structured log lines and metrics; metric names are listed in docs/metrics.md."""

import traceback
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from inventory_sync.domain.errors import InventorySyncError
from inventory_sync.domain.events import EventRef

_UNITS = {"Seconds": MetricUnit.Seconds, "Percent": MetricUnit.Percent}
_CALLER = 3
"""How far up a line's `location` stands: whoever asked the observer for it."""
Handler = Callable[[Mapping[str, Any], Any], dict[str, Any]]


class PowertoolsObserver:
    """Metrics of one invocation are written out by `flush`."""

    def __init__(self, logger: Logger, metrics: Metrics) -> None:
        self._logger = logger
        self._metrics = metrics
        self._pending = False

    def in_context(self, handler: Handler) -> Handler:
        """The handler; what it logs has the request's id, the function and whether it is new."""
        decorated: Handler = self._logger.inject_lambda_context(handler)
        return decorated

    def count(self, name: str, value: float = 1) -> None:
        """Under the stack's name; what else there is to tell belongs into a log line."""
        unit = next((u for suffix, u in _UNITS.items() if name.endswith(suffix)), MetricUnit.Count)
        self._metrics.add_metric(name=name, unit=unit, value=value)
        self._pending = True

    def log(self, message: str, **figures: object) -> None:
        """One line; figures are written as text, that of an event with its location too."""
        told = {key: str(value) for key, value in figures.items()}
        if isinstance(ref := figures.get("event_ref"), EventRef):
            told["location_id"] = ref.location_id
        self._logger.info(message, figures=told, stacklevel=_CALLER)

    def failure(self, error: Exception, *, quoting: bool = True) -> None:
        """The one line about a failure, in one form for all functions.

        A surprise comes with its trace; not where its text may quote a body or a key (`quoting`).
        """
        expected = isinstance(error, InventorySyncError)
        self._logger.error(
            str(error) if expected else "unexpected failure",
            figures={"error": type(error).__name__, "raised_at": _where(error)},
            exc_info=error if quoting and not expected else None,
            stacklevel=_CALLER,
        )

    def flush(self) -> None:
        """Write the metrics out."""
        if self._pending:
            self._metrics.flush_metrics()
            self._pending = False


def make_observer() -> PowertoolsObserver:
    """Service, namespace and level come from Powertools' own variables."""
    return PowertoolsObserver(Logger(), Metrics())


def in_context(handler: Handler) -> Handler:
    """The handler; each line names its request, also where no observer could be made for it."""
    decorated = cache(lambda: make_observer().in_context(handler))
    return lambda event, context: decorated()(event, context)


def _where(error: Exception) -> str:
    """The calls that led to it, the innermost last."""
    frames = traceback.extract_tb(error.__traceback__)
    return " > ".join(f"{f.filename.rpartition('/')[2]}:{f.lineno} {f.name}" for f in frames)
