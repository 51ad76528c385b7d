"""Have the ERP's stock read by others, beside the imports: what is due, and who is at it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from inventory_sync.domain.import_head import ImportHead
from inventory_sync.domain.stock_reads import (
    BATCH_LOCATIONS,
    ReadPlan,
    batches_of,
    choose_reads,
)
from inventory_sync.ports.files import FileStore
from inventory_sync.ports.locations import LocationStore
from inventory_sync.ports.observe import Observer
from inventory_sync.ports.reads import KeptReads, ReadExecutions


@dataclass(frozen=True, slots=True)
class PlannedReads:
    """A plan with its batches of locations."""

    plan: ReadPlan
    batches: list[tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class FanOut:
    """One plan at a time. Errors are the ports'.

    No plan is made within `read_every` of the last one, the time between two imports.
    """

    kept: KeptReads
    executions: ReadExecutions
    files: FileStore
    location_store: LocationStore
    observer: Observer
    read_every: timedelta = timedelta(minutes=5)
    batch_locations: int = BATCH_LOCATIONS

    def plan(
        self, head: ImportHead, *, now: datetime, fencing_token: int, whole: bool, ended: str
    ) -> PlannedReads | None:
        """None while others are under way, or where no location is due.

        Reads that were asked for and never begun, or whose execution ended before its time, are
        asked for again: what they have read meanwhile is not due.
        """
        last = head.reads
        if last is not None and now - last.planned_at < self.read_every:
            return None
        if last is not None and self._under_way(last, ended):
            return None
        locations = self._due(head, now)
        if not locations:
            return None
        plan = ReadPlan(f"{now:%Y%m%dT%H%M%SZ}-{fencing_token:08d}", now, whole)
        return PlannedReads(plan, batches_of(locations, self.batch_locations))

    def start(self, reads: PlannedReads) -> None:
        """After the head names the plan, so that no other is made meanwhile."""
        self.executions.start(reads.plan, reads.batches)

    def just_begun(self, head: ImportHead, now: datetime, *, ended: str) -> bool:
        """Whether to wait for the reads that are under way, as nothing else is to import."""
        last = head.reads
        if last is None or now - last.planned_at >= self.read_every:
            return False
        return self._under_way(last, ended) and not self._read_since_run(head)

    def _read_since_run(self, head: ImportHead) -> bool:
        """Whether anything was read that the last run could not have."""
        planned_at = head.run.planned_at if head.run else None
        kept = self.kept.versions().values()
        return any(planned_at is None or one.kept_at > planned_at for one in kept)

    def _under_way(self, plan: ReadPlan, ended: str) -> bool:
        """The execution that says that its reads have `ended` has itself not quite ended."""
        return plan.plan_id != ended and self.executions.under_way(plan)

    def _due(self, head: ImportHead, now: datetime) -> list[str]:
        held = self.location_store.operator_holds()
        found = self.location_store.locations().values()
        places = [place for place in found if place.enabled and place.location_id not in held]
        kept, imported = self.kept.versions(), frozenset[str]()
        if head.finished_run_id is not None:
            imported = frozenset(self.files.manifest(head.finished_run_id).locations)
        ages = [
            (now - kept[p.location_id].kept_at).total_seconds()
            for p in places
            if p.location_id in imported and p.location_id in kept
        ]
        self.observer.count("OldestReadSeconds", max(ages, default=0.0))
        return choose_reads(
            places,
            kept,
            imported,
            not_since=now - self.read_every,
            planned_at=head.reads.planned_at if head.reads else None,
        )
