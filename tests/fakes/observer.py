"""An observer that remembers."""

from collections import Counter


class FakeObserver:
    """`counts` is by metric name; `by_dimensions` by name and sorted dimensions too."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.by_dimensions: Counter[tuple[str, tuple[tuple[str, str], ...]]] = Counter()
        self.notes: list[tuple[str, dict[str, object]]] = []
        self.flushed = 0

    def count(self, name: str, value: float = 1, **dimensions: str) -> None:
        self.counts[name] += value  # type: ignore[assignment]  # Counter's stubs know int only
        self.by_dimensions[name, tuple(sorted(dimensions.items()))] += value  # type: ignore[assignment]

    def log(self, message: str, **figures: object) -> None:
        self.notes.append((message, figures))

    def flush(self) -> None:
        self.flushed += 1
