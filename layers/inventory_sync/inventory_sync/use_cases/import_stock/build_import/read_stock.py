"""Read one location's stock for a run, unless something speaks against using it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

from inventory_sync.domain.events import OpenEvent
from inventory_sync.domain.guards import Hold, HoldKind, ledger_lost
from inventory_sync.domain.holds import Approval, LocationHold
from inventory_sync.domain.import_run import ImportRun
from inventory_sync.domain.locations import Location
from inventory_sync.domain.manifest import NOTHING_KEPT, KeptLedger, LocationEntry
from inventory_sync.domain.repeats import Repeats, check_repeats, repeats_of
from inventory_sync.domain.snapshot_guards import Doubts, check_age, check_as_of, check_snapshot
from inventory_sync.domain.stock import StockSnapshot, Units
from inventory_sync.domain.stock_reads import NoNewRead, Read, StockRead, UnreadStock
from inventory_sync.ports.locations import RunLocations
from inventory_sync.ports.observe import Observer, RemainingSeconds
from inventory_sync.use_cases.import_stock.build_import.context import ImportContext
from inventory_sync.use_cases.import_stock.build_import.stock_source import Known


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Why a location's snapshot is not used in this run; `held` until an operator acts.

    `by_choice` where the location map or an operator says that it is not to be read; not
    `asked_for` where the run reads only what it was asked to.
    """

    reason: str
    held: bool = False
    by_choice: bool = False
    asked_for: bool = True

    @property
    def deliberate(self) -> bool:
        """Whether somebody wants its stock to be as old as it is."""
        return self.by_choice and self.asked_for


APPROVALS_USED_MAX = 200
"""In one run: its record, which names them, has to fit a table item."""
_APPROVED_LATER = LeftOut("approved: its turn comes with the next run")

_NOT_READ_SINCE = LeftOut("not read since the last import", by_choice=True, asked_for=False)

Fetched = StockRead | LeftOut | tuple[Hold, ...]
"""Stock still to be judged, or why there is none: then by holds that nobody can approve."""


class ReadSource(Protocol):
    """Where a run's reads come from: the ERP, or what was read of it before."""

    def read(self, location_id: str, known: Known | None) -> Read | NoNewRead:
        """A location's stock; may be called by several threads."""


