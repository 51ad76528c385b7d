"""Record: keep, location by location, what a run's quantities were made of."""

from dataclasses import dataclass
from datetime import timedelta

from inventory_sync.domain.cut import LocationCut, LogicalRange
from inventory_sync.domain.row_selection import Selection
from inventory_sync.domain.run_record import BaseFigures, LocationRecord, event_parts
from inventory_sync.ports.files import RecordWriter
from inventory_sync.ports.observe import Clock


@dataclass(frozen=True, slots=True)
class RunRecorder:
    """Writes as the run goes, so that memory holds one location's events at most."""

    writer: RecordWriter
    clock: Clock
    apply_lag: timedelta

    def add(
        self,
        base: BaseFigures,
        cut: LocationCut,
        selection: Selection,
        released: LogicalRange,
        *,
        rows_sent: int,
    ) -> None:
        """One location."""
        parts = event_parts(cut)
        self.writer.add(
            LocationRecord(
                location_id=cut.location_id,
                basis=base.basis,
                cut_end=cut.cut_end,
                released=released,
                as_of=base.as_of,
                read_at=self.clock.now(),
                apply_lag=self.apply_lag,
                base_run_id=base.run_id,
                rows_sent=rows_sent,
                rows_clamped=selection.clamped,
                base=base.of(parts),
                events=parts,
            )
        )
