"""What a shadow saw last: NewStore's promises beside what would have been sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cli.text import span
from inventory_sync.domain.shadow import Look, PromiseRow
from inventory_sync.domain.wording import counted
from inventory_sync.ports.shadow import Looks
from inventory_sync.use_cases.reconcile.shadow_report import HOLDS_FOR_MAX

TICK_MAX = timedelta(minutes=20)
"""From when a tick begins, by which its looks are named, until they are kept."""
LOOKS_WITHIN = timedelta(minutes=30)
"""A tick of very many locations takes a quarter of an hour, and then the next begins."""
PAGE = "docs/runbook.md, A shadow"


@dataclass(frozen=True, slots=True)
class ShadowNow:
    """The last look at each location that was looked at lately; `unread` where the last failed."""

    looks: Mapping[str, Look] = field(default_factory=dict)
    unread: Mapping[str, str] = field(default_factory=dict)

    @property
    def at(self) -> datetime | None:
        """Of the newest look."""
        return max((look.at for look in self.looks.values()), default=None)

    @property
    def oldest_stock(self) -> datetime | None:
        """The ERP's oldest figures among them."""
        return min((look.as_of for look in self.looks.values() if look.as_of), default=None)

    @property
    def rows(self) -> int:
        """Compared, together."""
        return sum(look.rows for look in self.looks.values())

    def differing(self) -> list[tuple[Look, PromiseRow]]:
        """Rows whose promise is not what it should be, the costliest first."""
        found = [(look, row) for look in self.looks.values() for row in look.differing]
        found.sort(key=lambda one: (one[0].location_id, one[1].product_id))
        return sorted(
            found, key=lambda one: (-one[1].certain, -one[1].too_much, -one[1].too_little)
        )

    @property
    def units(self) -> dict[str, int]:
        """Promised too many, of those for certain, and promised too few."""
        rows = [row for look in self.looks.values() for row in look.differing]
        return {
            "too_many": sum(row.too_much for row in rows),
            "certain": sum(row.certain for row in rows),
            "too_few": sum(row.too_little for row in rows),
        }

    @property
    def in_words(self) -> str:
        """What the looks found."""
        units = self.units
        rows = sum(len(look.differing) for look in self.looks.values())
        found = "every promise was as it should be"
        if rows:
            found = (
                f"{units['too_many']:,} units promised too many, {units['certain']:,} of them for"
                f" certain, and {units['too_few']:,} too few, in {counted(rows, 'row')}"
            )
        return f"{counted(self.rows, 'row')} of {counted(len(self.looks), 'location')}: {found}"

    def concern(self, now: datetime) -> str:
        """What needs a person; empty where nothing does."""
        if self.at is None or now - self.at > LOOKS_WITHIN:
            since = f"for {span(now - self.at)}" if self.at else "in the last hour"
            first = next(iter(sorted(self.unread.items())), None)
            why = f" ({first[0]}: {first[1]})" if first else ""
            return f"the shadow has looked at no location {since}{why}: see {PAGE}"
        for location_id, why in sorted(self.unread.items())[:1]:
            where = counted(len(self.unread), "location")
            return f"the shadow could not look at {where}, the first {location_id}: {why}"
        return ""


class LatestLooks:
    """Keeps what it has read: a later time it reads only what has come since."""

    def __init__(self, looks: Looks) -> None:
        self._looks = looks
        self._found: dict[str, Look] = {}
        self._unread: dict[str, Look] = {}
        self._read_at: datetime | None = None

    def at(self, now: datetime) -> ShadowNow:
        """As of now; a look holds for an hour."""
        oldest = now - HOLDS_FOR_MAX
        since = oldest if self._read_at is None else max(oldest, self._read_at - TICK_MAX)
        for look in self._looks.between(since, now + timedelta(seconds=1)):
            kept = self._unread if look.unread else self._found
            if look.location_id not in kept or kept[look.location_id].at <= look.at:
                kept[look.location_id] = look
        self._read_at = now
        self._found = {key: look for key, look in self._found.items() if look.at > oldest}
        self._unread = {
            key: look
            for key, look in self._unread.items()
            if look.at > oldest and (key not in self._found or self._found[key].at < look.at)
        }
        return ShadowNow(self._found, {key: look.unread for key, look in self._unread.items()})
