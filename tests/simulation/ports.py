"""The simulators as ports, and the proxy that lets the world go on, or break, at every call."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from inventory_sync.domain.atp import Allocation as TakenOff
from inventory_sync.domain.atp import AtpKey, StockInsights
from inventory_sync.domain.erp import ChangeFeed, Changes, Dedupe, ErpCapabilities
from inventory_sync.domain.errors import (
    LeaseLostError,
    OutcomeUnknownError,
    RejectedError,
    RetriableError,
    SnapshotIncompleteError,
    TooManyJobsError,
)
from inventory_sync.domain.import_run import ImportJob, JobChunk, JobError, JobState
from inventory_sync.domain.locations import LocationType, NewStoreLocation, NewStoreLocations
from inventory_sync.domain.references import reference_of
from inventory_sync.domain.stock import (
    Accepted,
    Acknowledgement,
    AllocationChange,
    AllocationOutcome,
    MovementOutcome,
    Rejection,
    StockMovement,
    StockSnapshot,
    TryLater,
    Unknown,
)
from inventory_sync.domain.stock_reads import Read
from local.erp.records import Allocation, AllocationItem, Movement, MovementLine
from local.http_server import CallRefusedError
from local.newstore.availabilities import ImportFinding
from local.newstore.jobs import LIST_COUNT_MAX

if TYPE_CHECKING:
    from tests.simulation.world import World

PAGES_MAX = 50
UNINTERRUPTED = frozenset({"locations.operator_holds"})
"""Reads beside another read: what breaks them breaks that one too. Stories stay what they were."""


class SimulatedCrashError(BaseException):
    """The invocation is gone: no `except Exception` runs, nothing is cleaned up."""


class Watched:
    """A port whose every call the world may interrupt, before and after."""

    def __init__(self, world: "World", port: Any, name: str) -> None:
        self._world, self._port, self._name = world, port, name

    def __getattr__(self, method: str) -> Any:
        target = getattr(self._port, method)
        label = f"{self._name}.{method}"
        world = self._world

        @contextmanager
        def archive(run_id: str) -> Iterator[Any]:
            world.interrupt(label, "before")
            with target(run_id) as writer:
                yield writer
                world.interrupt(label, "within")
            world.interrupt(label, "after")

        def call(*args: Any, **kwargs: Any) -> Any:
            world.interrupt(label, "before")
            if world.store_fault(label):
                raise RetriableError(f"{label}: throttled")
            if world.write_refused(label):
                raise LeaseLostError(f"{label}: condition failed")
            result = target(*args, **kwargs)
            if method == "open_events":
                result = iter(list(result))
            world.interrupt(label, "after")
            return result

        if not callable(target) or label in UNINTERRUPTED:
            return target
        return archive if label in {"files.archive", "records.writer"} else call


class SlowToKeep:
    """ports.KeptReads of a reader that may stop between the ERP's answer and keeping it."""

    def __init__(self, world: "World") -> None:
        self._world = world

    def keep(self, location_id: str, read: Read) -> None:
        if self._world.faults.strike("read_kept_late"):
            self._world.late_reads.append((location_id, read))
        else:
            self._world.kept.keep(location_id, read)

    def read(self, location_id: str) -> Read | None:
        return self._world.kept.read(location_id)


