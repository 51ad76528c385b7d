"""How far NewStore's promise was from the truth, and for how long, while the shops were open."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

CAUSES = (
    "all_told",
    "late_events",
    "refused_or_changed_at_newstore",
    "release_immediate",
    "gone_elsewhere",
)


@dataclass
class Figures:
    """In seconds of the simulated clock, and units times seconds."""

    seconds: float = 0.0
    oversold_seconds: Counter[str] = field(default_factory=Counter)
    """By cause. `all_told` is what `never_oversell` counts, suspended or not; `gone_elsewhere` is
    not in it: those units are sold by another channel and in no snapshot yet."""
    undersold_unit_seconds: float = 0.0

    def add(self, other: "Figures") -> None:
        """Another seed's."""
        self.seconds += other.seconds
        self.oversold_seconds.update(other.oversold_seconds)
        self.undersold_unit_seconds += other.undersold_unit_seconds

    def share_oversold(self) -> dict[str, float]:
        """Of all time, by cause."""
        return {cause: self.oversold_seconds[cause] / max(1, self.seconds) for cause in CAUSES}

    def mean_undersold(self) -> float:
        """Units in imported rows that could have been promised and were not, at any moment."""
        return self.undersold_unit_seconds / max(1, self.seconds)


class Meter:
    """What one look found holds until the next one."""

    def __init__(self, start: datetime) -> None:
        self.figures = Figures()
        self._since = start
        self._causes: frozenset[str] = frozenset()
        self._undersold_units = 0

    def look(self, now: datetime, causes: frozenset[str], undersold_units: int) -> None:
        """`causes` of each oversold row, and the units undersold of all others."""
        seconds = (now - self._since).total_seconds()
        self.figures.seconds += seconds
        for cause in self._causes:
            self.figures.oversold_seconds[cause] += seconds  # type: ignore[assignment]
        self.figures.undersold_unit_seconds += self._undersold_units * seconds
        self._since, self._causes, self._undersold_units = now, causes, undersold_units
