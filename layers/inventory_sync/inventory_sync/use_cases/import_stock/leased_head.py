"""The import's head as one tick may read and write it: under its lease, while time is left."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from inventory_sync.domain.errors import InvariantError, RetriableError
from inventory_sync.domain.import_head import ImportHead, Lease
from inventory_sync.domain.import_run import ImportRun
from inventory_sync.ports.files import RunRecords
from inventory_sync.ports.observe import Clock, Observer, RemainingSeconds
from inventory_sync.ports.runs import Leases, RunStore

SAFETY_SECONDS = 15.0
"""No step is begun when the invocation has less time left."""


@dataclass(slots=True, kw_only=True)
class LeasedHead:
    """Every write checks the lease's token: LeaseLostError where another tick has it by now."""

    runs: RunStore
    leases: Leases
    records: RunRecords
    clock: Clock
    observer: Observer
    lease: Lease
    lease_time: timedelta
    remaining_seconds: RemainingSeconds
    head: ImportHead = field(default_factory=ImportHead)

    @property
    def run(self) -> ImportRun | None:
        """The run as last written."""
        return self.head.run

    @property
    def current(self) -> ImportRun:
        """The run that there has to be."""
        run = self.head.run
        if run is None:
            raise InvariantError("resumable", "no run to advance")
        return run

    @property
    def spare_seconds(self) -> float:
        """Left for steps, and for waiting between them; negative where none may be begun."""
        return self.remaining_seconds() - SAFETY_SECONDS

    def load(self, shadow_until: datetime | None) -> None:
        """As the last tick has left it; anew where another system has imported since."""
        self.head = self.runs.head().after_shadow(shadow_until)

    def keep_lease(self) -> None:
        """Renew when a third of the lease is used up; LeaseLostError when it is gone."""
        now = self.clock.now()
        if self.lease.expires_at - now < self.lease_time * 2 / 3:
            self.lease = self.leases.renew(self.lease, now=now, until=now + self.lease_time)

    def time_for_more(self) -> bool:
        """With the lease kept, since whoever asks goes on."""
        self.keep_lease()
        return self.spare_seconds >= 0

    def save(self, run: ImportRun, **changes: object) -> None:
        """Write the run, and what else changes with it."""
        self.write(replace(self.head, run=run, **changes))  # type: ignore[arg-type]

    def write(self, head: ImportHead) -> None:
        """The head whole; a run that has ended is kept for good before."""
        run = head.run
        if run is not None and run.ended:
            self.records.save_outcome(run)
        changes = head.release.changes
        self.head = self.runs.save(
            head,
            lease=self.lease,
            now=self.clock.now(),
            verdict=changes[-1] if changes != self.head.release.changes else None,
        )
        if run is not None:
            self.observer.log(
                "run", run_id=run.run_id, state=run.state, job_id=run.job_id, rows=run.rows
            )

    def release(self) -> None:
        """A lease that cannot be given back runs out by itself."""
        try:
            self.leases.release(self.lease)
        except RetriableError as error:
            self.observer.log("lease not given back", error=error)
