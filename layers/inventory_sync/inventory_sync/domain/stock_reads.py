"""What was read of a location's stock in the ERP, and which reads are due."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from inventory_sync.domain.locations import Location
from inventory_sync.domain.repeats import Repeats
from inventory_sync.domain.stock import StockSnapshot

FEED_FOR = timedelta(hours=24)
"""So long only what a change feed names is read; then all rows, since a feed may miss a change."""
FIRST_READS_MAX = 300
"""Locations never imported that are read ahead: an archive takes about a hundred large ones."""
BATCH_LOCATIONS = 20
"""With ten pages of 1.5 s each, what one invocation reads in five minutes."""


@dataclass(frozen=True, slots=True)
class StockRead:
    """A location's stock, and where the feed stood before it was read; None without a feed.

    `started_at` is when the reading began, on our clock. `fed_since` is when all rows were last
    read, to which the feed's changes were added since. `version` names the kept read; empty for one
    that was made for the run itself. `held` are products of which the ERP's figure is not believed:
    the snapshot is without them.
    """

    snapshot: StockSnapshot
    cursor: str | None
    started_at: datetime
    fed_since: datetime | None = None
    version: str = ""
    held: frozenset[str] = frozenset()
    repeats: Repeats | None = None


@dataclass(frozen=True, slots=True)
class UnreadStock:
    """Why a location could not be read; `incomplete` where its rows do not add up."""

    reason: str
    incomplete: bool = False


@dataclass(frozen=True, slots=True)
class NoNewRead:
    """Nothing was read of the location that the last finished import did not have."""


Read = StockRead | UnreadStock
"""What comes of reading a location."""


@dataclass(frozen=True, slots=True)
class KeptVersion:
    """A kept read by its name, and when it was kept."""

    version: str
    kept_at: datetime


@dataclass(frozen=True, slots=True)
class ReadPlan:
    """Reads that were asked for at once; one execution makes them, under the plan's id.

    `whole` where all rows are wanted, whatever a change feed says.
    """

    plan_id: str
    planned_at: datetime
    whole: bool = False


def choose_reads(
    places: Iterable[Location],
    kept: Mapping[str, KeptVersion],
    imported: frozenset[str],
    *,
    not_since: datetime,
    planned_at: datetime | None,
) -> list[str]:
    """Locations that were not read since: those never imported first, then the longest waiting.

    Of the imported ones all, where those that were asked for last, at `planned_at`, have all been
    read: a round of reads begins where the last one has ended.
    """

    def order(place: Location) -> tuple[bool, str, str]:
        found = kept.get(place.location_id)
        return found is not None, found.kept_at.isoformat() if found else "", place.location_id

    def read_since(place: Location, at: datetime | None) -> bool:
        found = kept.get(place.location_id)
        return at is not None and found is not None and found.kept_at > at

    enabled = sorted((place for place in places if place.enabled), key=order)
    first = [p for p in enabled if p.location_id not in imported]
    ready = sum(read_since(place, not_since) for place in first)
    chosen = [p for p in first if not read_since(p, not_since)][: max(0, FIRST_READS_MAX - ready)]
    others = [place for place in enabled if place.location_id in imported]
    whole = all(read_since(place, planned_at) for place in others)
    chosen += [place for place in others if whole or not read_since(place, not_since)]
    return [place.location_id for place in chosen]


def batches_of(locations: Sequence[str], size: int) -> list[tuple[str, ...]]:
    """In order, so many each."""
    starts = range(0, len(locations), size)
    return [tuple(locations[start : start + size]) for start in starts]


def usable(
    read: StockRead,
    *,
    last_as_of: datetime | None,
    apply_lag: timedelta,
    last_finished_at: datetime | None,
    not_before: datetime,
) -> bool:
    """Whether a kept read shows all that was closed since it was made.

    `last_as_of` is the location's moment in the last finished import: an event is closed once an
    import has counted it and its snapshot has shown it, so an older read may lack what no open
    event names any more. An older one that was begun after that import's end is the ERP's fault,
    and is for the guards. Without a last import nothing is closed but what the ERP had applied a
    settle window before a run: a read begun at `not_before`, which is as long ago, shows it.
    """
    if last_as_of is None:
        return read.started_at >= not_before
    late = last_finished_at is None or read.started_at <= last_finished_at
    return not late or read.snapshot.as_of - apply_lag >= last_as_of
