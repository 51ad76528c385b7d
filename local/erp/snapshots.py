"""Pages of a location's stock, and the ways in which an ERP spoils them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from local.erp.records import SnapshotPage, StockKey, StockRows
from local.http_server import CallRefusedError

OPEN_SNAPSHOTS_MAX = 200

Spoiling = Literal["none", "truncated", "empty", "repeated_cursor"]
Rows = list[tuple[str, object]]


@dataclass(frozen=True)
class PlannedSpoiling:
    """What happens to the next snapshot of a location (None: of any)."""

    spoiling: Spoiling
    location: str | None
    rows: int = 0


@dataclass(frozen=True)
class OpenSnapshot:
    """A snapshot somebody is paging through; `frozen` holds its rows when it is consistent."""

    location: str
    as_of: datetime
    frozen: Rows | None
    spoiling: PlannedSpoiling


class Snapshots:
    """Pages are cut by product, so a live one neither skips nor repeats a row that stays.

    `read(location)` gives a fresh instant and the rows shown as of it, ordered by product.
    """

    def __init__(self, read: Callable[[str], tuple[datetime, Rows]], consistent: bool) -> None:
        self._read, self._consistent = read, consistent
        self.planned: list[PlannedSpoiling] = []
        self.shown_instead: dict[StockKey, object] = {}
        """Figures shown in place of the true ones: fractions, text, anything."""
        self._open: dict[str, OpenSnapshot] = {}
        self._begun = 0

    def page(self, location: str, cursor: str | None, limit: int) -> SnapshotPage:
        """One page; CallRefusedError 410 for a cursor that is unknown or of another location."""
        if cursor is None:
            return self._cut(*self._begin(location), after="", limit=limit)
        number, _, after = cursor.partition(":")
        snapshot = self._open.get(number)
        if snapshot is None or snapshot.location != location:
            raise CallRefusedError(410, "the cursor is no longer valid: begin again")
        as_of, rows = snapshot.as_of, snapshot.frozen
        if rows is None:
            as_of, rows = self._read(location)
        return self._cut(number, snapshot, as_of, rows, after=after, limit=limit)

    def rows_of(self, location: str, products: Collection[str]) -> StockRows:
        """The rows of these products now."""
        as_of, rows = self._read(location)
        wanted = set(products)
        kept = tuple(self._shown(location, row) for row in rows if row[0] in wanted)
        return StockRows(location, as_of, kept)

    def _shown(self, location: str, row: tuple[str, object]) -> tuple[str, object]:
        product, units = row
        return product, self.shown_instead.get((location, product), units)

    def _begin(self, location: str) -> tuple[str, OpenSnapshot, datetime, Rows]:
        as_of, rows = self._read(location)
        frozen = rows if self._consistent else None
        snapshot = OpenSnapshot(location, as_of, frozen, self._take_spoiling(location))
        self._begun += 1
        self._open[str(self._begun)] = snapshot
        self._open.pop(str(self._begun - OPEN_SNAPSHOTS_MAX), None)
        return str(self._begun), snapshot, as_of, rows

    def _take_spoiling(self, location: str) -> PlannedSpoiling:
        for position, planned in enumerate(self.planned):
            if planned.location in (None, location):
                return self.planned.pop(position)
        return PlannedSpoiling("none", None)

    def _cut(
        self,
        number: str,
        snapshot: OpenSnapshot,
        as_of: datetime,
        rows: Rows,
        *,
        after: str,
        limit: int,
    ) -> SnapshotPage:
        spoiling = snapshot.spoiling
        if spoiling.spoiling == "empty":
            return SnapshotPage(snapshot.location, as_of, 0, (), None)
        left_out = spoiling.rows if spoiling.spoiling == "truncated" else 0
        kept = rows[: max(0, len(rows) - left_out)]
        rest = [row for row in kept if row[0] > after]
        page = tuple(self._shown(snapshot.location, row) for row in rest[:limit])
        next_cursor = f"{number}:{page[-1][0]}" if len(rest) > limit else None
        if spoiling.spoiling == "repeated_cursor":
            next_cursor = f"{number}:"
        return SnapshotPage(snapshot.location, as_of, len(rows), page, next_cursor)
