"""Full refresh: every row of every location is sent anew, in slices that fill what archives have
room for.

A refresh goes on from import to import until all locations have been in it; the next one begins
with those that have waited longest.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from inventory_sync.domain.manifest import Basis, LocationEntry, Manifest

ROW_BYTES = 80
"""Of a row, where no import says yet how many it takes."""
READ_SHARE_MIN = 0.05
"""Of the locations, where an import reads so few: a slice has no more than twenty archives'."""
UNREAD_FOR = timedelta(hours=2)
"""What was not read for so long comes last, as what is held does: it would fill no place."""
RUN_EVERY = timedelta(minutes=5)
"""NewStore takes no two jobs in less."""


def waits(entry: LocationEntry, since: datetime | None) -> bool:
    """Whether not all of its rows have gone out since the refresh began."""
    if entry.refresh_from is not None or entry.refreshed_at is None:
        return True
    return since is not None and entry.refreshed_at < since


def choose_slice(
    manifest: Manifest,
    *,
    among: Collection[str],
    held: Collection[str],
    since: datetime | None,
    planned_at: datetime,
    room_bytes: int,
) -> frozenset[str]:
    """Locations whose refresh is due: those that are in it in part, then the longest waiting.

    As many as fill `room_bytes` with those of them that are read: an import that can read a part of
    all only may choose among more. Held ones come last.
    """
    found = manifest.locations
    waiting = [i for i in among if i in found and waits(found[i], since)]

    def order(location_id: str) -> tuple[bool, bool, str, str]:
        entry = found[location_id]
        at = entry.refreshed_at.isoformat() if entry.refreshed_at else ""
        unread = location_id in held or planned_at - entry.as_of > UNREAD_FOR
        return entry.refresh_from is None, unread, at, location_id

    read = sum(entry.basis is Basis.SNAPSHOT for entry in found.values())
    room = room_bytes / max(READ_SHARE_MIN, read / len(found)) if found else 0.0
    chosen = set[str]()
    for location_id in sorted(waiting, key=order):
        room -= found[location_id].rows * (manifest.row_bytes or ROW_BYTES)
        if chosen and room < 0 and found[location_id].refresh_from is None:
            break
        chosen.add(location_id)
    return frozenset(chosen)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshProgress:
    """How far the first import, or else the full refresh, of the imported locations has come.

    `refreshed` have had all their rows sent since it began, `first` were in no import yet.
    `rows_waiting` is an estimate where locations are still to be imported for the first time.
    `oldest_at` is when all rows of the location that has waited longest went out; None where one
    has never had all of them sent. `time_left` is None as long as nothing is known of the pace.
    """

    since: datetime | None
    locations: int
    refreshed: int
    first: int
    rows_waiting: int
    oldest_at: datetime | None
    time_left: timedelta | None

    @property
    def done(self) -> bool:
        """Whether all locations have been in it."""
        return self.refreshed == self.locations

    @classmethod
    def of(cls, manifest: Manifest, imported: Collection[str], now: datetime) -> "RefreshProgress":
        """By the last finished run, of the locations that the map imports."""
        since = manifest.refresh_since
        entries = [manifest.locations[i] for i in imported if i in manifest.locations]
        waiting = [entry for entry in entries if waits(entry, since)]
        gone = [entry for entry in entries if not waits(entry, since)]
        first = len(imported) - len(entries)
        rows = sum(entry.rows for entry in entries)
        mean = rows / len(entries) if entries else 0
        rows_waiting = round(sum(entry.rows for entry in waiting) + first * mean)
        at = [entry.refreshed_at for entry in entries if entry.refreshed_at is not None]
        return cls(
            since=since,
            locations=len(imported),
            refreshed=len(gone),
            first=first,
            rows_waiting=rows_waiting,
            oldest_at=min(at) if at and len(at) == len(imported) else None,
            time_left=_time_left(gone, len(waiting) + first, rows_waiting, since, now),
        )


def _time_left(
    gone: Collection[LocationEntry],
    locations_waiting: int,
    rows_waiting: int,
    since: datetime | None,
    now: datetime,
) -> timedelta | None:
    """At the pace since it began, in which each slice took a run."""
    if not locations_waiting:
        return timedelta(0)
    rows = sum(entry.rows for entry in gone)
    if since is None or not rows:
        return None
    slices = len({entry.refreshed_at for entry in gone})
    spent = max(now - since, RUN_EVERY * slices)
    return spent * (rows_waiting / rows)