class SimulatedErp:
    """ports.Erp over the ERP model; `takes_its_time` is called for each entry of a call."""

    def __init__(self, world: "World", takes_its_time: Callable[[], None] = lambda: None) -> None:
        self._world = world
        self._takes_its_time = takes_its_time
        self._model = world.erp_model

    def capabilities(self) -> ErpCapabilities:
        declared = self._model.capabilities
        return ErpCapabilities(
            dedupe=Dedupe(declared.dedupe),
            bulk_max=declared.bulk_max,
            reservations=declared.reservations,
            apply_lag=timedelta(seconds=declared.apply_lag_seconds),
            reference_length_max=declared.reference_length_max,
            change_feed=ChangeFeed(declared.change_feed),
            absent_means_zero=declared.absent_means_zero,
            consistent_snapshot=declared.consistent_snapshot,
        )

    def post_movements(self, movements: list[StockMovement]) -> list[MovementOutcome]:
        return [self._post(movement) for movement in movements]

    def _post(self, movement: StockMovement) -> MovementOutcome:
        self._takes_its_time()
        strike = self._world.faults.strike
        if self._world.erp_is_down() or strike("erp_busy"):
            return TryLater("down")
        lag = self._model.capabilities.apply_lag_seconds
        self._model.actual_lag_seconds = lag
        if lag and strike("erp_applies_with_lag"):
            self._model.actual_lag_seconds = self._world.rng.uniform(0, lag)
        posted = Movement(
            self._reference(movement.movement_id),
            movement.location_id,
            movement.occurred_at.isoformat(),
            movement.order_id,
            movement.fulfillment_request_id,
            movement.logical_timestamp,
            tuple(MovementLine(line.unit.item_id, line.product_id) for line in movement.lines),
        )
        lost_before = strike("erp_answer_lost")
        if lost_before:
            return Unknown("cut before")
        result = self._model.calls.post_movements([posted])[0]
        self._world.interrupt("erp.post", "within")
        if strike("erp_answer_lost"):
            return Unknown("cut after")
        if result.outcome in {"applied", "repeated"}:
            assert result.applied_at is not None
            return Acknowledgement(result.applied_at, result.document_id or "")
        if result.outcome == "retryable":
            return TryLater(result.reason or "")
        return Rejection(result.reason or "")

    def _reference(self, movement_id: str) -> str:
        return reference_of(movement_id, self._model.capabilities.reference_length_max)

    def look_up(self, movement_id: str) -> MovementOutcome | None:
        self._takes_its_time()
        if self._world.erp_is_down():
            return TryLater("down")
        if self._world.faults.strike("erp_lookup_lost"):
            return Unknown("no answer")
        try:
            booked = self._model.calls.get_movement(self._reference(movement_id))
        except CallRefusedError:
            return None
        return Acknowledgement(booked.applied_at, booked.document_id)

    def change_allocations(self, changes: list[AllocationChange]) -> list[AllocationOutcome]:
        return [self._change(change) for change in changes]

    def _change(self, change: AllocationChange) -> AllocationOutcome:
        self._takes_its_time()
        if self._world.erp_is_down():
            return TryLater("down")
        items = tuple(AllocationItem(item_id, product_id) for item_id, product_id in change.items)
        self._model.calls.post_allocations(
            [
                Allocation(
                    change.fulfillment_request_id,
                    change.location_id,
                    change.logical_timestamp,
                    change.state.value,
                    items,
                )
            ]
        )
        if self._world.faults.strike("erp_answer_lost"):
            return TryLater("cut after")
        return Accepted()

    def snapshot(self, location_id: str) -> StockSnapshot:
        world, strike = self._world, self._world.faults.strike
        if world.erp_is_down() or strike("snapshot_unreadable"):
            raise RetriableError("the ERP is down")
        emptied = False
        if strike("snapshot_truncated"):
            self._model.truncate_next_snapshot(location=location_id)
        elif strike("snapshot_empty"):
            self._model.empty_next_snapshot(location_id)
            emptied = True
        elif strike("snapshot_cursor_repeats"):
            self._model.repeat_next_cursor(location_id)
        rows: dict[str, int] = {}
        cursor, as_of, seen = None, None, set()
        for _ in range(PAGES_MAX):
            page = self._model.calls.get_stock(location_id, cursor)
            as_of = min(as_of or page.as_of, page.as_of)
            rows.update((product, int(str(units))) for product, units in page.rows)
            if strike("snapshot_slow"):
                world.pass_time(world.rng.uniform(5, 40))
            cursor = page.next_cursor
            if cursor is None:
                break
            if cursor in seen:
                raise SnapshotIncompleteError("the cursor repeats")
            seen.add(cursor)
        if len(rows) != page.row_count:
            raise SnapshotIncompleteError(f"{len(rows)} rows of {page.row_count}")
        assert as_of is not None
        if emptied and not self._model.capabilities.absent_means_zero:
            world.not_shown(location_id, as_of)
        return StockSnapshot(location_id, as_of, rows)

    def changes(self, location_id: str, cursor: str | None) -> Changes:
        world, strike = self._world, self._world.faults.strike
        if world.erp_is_down() or strike("snapshot_unreadable"):
            raise RetriableError("the ERP is down")
        if cursor is not None and strike("feed_forgets"):
            self._model.changes.forget()
        products: set[str] = set()
        as_of, start = None, cursor
        for _ in range(PAGES_MAX):
            try:
                page = self._model.calls.get_changes(location_id, cursor)
            except CallRefusedError as error:
                if error.status != 410 or start is None:
                    raise
                now = self.changes(location_id, None)
                return replace(now, complete=False)
            as_of = min(as_of or page.as_of, page.as_of)
            products.update(page.products)
            cursor = page.cursor
            if not page.more:
                break
        assert as_of is not None
        assert cursor is not None
        if products and self._model.changes.by_time and strike("feed_loses_change"):
            lost = sorted(products)[world.feed_rng.randrange(len(products))]
            products.remove(lost)
            world.untold[location_id, lost] = world.now
        return Changes(product_ids=frozenset(products), cursor=cursor, as_of=as_of, complete=True)

    def read(self, location_id: str, product_ids: frozenset[str]) -> StockSnapshot:
        if self._world.erp_is_down() or self._world.faults.strike("snapshot_unreadable"):
            raise RetriableError("the ERP is down")
        found = self._model.calls.read_stock(location_id, sorted(product_ids))
        rows = {product: int(str(units)) for product, units in found.rows}
        return StockSnapshot(location_id, found.as_of, rows)


