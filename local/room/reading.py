"""What is read of a stack at one moment, before anything is made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from inventory_sync.domain.events import FulfillmentEvent, OpenEvent
from inventory_sync.domain.holds import LocationHold
from inventory_sync.domain.import_run import ImportRun
from inventory_sync.domain.release_evidence import ReleaseFindings
from inventory_sync.domain.stock import StockKey


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
class Reading:
    """All of it, by location id and product id; `runs` are the newest first.

    `erp_units` is what a snapshot of the ERP would show now, and `erp_down_until` when it answers
    again, where that is known; without simulators there is no `truth`.
    """

    at: datetime
    watermark: int | None = None
    runs: tuple[ImportRun, ...] = ()
    holds: Mapping[str, LocationHold] = field(default_factory=dict)
    open_events: tuple[OpenEvent, ...] = ()
    quarantined: int = 0
    promises: Mapping[StockKey, Promise] = field(default_factory=dict)
    erp_units: Mapping[StockKey, int] = field(default_factory=dict)
    erp_down_until: datetime | None = None
    truth: Truth | None = None
    release: ReleaseFindings = field(default_factory=ReleaseFindings)
