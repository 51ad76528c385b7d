"""Take one location's stock from what was read of it before the run."""

from collections.abc import Mapping
from dataclasses import dataclass

from inventory_sync.domain.stock_reads import (
    KeptVersion,
    NoNewRead,
    Read,
    StockRead,
    usable,
)
from inventory_sync.ports.reads import KeptReads
from inventory_sync.use_cases.import_stock.build_import.context import ImportContext
from inventory_sync.use_cases.import_stock.build_import.stock_source import Known


@dataclass(frozen=True, slots=True)
class KeptStock:
    """May be shared by threads; `versions` are those of the moment at which the run began."""

    context: ImportContext
    reads: KeptReads
    versions: Mapping[str, KeptVersion]

    def read(self, location_id: str, known: Known | None) -> Read | NoNewRead:
        """The kept read, unless the last finished import had it, or a later one.

        One that it had serves again where rows wait to be sent whether they have changed or not.
        """
        del known  # whoever made the read knew it
        kept, place = self.versions.get(location_id), self.context.locations[location_id]
        entry = self.context.entry(place)
        waits = entry is not None and entry.refresh_from is not None
        refreshing = waits or location_id in self.context.refresh
        had = entry is not None and kept is not None and entry.read == kept.version
        if kept is None or (had and not refreshing):
            return NoNewRead()
        read = self.reads.read(location_id)
        if read is None or (isinstance(read, StockRead) and not self._usable(location_id, read)):
            return NoNewRead()
        return read

    def _usable(self, location_id: str, read: StockRead) -> bool:
        context = self.context
        last = context.previous.locations.get(location_id)
        return usable(
            read,
            last_as_of=last.as_of if last else None,
            apply_lag=context.erp.rule.apply_lag,
            last_finished_at=context.last_finished_at,
            not_before=context.run.planned_at - context.settings.settle,
        )