class SimulatedNewStore:
    """ports.NewStore over the NewStore model."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._model = world.newstore_model

    def create_job(self, *, name: str, source_uri: str) -> str:
        self._reach()
        strike = self._world.faults.strike
        if strike("too_many_jobs"):
            raise TooManyJobsError("20 open jobs", self._world.faults.retry_after_seconds())
        job_id = self._model.calls.create_import(provider="sim", name=name, source_uri=source_uri)
        if strike("too_many_jobs_but_kept"):
            raise TooManyJobsError("20 open jobs")
        if strike("create_answer_lost"):
            raise OutcomeUnknownError("no answer")
        if strike("job_stuck_in_received"):
            raise SimulatedCrashError
        return job_id

    def start_job(self, job_id: str, source_uri: str) -> None:
        self._reach()
        world, strike = self._world, self._world.faults.strike
        jobs = self._model.jobs
        jobs.next_jobs.clear()
        if strike("job_failed_after_part"):
            after_files = world.rng.randint(0, 3)
            jobs.fail_next_job(after_files, after_rows=world.rng.randint(0, 4))
        elif world.skipped_rows and strike("row_refused_again"):
            named = sorted(world.skipped_rows)
            findings = [
                ImportFinding("unknown product", "availability", "/".join(k)) for k in named
            ]
            jobs.report_errors_next_job(findings, named)
        elif (key := world.any_key()) not in world.skipped_rows and strike(
            "job_finished_without_rows"
        ):
            finding = ImportFinding("unknown product", "availabilities", "/".join(key))
            jobs.report_errors_next_job([finding], [key])
            world.skipped_rows.add(key)
        elif strike("job_never_ends"):
            jobs.never_finish_next_job("waiting" if world.rng.random() < 0.5 else "processing")
        elif strike("job_failed_in_part"):
            jobs.fail_chunks_of_next_job(*(n for n in range(20) if world.later_rng.random() < 0.4))
        self._start(job_id, source_uri)

    def _start(self, job_id: str, source_uri: str) -> None:
        try:
            with _refusals():
                self._model.calls.start_import(job_id, source_uri)
        except RejectedError:
            job = self._model.jobs.by_id.get(job_id)
            if job is None or job.state == "received":
                raise
        if self._world.faults.strike("start_answer_lost"):
            raise OutcomeUnknownError("no answer")

    def job(self, job_id: str) -> ImportJob | None:
        self._reach()
        if self._unknown_for_now(job_id):
            return None
        try:
            return _job(self._model.calls.get_import(job_id))
        except CallRefusedError:
            return None

    def _unknown_for_now(self, job_id: str) -> bool:
        """A job that is older, and unknown, counts as lost (docs/design.md, The run)."""
        job = self._model.jobs.by_id.get(job_id)
        young = job is not None and self._model.now() - job.created_at < timedelta(hours=1)
        return young and self._world.faults.strike("job_unknown_for_now")

    def received_jobs(self) -> list[ImportJob]:
        self._reach()
        listed = self._model.calls.list_imports("received", count=LIST_COUNT_MAX)
        return [_job(job) for job in listed["items"]]

    def fail_job(self, job_id: str, reason: str) -> None:
        self._reach()
        with _refusals():
            self._model.calls.set_import_failed(job_id, reason)

    def job_errors(self, job_id: str) -> list[JobError]:
        self._reach()
        with _refusals():
            found = self._model.calls.import_errors(job_id)
        return [JobError(e["reason"], e["entity_type"], e["entity_id"]) for e in found]

    def job_chunks(self, job_id: str) -> list[JobChunk]:
        self._reach()
        with _refusals():
            found = self._model.calls.import_chunks(job_id)
        return [JobChunk(c["size"], c["failed"], c.get("failure_message", "")) for c in found]

    def locations(self, ids: Collection[str]) -> NewStoreLocations:
        self._reach()
        found = map(_location, self._model.calls.list_locations())
        return {location.location_id: location for location in found}

    def atp(self, keys: Iterable[AtpKey]) -> Mapping[AtpKey, int]:
        self._reach()
        rows = self._model.stock_calls.availabilities(
            [(key.fulfillment_node_id, key.product_id) for key in keys]
        )
        return {AtpKey(r["product_id"], r["fulfillment_node_id"]): r["atp"] for r in rows}

    def insights(self, key: AtpKey) -> StockInsights:
        self._reach()
        found = self._model.stock_calls.stock_insights((key.fulfillment_node_id, key.product_id))
        return StockInsights(
            allocations=tuple(
                TakenOff(a["order_uuid"], a["item_uuid"]) for a in found["allocations"]
            ),
            reservations=len(found.get("reservations", ())),
        )

    def _reach(self) -> None:
        strike = self._world.faults.strike
        if strike("newstore_down"):
            raise RetriableError("503")
        if strike("token_expired"):
            raise RetriableError("token expired twice")


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except CallRefusedError as error:
        raise RejectedError(str(error)) from error


def _job(raw: dict[str, Any]) -> ImportJob:
    states = {state.value for state in JobState}
    state = JobState(raw["state"]) if raw["state"] in states else JobState.OTHER
    return ImportJob(
        job_id=raw["import_id"], state=state, name=raw["name"], reason=raw.get("reason", "")
    )


def _location(raw: dict[str, Any]) -> NewStoreLocation:
    return NewStoreLocation(
        location_id=raw["id"],
        type=LocationType(raw["type"]),
        store_id=raw["store_id"] or "",
        inventory_master=raw["is_inventory_master"],
        enabled=raw["is_enabled"],
    )
