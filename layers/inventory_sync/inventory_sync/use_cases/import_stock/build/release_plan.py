"""Up to which logical timestamp a run states stock, and the range that it releases."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from inventory_sync.domain.cut import (
    LocationCut,
    LogicalRange,
    choose_cut_end,
    outlier_timestamp,
)
from inventory_sync.domain.events import OpenEvent, logical_timestamp
from inventory_sync.domain.manifest import Manifest
from inventory_sync.ports.observe import Observer


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasePlan:
    """Made from the last finished run and the last attempted one.

    Events up to the cut end of `previous` are released already.
    """

    first_logical_timestamp: int
    previous: Manifest
    unfinished: Manifest
    settled_before: datetime
    observer: Observer

    def choose_end(self, events: Iterable[OpenEvent], blocked: frozenset[str]) -> int:
        """The cut end, from the open events of all locations that are in the run or `blocked`."""
        events = list(events)
        floor = max(self.previous.cut_end, self.unfinished.cut_end)
        self.observer.count("OutlierTimestamps", outlier_timestamp(events, floor) is not None)
        return choose_cut_end(
            events, settled_before=self.settled_before, floor=floor, blocked=blocked
        )

    def range(self, cut: LocationCut) -> LogicalRange:
        """From what is released already, or from a late event where one is being corrected.

        The range that passed over a late event may not have released it: where NewStore lets a
        range act on the locations of its file, the event's location need not have been in one. One
        less than the event's own, in case the start is not included. For the same reason a location
        that was in no import yet starts where the first range did.
        """
        starts = [self.previous.cut_end]
        if cut.location_id not in self.previous.locations:
            starts.append(self.first_logical_timestamp)
        starts += (max(0, logical_timestamp(ref) - 1) for ref in cut.late)
        return LogicalRange(min(starts), cut.cut_end)
