"""Read one location's stock for a run, unless something speaks against using it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from types import MappingProxyType

from inventory_sync.domain.errors import (
    FatalError,
    RejectedError,
    RetriableError,
    SnapshotIncompleteError,
)
from inventory_sync.domain.guards import (
    APPROVABLE,
    Hold,
    HoldKind,
    check_snapshot,
)
from inventory_sync.domain.holds import Approval, LocationHold
from inventory_sync.domain.import_run import ImportRun
from inventory_sync.domain.locations import Location
from inventory_sync.domain.manifest import LocationEntry
from inventory_sync.domain.stock import StockSnapshot, Units
from inventory_sync.ports.locations import RunLocations
from inventory_sync.ports.observe import Observer, RemainingSeconds
from inventory_sync.use_cases.import_stock.build_import.context import ImportContext
from inventory_sync.use_cases.import_stock.build_import.stock_source import (
    Known,
    Reading,
    StockSource,
)

AHEAD_MAX = timedelta(hours=26)
"""How far an ERP's clock may be ahead of ours: time zones, and nothing else, explain so much."""


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


APPROVALS_USED_MAX = 200
"""In one run: its record, which names them, has to fit a table item."""
_APPROVED_LATER = LeftOut("approved: its turn comes with the next run")

Fetched = Reading | LeftOut | tuple[Hold, ...]
"""Stock still to be judged, or why there is none: then by holds that nobody can approve."""


@dataclass(slots=True, kw_only=True)
class StockReader:
    """`left_out` and `used_approvals` grow, by location id, as locations are read."""

    context: ImportContext
    source: StockSource
    location_store: RunLocations
    observer: Observer
    remaining_seconds: RemainingSeconds
    left_out: dict[str, LeftOut] = field(default_factory=dict)
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
        for location_id in sorted(self.context.held_before.keys() - self.left_out.keys()):
            self.location_store.clear_hold(location_id)

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
        try:
            return self.source.read(place.location_id, known)
        except SnapshotIncompleteError as error:
            return (Hold(HoldKind.SNAPSHOT_INCOMPLETE, str(error)),)
        except (RetriableError, RejectedError, FatalError) as error:
            self.observer.count("LocationsUnreadable")
            return LeftOut(f"the ERP could not be read: {error}")

    def judge(
        self,
        place: Location,
        entry: LocationEntry | None,
        fetched: Fetched,
        kept: Mapping[str, Units] = MappingProxyType({}),
    ) -> Reading | LeftOut:
        """The location's stock, unless something speaks against using it in this run.

        `kept` are the last quantities, where products that are not listed keep theirs.
        """
        location_id = place.location_id
        if isinstance(fetched, LeftOut):
            self.left_out[location_id] = fetched
            return fetched
        if isinstance(fetched, tuple):
            return self._hold(location_id, fetched)
        last = entry.figures if entry else None
        holds = (
            *check_snapshot(fetched.snapshot, last, self.context.settings.guards, kept),
            *self._check_as_of(fetched.snapshot, entry),
        )
        refused = tuple(hold for hold in holds if not self._approved(location_id, hold))
        if refused:
            return self._hold(location_id, refused)
        if holds and len(self.used_approvals) >= APPROVALS_USED_MAX:
            self.left_out[location_id] = _APPROVED_LATER
            return _APPROVED_LATER
        if holds:
            self.used_approvals[location_id] = self.context.approvals[location_id].who
        # What a guard or common sense doubts is no base for a feed: the next run reads all again.
        doubtful = holds or not fetched.snapshot.on_hand_units
        return replace(fetched, cursor=None) if doubtful else fetched

    def _check_as_of(
        self, snapshot: StockSnapshot, entry: LocationEntry | None
    ) -> tuple[Hold, ...]:
        """A snapshot has to show all that the last one did: what was closed since counts on it."""
        if snapshot.as_of - self.run.planned_at > AHEAD_MAX:
            figures = f"as of {snapshot.as_of}, which is far ahead of {self.run.planned_at}"
            return (Hold(HoldKind.SNAPSHOT_AHEAD, figures),)
        apply_lag = self.context.erp.rule.apply_lag
        if entry is not None and snapshot.as_of - apply_lag < entry.as_of:
            figures = (
                f"as of {snapshot.as_of} less an apply lag of {apply_lag},"
                f" the last one showed all up to {entry.as_of}"
            )
            return (Hold(HoldKind.SNAPSHOT_OLDER, figures),)
        return ()

    def _approved(self, location_id: str, hold: Hold) -> bool:
        approval: Approval | None = self.context.approvals.get(location_id)
        age_max = self.context.settings.approval_age_max
        return (
            approval is not None
            and hold.kind in APPROVABLE
            and hold.kind in approval.kinds
            and timedelta(0) <= self.run.planned_at - approval.at <= age_max
        )

    def _hold(self, location_id: str, holds: tuple[Hold, ...]) -> LeftOut:
        since = self.run.planned_at
        if location_id in self.context.held_before:
            since = self.context.held_before[location_id].since
        hold = LocationHold(
            location_id=location_id, holds=holds, since=since, run_id=self.run.run_id
        )
        self.location_store.set_hold(hold)
        reason = "; ".join(f"{hold.kind}: {hold.figures}" for hold in holds)
        self.observer.log(
            "location held", run_id=self.run.run_id, location_id=location_id, reason=reason
        )
        by_choice = all(hold.kind is HoldKind.OPERATOR for hold in holds)
        left_out = LeftOut(f"held: {reason}", held=True, by_choice=by_choice)
        self.left_out[location_id] = left_out
        return left_out
