"""What adds up over a shadow's looks: memory grows with the rows that differ, not with time."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import nlargest

from inventory_sync.domain.shadow import Look, PromiseRow, Promises, RowStory, ShadowReport

HOLDS_FOR_MAX = timedelta(hours=1)
"""What was seen holds until the next look at its location, and no longer than this."""
_HOUR = timedelta(hours=1)


def report_of(looks: Iterable[Look], *, until: datetime, rows_max: int = 50) -> ShadowReport:
    """Fold looks, which come in the order of time at each location; `until` ends the last ones."""
    tally = _Tally()
    for look in looks:
        tally.add(look)
    tally.end(until)
    return tally.report(rows_max)


@dataclass
class _Tally:
    """Holds the last look at each location, and sums: not the looks."""

    last: dict[str, Look] = field(default_factory=dict)
    looks: int = 0
    unchecked: int = 0
    since: datetime | None = None
    until: datetime | None = None
    longest_gap: timedelta = timedelta(0)
    oldest_stock: timedelta = timedelta(0)
    unread: dict[str, str] = field(default_factory=dict)
    total: Promises = field(default_factory=Promises)
    by_location: dict[str, Promises] = field(default_factory=lambda: defaultdict(Promises))
    by_product: dict[str, Promises] = field(default_factory=lambda: defaultdict(Promises))
    by_hour: dict[datetime, Promises] = field(default_factory=lambda: defaultdict(Promises))
    by_row: dict[tuple[str, str], RowStory] = field(default_factory=dict)

    def add(self, look: Look) -> None:
        """What the look before has seen held until now."""
        self.since = min(self.since or look.at, look.at)
        self.until = max(self.until or look.at, look.at)
        if look.unread:
            self.unread[look.location_id] = look.unread
            return
        self.unread.pop(look.location_id, None)
        before = self.last.get(look.location_id)
        if before is not None:
            self._held(before, look.at)
            self.longest_gap = max(self.longest_gap, look.at - before.at)
        self.last[look.location_id] = look
        self.looks += 1
        self.unchecked += look.unchecked
        if look.as_of is not None:
            self.oldest_stock = max(self.oldest_stock, look.at - look.as_of)

    def end(self, until: datetime) -> None:
        """What was seen last holds until then, as far as it holds."""
        for look in self.last.values():
            self._held(look, until)

    def _held(self, look: Look, until: datetime) -> None:
        end = min(until, look.at + HOLDS_FOR_MAX)
        length = end - look.at
        if length <= timedelta(0):
            return
        for row in look.differing:
            self.total = self.total.plus(row, length)
            location = self.by_location[look.location_id]
            self.by_location[look.location_id] = location.plus(row, length)
            self.by_product[row.product_id] = self.by_product[row.product_id].plus(row, length)
            for hour, part in _hours(look.at, end):
                self.by_hour[hour] = self.by_hour[hour].plus(row, part)
            self._tell(look, row, length)

    def _tell(self, look: Look, row: PromiseRow, length: timedelta) -> None:
        key = look.location_id, row.product_id
        known = self.by_row.get(key)
        worse = known is None or _badness(row) > _badness(known.worst)
        self.by_row[key] = RowStory(
            location_id=look.location_id,
            product_id=row.product_id,
            promises=(known.promises if known else Promises()).plus(row, length),
            at=look.at if known is None or worse else known.at,
            as_of=look.as_of if known is None or worse else known.as_of,
            worst=row if known is None or worse else known.worst,
        )

    def report(self, rows_max: int) -> ShadowReport:
        """The sums, in order."""
        costliest = nlargest(
            rows_max,
            self.by_row.values(),
            key=lambda story: (*story.promises.cost, story.location_id, story.product_id),
        )
        return ShadowReport(
            since=self.since,
            until=self.until,
            looks=self.looks,
            rows=sum(look.rows for look in self.last.values()),
            unchecked=self.unchecked,
            longest_gap=self.longest_gap,
            oldest_stock=self.oldest_stock,
            unread=dict(sorted(self.unread.items())),
            total=self.total,
            by_location=_costliest_first(self.by_location),
            by_product=_costliest_first(self.by_product),
            by_hour=dict(sorted(self.by_hour.items())),
            costliest=tuple(costliest),
        )


def _badness(row: PromiseRow) -> tuple[int, int, int]:
    return row.certain, row.too_much, row.too_little


def _costliest_first(found: Mapping[str, Promises]) -> dict[str, Promises]:
    return dict(sorted(found.items(), key=lambda item: (*(-c for c in item[1].cost), item[0])))


def _hours(start: datetime, end: datetime) -> Iterator[tuple[datetime, timedelta]]:
    """The hours of the clock that a time touches, and its part in each."""
    hour = start.replace(minute=0, second=0, microsecond=0)
    while hour < end:
        following = hour + _HOUR
        yield hour, min(end, following) - max(start, hour)
        hour = following
