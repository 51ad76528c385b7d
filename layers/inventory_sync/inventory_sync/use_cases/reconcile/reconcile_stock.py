"""Reconcile: compare what NewStore promises with the books, and say why it differs."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from typing import TypeVar

from inventory_sync.domain.atp import SafetyStock
from inventory_sync.domain.cut import AppliedRule, Part, cut_snapshot
from inventory_sync.domain.drift import Cause, RowDrift, drift_of
from inventory_sync.domain.errors import FatalError, RejectedError, RetriableError
from inventory_sync.domain.events import OpenEvent
from inventory_sync.domain.guards import DISBELIEVED, Hold
from inventory_sync.domain.import_head import ImportHead
from inventory_sync.domain.locations import Location, NewStoreLocations, Node
from inventory_sync.domain.manifest import LocationEntry, Manifest
from inventory_sync.domain.row_selection import sendable
from inventory_sync.domain.stock import LastQuantities
from inventory_sync.domain.units import completed_units, units_by_product
from inventory_sync.ports.erp import ErpStock
from inventory_sync.ports.events import EventHistory, EventLog
from inventory_sync.ports.files import DriftReport, FileStore, Reports
from inventory_sync.ports.locations import LocationStore
from inventory_sync.ports.newstore import NewStoreReader, StockReader
from inventory_sync.ports.observe import Clock, Observer, OnProgress, RemainingSeconds, unwatched
from inventory_sync.ports.runs import RunHistory, RunStore
from inventory_sync.use_cases.reconcile.drift_totals import DriftTotals
from inventory_sync.use_cases.reconcile.export_atp import ExportAtp
from inventory_sync.use_cases.reconcile.patience import patiently
from inventory_sync.use_cases.reconcile.read_atp import (
    KEYS_PER_CALL,
    AtpReader,
    Books,
    FirstAtp,
    atp_by_keys,
    atp_of_export,
)

SPARE_SECONDS = 90.0
"""Kept back of the invocation for the second look and the report."""
CONFIRM_ROWS_MAX = 5_000
ROWS_BY_KEYS_MAX = 6_000
"""Three calls; above that NewStore exports all rows in one."""
EXPORT_SHARE = 0.5
"""Of the time; after that rows are asked for by their keys."""
RUN_AGE_MAX = timedelta(hours=12)
"""No run takes longer from its plan to its end."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcileLimits:
    """`show_window` is how long a finished import may take to show at NewStore.

    Rows nobody can explain are looked at a second time after `confirm_after`.
    """

    other_channel_lags: Mapping[str, timedelta]
    go_live_at: datetime | None = None
    other_system_lag: timedelta | None = None
    show_window: timedelta = timedelta(minutes=15)
    confirm_after: timedelta = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciled:
    """`folder` is where the report stands; `drifts` are the rows that differ, up to a bound.

    `off` are locations that NewStore promises nothing of, whatever their stock: not compared.
    `without` names what NewStore did not give: rows with safety stock then look unexplained.
    """

    report_id: str
    folder: str
    totals: DriftTotals
    drifts: tuple[RowDrift, ...]
    unread: Mapping[str, str]
    off: tuple[str, ...]
    without: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcileStock:
    """Changes nothing but the report."""

    event_log: EventLog
    history: EventHistory
    erp: ErpStock
    newstore: NewStoreReader
    stock: StockReader
    export_atp: ExportAtp
    files: FileStore
    runs: RunStore
    run_history: RunHistory
    location_store: LocationStore
    reports: Reports
    clock: Clock
    observer: Observer
    limits: ReconcileLimits

    def __call__(
        self,
        remaining_seconds: RemainingSeconds,
        *,
        only: frozenset[str] = frozenset(),
        read_erp: bool = True,
        progress: OnProgress = unwatched,
    ) -> Reconciled:
        """Every imported location, or `only` those; RejectedError before the first import."""
        session = _Session(self, remaining_seconds, read_erp)
        report_id = f"{self.clock.now():%Y%m%dT%H%M%SZ}"
        with self.reports.writer(report_id) as report:
            places = session.places(only)
            session.prepare(places)
            for done, place in enumerate(places):
                progress(done, len(places))
                session.compare(place, report)
            session.confirm(report)
        folder = self.reports.save_summary(report_id, session.summary())
        self._count(session.totals)
        return Reconciled(
            report_id=report_id,
            folder=folder,
            totals=session.totals,
            drifts=tuple(session.kept),
            unread=session.unread,
            off=tuple(session.off),
            without=tuple(session.without),
        )

    def _count(self, totals: DriftTotals) -> None:
        self.observer.count("UnitsOversold", totals.oversold_units)
        self.observer.count("UnitsUndersold", totals.undersold_units)
        self.observer.count("RowsUnchecked", totals.unchecked)
        self.observer.count("RowsUnexplained", totals.rows_by_cause[Cause.UNEXPLAINED])
        self.observer.count("AllocationsLeaked", totals.units_by_cause[Cause.LEAKED_ALLOCATION])
        drifted = {f"drifted_{cause}": totals.rows_by_cause[cause] for cause in Cause}
        self.observer.log("rows reconciled", rows=totals.rows, **drifted)


