"""One reading of a stack whose NewStore and ERP are the simulators, wherever its tables are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from cli.room.reading import Reading, Truth
from local.room import simulators
from local.room.tables import Tables


@dataclass(frozen=True, slots=True)
class StackReader:
    """Where everything is; `now` is the clock that the handlers have."""

    tables: Tables
    newstore_url: str
    erp_url: str
    now: Callable[[], datetime]

    def read(self) -> Reading:
        """Read anew; parts that change meanwhile may be a moment apart."""
        newstore = simulators.read_state(self.newstore_url)
        erp = simulators.read_state(self.erp_url)
        locations = self.tables.locations
        ids = simulators.Ids.of(locations.locations().values(), locations.skus())
        head = self.tables.head()
        opened, closed = self.tables.events()
        stored = {event.event.ref for event in (*opened, *closed)}
        under_way = [event for event in simulators.published(newstore) if event.ref not in stored]
        return Reading(
            at=self.now(),
            watermark=head.watermark,
            release=head.release,
            runs=self.tables.runs(),
            holds=self.tables.holds(),
            open_events=tuple(opened),
            quarantined=self.tables.quarantined(),
            promises=simulators.promises(newstore, ids),
            erp_units=simulators.erp_units(erp, ids),
            erp_down_until=simulators.down_until(erp),
            truth=Truth(
                shelf_units=simulators.shelf_units(newstore, erp, ids),
                under_way=tuple(under_way),
                closed=tuple(closed),
                double_bookings=erp["double_bookings"],
            ),
        )
