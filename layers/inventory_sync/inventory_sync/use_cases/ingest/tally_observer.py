"""An observer for thousands of events at once: sums what they count, from several threads."""

from collections import Counter
from threading import Lock

from inventory_sync.ports.observe import Observer


class TallyObserver:
    """Counts reach the observer behind it at `flush_counts`; log lines are its own."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self.log = observer.log  # not by a call between: a line names who asked for it
        self._lock = Lock()
        self._counts: Counter[str] = Counter()

    def count(self, name: str, value: float = 1) -> None:
        """Add to a metric."""
        with self._lock:
            self._counts[name] += int(value)

    def flush_counts(self) -> None:
        """Count the sums, and begin anew."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
        for name, value in sorted(counts.items()):
            self._observer.count(name, value)