@dataclass
class _Session:
    """One reconciliation; holds the rows that differ, never those that agree."""

    deps: ReconcileStock
    remaining_seconds: RemainingSeconds
    read_erp: bool
    totals: DriftTotals = field(default_factory=DriftTotals)
    kept: list[RowDrift] = field(default_factory=list)
    doubtful: list[RowDrift] = field(default_factory=list)
    unread: dict[str, str] = field(default_factory=dict)
    off: list[str] = field(default_factory=list)
    safety_stock: SafetyStock = field(default_factory=SafetyStock)
    exported: FirstAtp | None = None
    without: list[str] = field(default_factory=list)

    def places(self, only: frozenset[str]) -> list[Location]:
        """Those to compare, under the nodes that their quantities are at.

        RejectedError for a location that is not imported, or where nothing ever was.
        """
        self._look()
        known = self.deps.location_store.locations()
        imported = {
            key: _under(entry.node, known[key])
            for key, entry in sorted(self.manifest.locations.items())
            if key in known
        }
        if missing := sorted(only - imported.keys()):
            raise RejectedError(f"no import has finished for {', '.join(missing)}")
        wanted = {key: place for key, place in imported.items() if not only or key in only}
        listed = self.deps.newstore.locations({p.fulfillment_node_id for p in wanted.values()})
        self.off = [key for key, place in wanted.items() if _is_off(place, listed)]
        return [place for key, place in wanted.items() if key not in self.off]

    def prepare(self, places: list[Location]) -> None:
        """What is read once for all rows; without it rows are judged by less, or read by keys."""
        if (found := self._optional("safety stock", self.deps.stock.safety_stock)) is not None:
            self.safety_stock = found
        rows = sum(self.manifest.locations[place.location_id].rows for place in places)
        if rows <= ROWS_BY_KEYS_MAX:
            return
        nodes = frozenset(place.fulfillment_node_id for place in places)
        kept_back = (1 - EXPORT_SHARE) * self.remaining_seconds()
        export = partial(self.deps.export_atp, nodes, lambda: self.remaining_seconds() - kept_back)
        if (exported := self._optional("export of ATP", export)) is not None:
            self.exported = atp_of_export(exported)

    def _optional(self, what: str, read: Callable[[], T]) -> T | None:
        try:
            return patiently(read, self.deps.clock, self.remaining_seconds)
        except (RetriableError, RejectedError, FatalError) as error:
            self.deps.observer.log(f"reconciling without NewStore's {what}", reason=error)
            self.without.append(what)
            return None

    def _look(self) -> None:
        """What the last finished import said, and which events it has counted."""
        head: ImportHead = self.deps.runs.head()
        if head.finished_run_id is None:
            raise RejectedError("no import has finished yet, so there is nothing to compare with")
        self.head = head
        self.manifest: Manifest = self.deps.files.manifest(head.finished_run_id)
        self.held = self.deps.location_store.holds()
        self.not_shown = self._not_shown()

    def compare(self, place: Location, report: DriftReport) -> None:
        """One location: rows that agree are counted, others reported or put aside for later."""
        for drift in self._drifts(place):
            if Cause.UNEXPLAINED in drift.parts and len(self.doubtful) < CONFIRM_ROWS_MAX:
                self.doubtful.append(drift)
            else:
                self._keep(drift, report)

    def confirm(self, report: DriftReport) -> None:
        """A second look, with fresh figures, at the rows nobody can explain."""
        if not self.doubtful:
            return
        self.deps.clock.sleep(self.deps.limits.confirm_after.total_seconds())
        self._look()
        places = self.deps.location_store.locations()
        for location_id in sorted({drift.figures.location_id for drift in self.doubtful}):
            first = {
                d.figures.product_id: d
                for d in self.doubtful
                if d.figures.location_id == location_id
            }
            place = _under(self.manifest.locations[location_id].node, places[location_id])
            again = {d.figures.product_id: d for d in self._drifts(place, frozenset(first))}
            for product_id, drift in first.items():
                self._keep(_settled(drift, again.get(product_id)), report)

    def _keep(self, drift: RowDrift, report: DriftReport) -> None:
        self.totals.add([drift])
        if drift.parts:
            report.add(drift)
            if len(self.kept) < CONFIRM_ROWS_MAX:
                self.kept.append(drift)

    def _drifts(self, place: Location, only: frozenset[str] | None = None) -> Iterator[RowDrift]:
        entry = self.manifest.locations[place.location_id]
        version, books = self.head.version, self._books(place, entry)
        by_keys = atp_by_keys(self.deps.stock)
        reader = AtpReader(
            stock=self.deps.stock,
            first=by_keys if only is not None else self.exported or by_keys,
            safety_stock=self.safety_stock,
            history=self.deps.history,
            clock=self.deps.clock,
            remaining_seconds=lambda: self.remaining_seconds() - SPARE_SECONDS,
        )
        rows = reader.rows(place, books, only)
        while batch := list(islice(rows, KEYS_PER_CALL)):
            # An import that moved meanwhile may have changed what was read of its rows.
            if self.deps.runs.head().version != version:
                self._look()
                moved = self._waiting(place.location_id)
                batch = [replace(r, waiting=r.waiting or r.product_id in moved) for r in batch]
            yield from map(drift_of, batch)
        if only is None:
            self.totals.unchecked += reader.unchecked

    def _books(self, place: Location, entry: LocationEntry) -> Books:
        location_id = place.location_id
        ledger = self.deps.files.ledger(location_id, entry.ledger_run_id)
        sent = {p: sendable(q) for p, q in ledger.quantities.items()} if ledger else {}
        last = ledger.last if ledger else LastQuantities({})
        erp, events = self._erp_now(location_id, last)
        return Books(
            sent=sent,
            erp=erp,
            late=self._late(events, last),
            waiting=self._waiting(location_id),
            released_up_to=self.manifest.cut_end,
            finished_run_id=self.manifest.run_id,
        )

    def _late(self, events: list[OpenEvent], last: LastQuantities) -> Counter[str]:
        """Units that a range has passed over and no import has counted."""
        rule = self._rule(timedelta(0))
        return units_by_product(
            unit
            for unit in completed_units(events)
            if unit.logical_timestamp <= self.manifest.cut_end
            and unit.unit not in last.lacking
            and not rule.historical(unit.left_at)
        )

    def _rule(self, apply_lag: timedelta) -> AppliedRule:
        limits = self.deps.limits
        lag = limits.other_system_lag
        return AppliedRule(apply_lag, limits.other_channel_lags, limits.go_live_at, lag)

    def _erp_now(
        self, location_id: str, last: LastQuantities
    ) -> tuple[Mapping[str, int] | None, list[OpenEvent]]:
        """What an import would state now for the range that is released already.

        A unit after it that the last import was without all the same is off here too. What a guard
        does not believe is nothing to compare with.
        """
        deps, started_at = self.deps, self.deps.clock.now()
        snapshot, absent_means_zero, cut_end = None, True, self.manifest.cut_end
        rule = self._rule(timedelta(0))
        if self.read_erp and (kinds := self._disbelieved(location_id)):
            self.unread[location_id] = f"the location is held ({kinds})"
        elif self.read_erp:
            try:
                capabilities = deps.erp.capabilities()
                absent_means_zero = capabilities.absent_means_zero
                rule = self._rule(capabilities.apply_lag)
                snapshot = deps.erp.snapshot(location_id)
            except (RetriableError, RejectedError, FatalError) as error:
                self.unread[location_id] = str(error)
        events = deps.event_log.open_events_of(location_id)
        if snapshot is None:
            return None, events
        cut = cut_snapshot(
            snapshot,
            events,
            cut_end=cut_end,
            watermark=cut_end,
            rule=rule,
            read_started_at=started_at,
            unlisted=None if absent_means_zero else last,
            held=last.of({*snapshot.unreadable, *self._held_rows(location_id)}),
        )
        ahead = units_by_product(
            found.unit
            for found in cut.parts
            if found.part in {Part.ADDED_BACK, Part.AFTER} and found.unit.unit in last.lacking
        )
        return {p: sendable(q - ahead[p]) for p, q in cut.quantities.items()}, events

    def _holds(self, location_id: str) -> tuple[Hold, ...]:
        found = self.held.get(location_id)
        return found.holds if found else ()

    def _disbelieved(self, location_id: str) -> str:
        """Why a guard does not believe what the ERP shows of the location; empty where it does."""
        holds = self._holds(location_id)
        return ", ".join(h.kind for h in holds if not h.product_id and h.kind in DISBELIEVED)

    def _held_rows(self, location_id: str) -> Iterator[str]:
        return (hold.product_id for hold in self._holds(location_id) if hold.product_id)

    def _waiting(self, location_id: str) -> frozenset[str]:
        """Rows of imports whose effect may not show yet, and rows that a mispick holds."""
        found: frozenset[str] = frozenset()
        for run_id in self.not_shown:
            ledger = self.deps.files.ledger(location_id, run_id)
            found |= frozenset(ledger.sent) if ledger else frozenset()
        events = self.deps.event_log.open_events_of(location_id)
        return found | {product for e in events for product in e.event.mispicked}

    def _not_shown(self) -> list[str]:
        """Runs that sent rows and are under way, did not finish, or finished only just now."""
        since = self.deps.clock.now() - self.deps.limits.show_window
        found = {self.head.unfinished_run_id} if self.head.unfinished_run_id else set()
        for run in self.deps.run_history.newest_first():
            if run.planned_at < since - RUN_AGE_MAX:
                break
            if run.rows and run.ended_at is not None and run.ended_at > since:
                found.add(run.run_id)
        return sorted(found)

    def summary(self) -> dict[str, object]:
        """Totals for the report."""
        totals = self.totals
        return {
            "finished_run_id": self.manifest.run_id,
            "rows": totals.rows,
            "agreeing": totals.agreeing,
            "unchecked": totals.unchecked,
            "oversold_units": totals.oversold_units,
            "undersold_units": totals.undersold_units,
            "rows_by_cause": {c.value: totals.rows_by_cause[c] for c in Cause},
            "units_by_cause": {c.value: totals.units_by_cause[c] for c in Cause},
            "locations_off": self.off,
            "erp_not_read": dict(sorted(self.unread.items())),
            "without": self.without,
        }


def _settled(first: RowDrift, again: RowDrift | None) -> RowDrift:
    """What differs in the same way twice is unexplained; what changed meanwhile was in flight."""
    if again is None:
        return drift_of(replace(first.figures, moving=True))
    same = again.parts.get(Cause.UNEXPLAINED) == first.parts[Cause.UNEXPLAINED]
    return again if same else drift_of(replace(again.figures, moving=True))


def _under(node: Node, place: Location) -> Location:
    return replace(place, fulfillment_node_id=node.fulfillment_node_id, store_id=node.store_id)


def _is_off(place: Location, listed: NewStoreLocations) -> bool:
    location = listed.get(place.fulfillment_node_id)
    return location is not None and not location.enabled
