"""Gather evidence: see, right after an import, how NewStore counts the units that have shipped."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from inventory_sync.domain.atp import AtpKey, StockInsights
from inventory_sync.domain.cut import AppliedRule
from inventory_sync.domain.evidence_rows import EvidenceRow, evidence_rows
from inventory_sync.domain.import_run import ImportRun
from inventory_sync.domain.locations import Location
from inventory_sync.domain.needed_rows import CLOCK_MARGIN
from inventory_sync.domain.release_evidence import (
    Observation,
    RowMeasure,
    observations_of,
    still_listed,
)
from inventory_sync.domain.units import CompletedUnit, completed_units
from inventory_sync.ports.events import EventLog
from inventory_sync.ports.files import FileStore
from inventory_sync.ports.locations import LocationStore
from inventory_sync.ports.newstore import RowReader
from inventory_sync.ports.observe import Clock

INSIGHTS_PER_SECOND = 60
"""NewStore allows 90; what else asks it needs some."""
RUN_AGE_MAX = timedelta(minutes=30)
"""Of an older run too much may have happened since that is not known yet."""
SHIPPED_AGE = timedelta(minutes=10)
"""What left less long ago may still be listed while NewStore's own views catch up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GatherEvidence:
    """Reads; changes nothing. At most `rows_max` rows of each of `locations_max` locations."""

    event_log: EventLog
    files: FileStore
    stock: RowReader
    location_store: LocationStore
    clock: Clock
    rule: AppliedRule
    locations_max: int = 4
    rows_max: int = 12

    def __call__(self, run: ImportRun) -> tuple[Observation, ...]:
        """Of a run that NewStore has finished, before its events are closed; errors are the ports'.

        Locations with the most units after the range come first.
        """
        if not run.job_id or self.clock.now() - run.planned_at > RUN_AGE_MAX:
            return ()
        found: list[Observation] = []
        for place, units in self._where(run.cut_end):
            rows = self._rows(run, place.location_id, units)
            found += observations_of(self._measure(place, rows), self.clock.now())
        return tuple(found)

    def before_imports(self) -> tuple[Observation, ...]:
        """While no import of ours has released anything: shipped units that are still listed.

        That a unit is not listed says nothing. Errors are the ports'.
        """
        before = self.clock.now() - SHIPPED_AGE
        found: list[Observation] = []
        for place, units in self._where(0):
            found += self._listed(place, [u for u in units if u.gone_at <= before])
        return tuple(found)

    def _listed(self, place: Location, units: list[CompletedUnit]) -> list[Observation]:
        by_product: dict[str, set[str]] = defaultdict(set)
        for unit in units:
            by_product[unit.product_id].add(unit.unit.item_id)
        found = []
        for product_id, shipped in sorted(by_product.items())[: self.rows_max]:
            insights = self._insights(AtpKey(product_id, place.fulfillment_node_id))
            if listed := sorted(shipped & {a.item_uuid for a in insights.allocations}):
                one = still_listed(place.location_id, product_id, listed, at=self.clock.now())
                found.append(one)
        return found

    def _where(self, cut_end: int) -> Iterator[tuple[Location, tuple[CompletedUnit, ...]]]:
        """The imported ones of the locations with the most units, with their units."""
        units = self._units(cut_end)
        places = self.location_store.locations() if units else {}
        for location_id in sorted(units, key=lambda i: (-len(units[i]), i))[: self.locations_max]:
            place = places.get(location_id)
            if place is not None and place.enabled:
                yield place, units[location_id]

    def _units(self, cut_end: int) -> Mapping[str, tuple[CompletedUnit, ...]]:
        """Of the locations where one left after the range. None where orders were migrated there:

        what NewStore made of those is not known.
        """
        events = defaultdict(list)
        for open_event in self.event_log.open_events():
            events[open_event.event.location_id].append(open_event)
        units = {location_id: completed_units(found) for location_id, found in events.items()}
        return {
            location_id: found
            for location_id, found in units.items()
            if any(unit.logical_timestamp > cut_end for unit in found)
            and not any(self.rule.historical(unit.left_at) for unit in found)
        }

    def _rows(
        self, run: ImportRun, location_id: str, units: tuple[CompletedUnit, ...]
    ) -> tuple[EvidenceRow, ...]:
        ledger = self.files.ledger(location_id, run.run_id)
        if ledger is None:
            return ()
        return evidence_rows(
            ledger,
            units,
            cut_end=run.cut_end,
            began_at=run.planned_at - CLOCK_MARGIN,
            rows_max=self.rows_max,
        )

    def _measure(self, place: Location, rows: tuple[EvidenceRow, ...]) -> list[RowMeasure]:
        """Allocations are read between two equal promises, so that both belong together."""
        if not rows:
            return []
        keys = {row.product_id: AtpKey(row.product_id, place.fulfillment_node_id) for row in rows}
        before = self.stock.atp(keys.values())
        insights = {product_id: self._insights(key) for product_id, key in keys.items()}
        after = self.stock.atp(keys.values())
        return [
            _measured(place, row, after[key], insights[row.product_id])
            for row in rows
            if (key := keys[row.product_id]) in after
            and after[key] == before.get(key)
            and insights[row.product_id].complete
            and not insights[row.product_id].future_allocations
        ]

    def _insights(self, key: AtpKey) -> StockInsights:
        self.clock.sleep(1 / INSIGHTS_PER_SECOND)
        return self.stock.insights(key)


def _measured(place: Location, row: EvidenceRow, atp: int, insights: StockInsights) -> RowMeasure:
    listed = {allocation.item_uuid for allocation in insights.allocations}
    return RowMeasure(
        location_id=place.location_id,
        product_id=row.product_id,
        sent=row.sent,
        atp=atp,
        open_units=len(insights.allocations) - len(listed & row.shipped),
        reservations=insights.reservations,
        completed=row.completed,
        listed=len(listed.intersection(row.completed)),
        released=row.released,
    )