@dataclass(slots=True, kw_only=True)
class StockReader:
    """`left_out`, `rows_held` and `used_approvals` grow, by location id, as locations are read."""

    context: ImportContext
    source: ReadSource
    location_store: RunLocations
    observer: Observer
    remaining_seconds: RemainingSeconds
    left_out: dict[str, LeftOut] = field(default_factory=dict)
    rows_held: dict[str, int] = field(default_factory=dict)
    used_approvals: dict[str, str] = field(default_factory=dict)

    @property
    def run(self) -> ImportRun:
        """The run that it is read for."""
        return self.context.run

    def hold_unread(self, location_id: str) -> None:
        """A location that the map does not know, or says not to read."""
        self._hold(location_id, self.context.check(self.context.locations.get(location_id)))

    def hold(self, location_id: str, holds: tuple[Hold, ...]) -> None:
        """Whatever the ERP says of it, the location's snapshot is not used in this run."""
        self._hold(location_id, holds)

    def clear_old_holds(self) -> None:
        """What is not held any more, be it that its location is not imported any more."""
        held = self.left_out.keys() | self.rows_held.keys()
        for location_id in sorted(self.context.held_before.keys() - held):
            self.location_store.clear_hold(location_id)
        for approvals in self.context.approvals.values():
            for approval in approvals:
                if self.run.planned_at > approval.ends_at:
                    self.location_store.end_approval(approval)

    def fetch(self, place: Location, known: Known | None) -> Fetched:
        """What the ERP says, or why it was not asked; may run in a thread of its own."""
        if place.location_id in self.left_out:
            return self.left_out[place.location_id]
        if self.remaining_seconds() < self.context.settings.spare_seconds:
            return LeftOut("no time left in this run")
        if not place.enabled:
            return LeftOut("not imported any more: rolled forward", by_choice=True)
        if by_operator := self.context.operator_holds.get(place.location_id):
            return (Hold(HoldKind.OPERATOR, str(by_operator)),)
        if self.run.only and place.location_id not in self.run.only:
            return LeftOut("not asked for in this run", by_choice=True, asked_for=False)
        if self.context.erp.failure:
            return LeftOut(f"the ERP could not be read: {self.context.erp.failure}")
        if holds := self.context.check(place):
            return holds
        match self.source.read(place.location_id, known):
            case UnreadStock(reason, incomplete=True):
                return (Hold(HoldKind.SNAPSHOT_INCOMPLETE, reason),)
            case UnreadStock(reason):
                self.observer.count("LocationsUnreadable")
                return LeftOut(f"the ERP could not be read: {reason}")
            case NoNewRead():
                return _NOT_READ_SINCE
            case StockRead() as read:
                return read

    def judge(
        self,
        place: Location,
        entry: LocationEntry | None,
        fetched: Fetched,
        last: Mapping[str, Units] | None = None,
        events: Iterable[OpenEvent] = (),
        kept: KeptLedger = NOTHING_KEPT,
    ) -> StockRead | LeftOut:
        """The location's stock, unless something speaks against using it in this run.

        `last` are its quantities as of the last finished import, `events` its open ones, read after
        its stock, `kept` what is known of its rows at NewStore. Rows that are held alone are left
        out of the snapshot, and named.
        """
        location_id = place.location_id
        if isinstance(fetched, LeftOut):
            self.left_out[location_id] = fetched
            return fetched
        if isinstance(fetched, tuple):
            return self._hold(location_id, fetched)
        snapshot, shown_up_to = fetched.snapshot, entry.as_of if entry else None
        before = entry.repeats if entry else None
        repeats = repeats_of(snapshot, before, shown_up_to, events, self.context.erp.rule)
        doubts = self._doubts(location_id, snapshot, last, kept)
        if repeated := check_repeats(repeats, snapshot.as_of):
            doubts = replace(doubts, location=(*doubts.location, *repeated))
            repeats = Repeats(repeats.digest, snapshot.as_of)
        dated = self._misdated(snapshot, shown_up_to)
        if not dated:
            self._end_needless(location_id, doubts.all)
        rows = self._refused(location_id, doubts.rows)
        if refused := (*self._refused(location_id, doubts.location), *dated):
            return self._hold(location_id, (*refused, *rows))
        passed = len(doubts.all) > len(rows)
        if passed and len(self.used_approvals) >= APPROVALS_USED_MAX:
            self.left_out[location_id] = _APPROVED_LATER
            return _APPROVED_LATER
        if passed:
            used = {a.who for hold in doubts.all if (a := self._approval(location_id, hold))}
            self.used_approvals[location_id] = ", ".join(sorted(used))
        if rows:
            self._note_hold(location_id, rows)
            self.rows_held[location_id] = len(rows)
        fetched = replace(fetched, repeats=repeats)
        return _believed(fetched, rows, doubtful=bool(doubts.all) or not snapshot.on_hand_units)

    def _doubts(
        self,
        location_id: str,
        snapshot: StockSnapshot,
        last: Mapping[str, Units] | None,
        kept: KeptLedger,
    ) -> Doubts:
        """What its figures are held for, unless that is approved."""
        keeps_unlisted = not self.context.erp.absent_means_zero
        limits = self.context.settings.guards
        doubts = check_snapshot(snapshot, last, limits, keeps_unlisted=keeps_unlisted)
        if kept.lost and kept.ledger is None:
            doubts = replace(doubts, location=(*doubts.location, ledger_lost(location_id)))
        return doubts

    def _misdated(self, snapshot: StockSnapshot, shown_up_to: datetime | None) -> tuple[Hold, ...]:
        """What its moment is held for; that cannot be approved."""
        context, now = self.context, self.run.planned_at
        return (
            *check_as_of(snapshot.as_of, shown_up_to, context.erp.rule.apply_lag, now=now),
            *check_age(snapshot.as_of, context.settings.guards, now=now),
        )

    def _refused(self, location_id: str, holds: tuple[Hold, ...]) -> tuple[Hold, ...]:
        return tuple(hold for hold in holds if self._approval(location_id, hold) is None)

    def _approval(self, location_id: str, hold: Hold) -> Approval | None:
        """One that lets it pass."""
        given = self.context.approvals.get(location_id, ())
        now = self.run.planned_at
        return next((a for a in given if a.in_force(now) and a.covers(hold)), None)

    def _end_needless(self, location_id: str, holds: tuple[Hold, ...]) -> None:
        """An approval for one import ends where its guard does not trip any more."""
        tripped = {(hold.kind, hold.product_id) for hold in holds}
        for approval in self.context.approvals.get(location_id, ()):
            known = approval.at <= self.run.planned_at
            if known and approval.until is None and approval.named not in tripped:
                self.location_store.end_approval(approval)

    def _hold(self, location_id: str, holds: tuple[Hold, ...]) -> LeftOut:
        reason = self._note_hold(location_id, holds)
        by_choice = all(hold.kind is HoldKind.OPERATOR for hold in holds)
        left_out = LeftOut(f"held: {reason}", held=True, by_choice=by_choice)
        self.left_out[location_id] = left_out
        return left_out

    def _note_hold(self, location_id: str, holds: tuple[Hold, ...]) -> str:
        """Kept for operators; returns the reason in words."""
        since = self.run.planned_at
        if location_id in self.context.held_before:
            since = self.context.held_before[location_id].since
        hold = LocationHold(
            location_id=location_id, holds=holds, since=since, run_id=self.run.run_id
        )
        self.location_store.set_hold(hold)
        reason = "; ".join(f"{hold.kind}: {hold.in_words}" for hold in holds)
        self.observer.log(
            "location held" if not all(hold.product_id for hold in holds) else "rows held",
            run_id=self.run.run_id,
            location_id=location_id,
            reason=reason,
        )
        return reason


def _believed(fetched: StockRead, rows: tuple[Hold, ...], *, doubtful: bool) -> StockRead:
    """What a guard or common sense doubts is no base for a feed: the next run reads all again."""
    held = frozenset(hold.product_id for hold in rows) - fetched.snapshot.unknown.keys()
    snapshot = fetched.snapshot.without(held) if rows else fetched.snapshot
    return replace(
        fetched, snapshot=snapshot, held=held, cursor=None if doubtful else fetched.cursor
    )
