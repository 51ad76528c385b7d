"""Weigh what is seen of a shipped unit's fate at NewStore, from import to import."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

from inventory_sync.domain.cut import AppliedRule
from inventory_sync.domain.errors import FatalError, RejectedError, RetriableError
from inventory_sync.domain.import_head import ImportHead
from inventory_sync.domain.import_run import ImportRun
from inventory_sync.domain.release_evidence import Observation, ReleaseFindings, weigh
from inventory_sync.ports.events import EventLog
from inventory_sync.ports.files import FileStore
from inventory_sync.ports.locations import LocationStore
from inventory_sync.ports.newstore import RowReader
from inventory_sync.ports.observe import Clock, Observer
from inventory_sync.use_cases.import_stock.gather_evidence import GatherEvidence

WATCHING: Mapping[str, int] = {"locations_max": 1, "rows_max": 4}
"""So much is looked at after each import once the reading is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WeighRelease:
    """Where nothing can be learned, what was known before stands: the run goes on."""

    event_log: EventLog
    files: FileStore
    stock: RowReader
    location_store: LocationStore
    clock: Clock
    observer: Observer
    go_live_at: datetime | None

    def before_imports(self, head: ImportHead, run_id: str) -> ReleaseFindings:
        """As long as no import has finished: what NewStore still lists of what has shipped."""
        if head.finished_run_id is not None or head.release.verdict is not None:
            return head.release
        return self._weighed(head.release, run_id, lambda gather: gather.before_imports())

    def after(self, head: ImportHead, run: ImportRun) -> ReleaseFindings:
        """Before the run's events are closed: with them goes what its range has released."""
        return self._weighed(head.release, run.run_id, lambda gather: gather(run))

    def _weighed(
        self,
        before: ReleaseFindings,
        run_id: str,
        look: Callable[[GatherEvidence], tuple[Observation, ...]],
    ) -> ReleaseFindings:
        gather = GatherEvidence(
            event_log=self.event_log,
            files=self.files,
            stock=self.stock,
            location_store=self.location_store,
            clock=self.clock,
            rule=AppliedRule(go_live_at=self.go_live_at),
            **({} if before.verdict is None else WATCHING),
        )
        try:
            found = look(gather)
        except (RetriableError, RejectedError, FatalError) as error:
            self.observer.log("release not observed", run_id=run_id, error=error)
            return before
        for one in found:
            self.observer.log("release observed", run_id=run_id, **asdict(one))
        return weigh(before, found, now=self.clock.now())
