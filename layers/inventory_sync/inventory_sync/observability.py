"""Structured log lines and metrics; metric names are listed in docs/metrics.md."""

from collections.abc import Callable, Mapping
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from inventory_sync.domain.errors import InventorySyncError

_SECONDS_SUFFIX = "Seconds"
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
        unit = MetricUnit.Seconds if name.endswith(_SECONDS_SUFFIX) else MetricUnit.Count
        self._metrics.add_metric(name=name, unit=unit, value=value)
        self._pending = True

    def log(self, message: str, **figures: object) -> None:
        """One line; figures are written as text."""
        self._logger.info(message, figures={key: str(value) for key, value in figures.items()})

    def failure(self, error: Exception) -> None:
        """The one line about a failure; a surprise comes with its trace."""
        expected = isinstance(error, InventorySyncError)
        kind = type(error).__name__
        if expected:
            self._logger.error(str(error), figures={"error": kind})
        else:
            self._logger.exception("unexpected failure", figures={"error": kind})

    def flush(self) -> None:
        """Write the metrics out."""
        if self._pending:
            self._metrics.flush_metrics()
            self._pending = False


def make_observer() -> PowertoolsObserver:
    """Service, namespace and level come from Powertools' own variables."""
    return PowertoolsObserver(Logger(), Metrics())
