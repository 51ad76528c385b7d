"""What is read of a stack at one moment, before anything is made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cli.shadow_now import ShadowNow
from inventory_sync.domain.events import FulfillmentEvent, OpenEvent
from inventory_sync.domain.guards import Hold, HoldKind
from inventory_sync.domain.holds import LocationHold, OperatorHold
from inventory_sync.domain.import_run import ImportRun
from inventory_sync.domain.inbound import QuarantinedCompletion
from inventory_sync.domain.release_evidence import ReleaseFindings
from inventory_sync.domain.stock import StockKey

_STOCK_AGE_GOAL_SECONDS = 7200.0
"""docs/settings.md, Goals."""
_AGE_STEP = timedelta(minutes=5)
PAUSED = "All imports"
"""Where a pause is shown among the locations."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """NewStore's figures of one row in units; only the ATP can be asked of a real NewStore."""

    atp_units: int
    on_hand_units: int | None = None
    open_allocations: int | None = None
    completed_unreleased: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What simulators know and a real world does not tell.

    `shelf_units` is what stands there; `under_way` was published and is not yet stored; `closed`
    is stored, booked and released; `double_bookings` counts movements that the ERP booked again.
    """

    shelf_units: Mapping[StockKey, int]
    under_way: tuple[FulfillmentEvent, ...] = ()
    closed: tuple[OpenEvent, ...] = ()
    double_bookings: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """One of four figures to look at first; `value` is None where nobody has counted it yet."""

    name: str
    value: float | None
    unit: str
    goal: float
    since: str

    @property
    def missed(self) -> bool:
        """Whether it is above its goal (docs/settings.md)."""
        return self.value is not None and self.value > self.goal


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """A row of the last reconciliation whose promise differs; above 0: too many units."""

    location: str
    product: str
    atp_units: int
    drift_units: int
    causes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """All of it, by location id and product id; `runs` are the newest first.

    `erp_units` is what a snapshot of the ERP would show now, and `erp_down_until` when it answers
    again, where that is known; without simulators there is no `truth`. Of a stack with thousands of
    locations `concerns` says what needs a person, None elsewhere; `open_count` and `quarantined`
    are counted by the sweep, `refresh` says how far the first import or a full refresh is, and
    `open_events` are those of some locations only. `shadow` is what a shadow saw last, None where
    the stack is live. `unstored` are shipments that only the quarantine knows, the oldest first.
    """

    at: datetime
    watermark: int | None = None
    runs: tuple[ImportRun, ...] = ()
    holds: Mapping[str, LocationHold] = field(default_factory=dict)
    open_events: tuple[OpenEvent, ...] = ()
    open_count: int | None = None
    quarantined: int | None = 0
    concerns: tuple[str, ...] | None = None
    tiles: tuple[Tile, ...] = ()
    drifts: tuple[Drift, ...] = ()
    refresh: str = ""
    shadow: ShadowNow | None = None
    unstored: tuple[QuarantinedCompletion, ...] = ()
    promises: Mapping[StockKey, Promise] = field(default_factory=dict)
    erp_units: Mapping[StockKey, int] = field(default_factory=dict)
    erp_down_until: datetime | None = None
    truth: Truth | None = None
    release: ReleaseFindings = field(default_factory=ReleaseFindings)


def _in_steps(age: timedelta) -> float:
    """In seconds, rounded up: a look that differs by its time alone is no moment of its own."""
    return -(-age // _AGE_STEP) * _AGE_STEP.total_seconds()


def oldest_stock_tile(now: datetime, read_at: datetime | None, since: str) -> Tile:
    """`read_at` is when the ERP was read for what has waited longest, None where nothing was."""
    return Tile(
        name="Oldest stock",
        value=None if read_at is None else _in_steps(now - read_at),
        unit="seconds",
        goal=_STOCK_AGE_GOAL_SECONDS,
        since=since,
    )


def standing_holds(
    held: Mapping[str, LocationHold], by_operator: Mapping[str, OperatorHold]
) -> dict[str, LocationHold]:
    """What guards hold, and what operators do: also where no run has come by since."""
    of_operators = {
        key or PAUSED: LocationHold(
            location_id=key or PAUSED,
            holds=(Hold(HoldKind.OPERATOR, f"{one.who}: {one.why}"),),
            since=one.at,
            run_id="",
        )
        for key, one in by_operator.items()
    }
    return {**held, **of_operators}
