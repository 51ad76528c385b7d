"""An observer that remembers."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

Handler = Callable[[Mapping[str, Any], Any], dict[str, Any]]


class FakeObserver:
    """`counts` is by metric name."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.notes: list[tuple[str, dict[str, object]]] = []
        self.flushed = 0

    def count(self, name: str, value: float = 1) -> None:
        self.counts[name] += value  # type: ignore[assignment]  # Counter's stubs know int only

    def log(self, message: str, **figures: object) -> None:
        self.notes.append((message, figures))

    def in_context(self, handler: Handler) -> Handler:
        return handler

    def flush(self) -> None:
        self.flushed += 1
