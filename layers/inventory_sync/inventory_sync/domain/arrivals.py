"""How many completed events usually come in an hour of the week, and how many are missing now.

Counted are completed events by when they were received: they stay open, and so can be seen, at
least for the settle window. The usual figure of an hour is the lower median of its last four weeks,
so that neither one outage nor one sale changes what is usual, and a lasting change does.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

WEEKS_KEPT = 4
WEEKS_MIN = 2
"""With fewer an hour's usual figure is not known, and counts as nothing."""
HOURS_PER_WEEK = 168
GAP_MAX = timedelta(minutes=14)
"""Between two looks; in a longer one an event may come and be closed unseen."""
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """What was counted up to `looked_at`.

    `count` is of the hour under way; `whole` says whether it was watched from its beginning.
    `weeks` has the counts of whole hours by hour of the week (0 is Monday 00:00 UTC), newest last.
    """

    looked_at: datetime | None = None
    last_at: datetime | None = None
    count: int = 0
    whole: bool = False
    weeks: Mapping[int, tuple[int, ...]] = field(default_factory=dict)

    def after(
        self, completed: Iterable[datetime], now: datetime, heard_at: datetime | None = None
    ) -> "Arrivals":
        """With what came since the last look: `completed` has at least the completed events of it.

        `heard_at` is when an event of any kind last came, as far as that is known.
        """
        completed = tuple(completed)
        last = max((at for at in (self.last_at, heard_at, *completed) if at), default=None)
        before = self.looked_at
        if before is None or not timedelta(0) <= now - before <= GAP_MAX:
            return replace(self, looked_at=now, last_at=last, count=0, whole=False)
        found = self
        for hour in _hours(before, now):
            came = sum(max(before, hour) < at <= min(now, hour + _HOUR) for at in completed)
            found = replace(found, count=found.count + came)
            if hour + _HOUR <= now:
                found = found._ended(hour)
        return replace(found, looked_at=now, last_at=last)

    def missing(self, now: datetime) -> float:
        """How many events usually come in as long a time as none has come up to now."""
        if self.last_at is None:
            return 0.0
        start = max(self.last_at, now - timedelta(hours=HOURS_PER_WEEK))
        return sum(
            self.usual(hour) * ((min(now, hour + _HOUR) - max(start, hour)) / _HOUR)
            for hour in _hours(start, now)
        )

    def usual(self, hour: datetime) -> int:
        """Events in that hour of other weeks."""
        counts = sorted(self.weeks.get(_hour_of_week(hour), ()))
        return counts[(len(counts) - 1) // 2] if len(counts) >= WEEKS_MIN else 0

    def _ended(self, hour: datetime) -> "Arrivals":
        """The hour is over: learnt if it was watched, and the next one begins."""
        weeks = dict(self.weeks)
        if self.whole:
            slot = _hour_of_week(hour)
            weeks[slot] = (*weeks.get(slot, ()), self.count)[-WEEKS_KEPT:]
        return replace(self, weeks=weeks, count=0, whole=True)


def _hours(start: datetime, end: datetime) -> list[datetime]:
    """Beginnings of the hours that lie between, the first and the last in part; a week at most."""
    first = start.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    count = min(int((end - first) / _HOUR) + 1, HOURS_PER_WEEK + 1)
    return [first + number * _HOUR for number in range(count)]


def _hour_of_week(hour: datetime) -> int:
    return hour.weekday() * 24 + hour.hour
