"""The ATP of all rows by bulk export: everything, then what has changed while that was made."""

from collections.abc import Mapping, Set
from dataclasses import dataclass

from inventory_sync.domain.atp import AtpExport, ExportState
from inventory_sync.domain.errors import RejectedError, RetriableError
from inventory_sync.ports.newstore import AtpExports, ExportedAtp
from inventory_sync.ports.observe import Clock, RemainingSeconds

POLL_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class LaidOver:
    """An export, and the rows of a later one over it."""

    whole: ExportedAtp
    changed: ExportedAtp

    def of(self, fulfillment_node_id: str) -> Mapping[str, int]:
        """Units by product."""
        return {
            **self.whole.of(fulfillment_node_id),
            **self.changed.of(fulfillment_node_id),
        }


@dataclass(frozen=True, slots=True)
class ExportAtp:
    """Figures as old as the second export: an import that ends meanwhile changes many rows."""

    exports: AtpExports
    clock: Clock

    def __call__(self, nodes: Set[str], remaining_seconds: RemainingSeconds) -> ExportedAtp:
        """RetriableError where it takes longer, RejectedError where NewStore gives it up."""
        whole, rows = self._exported(None, nodes, remaining_seconds)
        cursor = whole.cursor_after(None)
        if cursor is None:
            return rows
        _, changed = self._exported(cursor, nodes, remaining_seconds)
        return LaidOver(rows, changed)

    def _exported(
        self, since: int | None, nodes: Set[str], remaining_seconds: RemainingSeconds
    ) -> tuple[AtpExport, ExportedAtp]:
        export = self._finished(self.exports.start(since), remaining_seconds)
        return export, self.exports.fetch(export, nodes, lambda: remaining_seconds() > 0)

    def _finished(self, export_id: str, remaining_seconds: RemainingSeconds) -> AtpExport:
        while remaining_seconds() > 0:
            export = self.exports.export(export_id)
            if export.state is ExportState.FINISHED:
                return export
            if export.state is ExportState.FAILED:
                raise RejectedError(f"NewStore's export {export_id} failed: {export.failure}")
            self.clock.sleep(POLL_SECONDS)
        raise RetriableError(f"NewStore's export {export_id} has not finished in time")
