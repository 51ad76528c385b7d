"""Up to which logical timestamp each location is stated, and from where its range starts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from inventory_sync.domain.cut import (
    LocationCut,
    LogicalRange,
    choose_cut_end,
    equal_timestamps,
    outlier_timestamp,
)
from inventory_sync.domain.events import OpenEvent, logical_timestamp
from inventory_sync.domain.manifest import Manifest
from inventory_sync.ports.observe import Observer

RELEASING_LOCATIONS_MAX = 900
"""Under location scope each releasing location has a file; a zip holds 1,000."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CutEnds:
    """Chosen from the last finished run and the last attempted one.

    `tenant_watermark` is None before the first finished import, and under location scope.
    """

    tenant_scope: bool
    first_logical_timestamp: int
    previous: Manifest
    unfinished: Manifest
    tenant_watermark: int | None
    settled_before: datetime
    observer: Observer

    def choose(
        self,
        location_ids: list[str],
        open_by_location: Mapping[str, list[OpenEvent]],
        blocked: frozenset[str],
    ) -> dict[str, int]:
        """The cut end of each location: one for all under tenant scope."""
        if self.tenant_scope:
            concerned = sorted({*location_ids, *blocked})
            events = [e for i in concerned for e in open_by_location.get(i, [])]
            self.observer.count("EqualLogicalTimestamps", equal_timestamps(events))
            floor = max(self.previous.cut_end, self.unfinished.cut_end)
            self.observer.count("OutlierTimestamps", outlier_timestamp(events, floor) is not None)
            end = choose_cut_end(
                events, settled_before=self.settled_before, floor=floor, blocked=blocked
            )
            return dict.fromkeys(location_ids, end)
        ends, releasing, leaps = {}, 0, 0
        for location_id in location_ids:
            start = self.start(location_id)
            attempted = self.unfinished.locations.get(location_id)
            floor = max(start, attempted.cut_end if attempted else 0)
            events = open_by_location.get(location_id, [])
            leaps += outlier_timestamp(events, floor) is not None
            if releasing < RELEASING_LOCATIONS_MAX:
                floor = choose_cut_end(events, settled_before=self.settled_before, floor=floor)
            releasing += floor > start
            ends[location_id] = floor
        self.observer.count("OutlierTimestamps", leaps)
        return ends

    def start(self, location_id: str) -> int:
        """Up to where the location's events are already released."""
        if self.tenant_scope:
            return self.previous.cut_end
        entry = self.previous.locations.get(location_id)
        return entry.cut_end if entry else self.first_logical_timestamp

    def watermark(self, location_id: str) -> int | None:
        """None before the first finished import, when no event can be late."""
        if self.tenant_scope:
            return self.tenant_watermark
        entry = self.previous.locations.get(location_id)
        return entry.cut_end if entry else None

    def range(self, cut: LocationCut) -> LogicalRange:
        """From what is released already, or from a late event where one is being corrected.

        The range that passed over a late event may not have released it: where NewStore lets a
        range act on the locations of its file, the event's location need not have been in one. One
        less than the event's own, in case the start is not included. For the same reason a location
        that was in no import yet starts where the first range did.
        """
        starts = [self.start(cut.location_id)]
        if cut.location_id not in self.previous.locations:
            starts.append(self.first_logical_timestamp)
        starts += (max(0, logical_timestamp(ref) - 1) for ref in cut.late)
        return LogicalRange(min(starts), cut.cut_end)
