"""What becomes of a shipped unit at NewStore: its documents say two things (docs/newstore.md)."""

from enum import StrEnum


class ReleaseReading(StrEnum):
    """Which of the two holds."""

    RANGE = "range"
    """NewStore deducts a shipped unit until an import's range releases it."""
    IMMEDIATE = "immediate"
    """NewStore takes a shipped unit off its stock at once; an import overwrites that."""
    FIND_OUT = "find_out"
    """Not known yet: rows and range as for `range`, quantities as for `immediate`, which are
    lower or equal."""

    def quantity_lacks(self, logical_timestamp: int, cut_end: int) -> bool:
        """Whether an imported quantity has to be without a unit that left at that timestamp."""
        return self is not ReleaseReading.RANGE or logical_timestamp <= cut_end
