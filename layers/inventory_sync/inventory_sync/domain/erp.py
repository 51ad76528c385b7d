"""What an ERP's connector can do, and what its change feed says."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Dedupe(StrEnum):
    """How the ERP treats a reference it has seen."""

    NATIVE = "native"
    """A repeat is recognised and answered as such."""
    LOOKUP = "lookup"
    """A repeat books twice; a reference can be looked up."""


class ChangeFeed(StrEnum):
    """How the ERP tells which products' stock has changed."""

    NONE = "none"
    """It does not: every import reads everything."""
    TIMESTAMP = "timestamp"
    """By a time of change, which may miss what is committed late: read everything now and then."""
    SEQUENCE = "sequence"
    """By a counter in the order of commits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErpCapabilities:
    """What a connector can do; `apply_lag` is how long what it acknowledged may take to show.

    `reference_length_max` is in characters. `absent_means_zero`: a product that a snapshot or
    a read leaves out has no stock; else its stock is not known. `consistent_snapshot`: all rows
    are of one instant.
    """

    dedupe: Dedupe
    bulk_max: int
    reservations: bool
    apply_lag: timedelta
    reference_length_max: int = 128
    change_feed: ChangeFeed = ChangeFeed.NONE
    absent_means_zero: bool = True
    consistent_snapshot: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Products of one location whose stock may have changed since a cursor, and the next cursor.

    `as_of`, on the ERP's clock, is when the reading of the feed began: a product that is not
    named has not changed up to then. Not `complete`: the feed does not reach back to the cursor,
    so that everything has to be read.
    """

    product_ids: frozenset[str]
    cursor: str
    as_of: datetime
    complete: bool
