"""What adds up over the rows of a reconciliation."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from inventory_sync.domain.drift import Cause, RowDrift


@dataclass
class DriftTotals:
    """What adds up over rows: memory does not grow with those that agree."""

    rows: int = 0
    agreeing: int = 0
    unchecked: int = 0
    oversold_units: int = 0
    undersold_units: int = 0
    rows_by_cause: Counter[Cause] = field(default_factory=Counter)
    units_by_cause: Counter[Cause] = field(default_factory=Counter)

    def add(self, drifts: Iterable[RowDrift]) -> None:
        """Rows that were compared."""
        for drift in drifts:
            self.rows += 1
            self.agreeing += not drift.parts
            self.oversold_units += drift.oversold_units
            self.undersold_units += drift.undersold_units
            for cause, units in drift.parts.items():
                self.rows_by_cause[cause] += 1
                self.units_by_cause[cause] += abs(units)
