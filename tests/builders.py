"""Builders: a test names what matters to it, everything else has a plain value."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from inventory_sync.adapters.dynamodb.audit import Author
from inventory_sync.domain.cut import AppliedRule
from inventory_sync.domain.events import EventName, FulfillmentEvent, FulfillmentItem, OpenEvent
from inventory_sync.domain.guards import FALLS, HoldKind
from inventory_sync.domain.holds import Approval
from inventory_sync.domain.import_run import ImportRun, RunState
from inventory_sync.domain.locations import (
    Location,
    LocationType,
    NewStoreLocation,
    NewStoreLocations,
)
from inventory_sync.domain.manifest import Manifest
from inventory_sync.domain.reading import ReleaseReading
from inventory_sync.domain.snapshot_guards import GuardLimits
from inventory_sync.domain.stock import StockSnapshot, Units
from inventory_sync.domain.unstored import UnstoredUnits
from inventory_sync.use_cases.import_stock.build_import.context import ErpTerms, ImportContext
from inventory_sync.use_cases.import_stock.build_import.settings import BuildSettings

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DC = "DC01"
STORE = "NYC"
SKU = "SKU-1"
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
OPERATOR = Author(who="olga", command="test", why="counted", at=NOW)
ITEMS_ASSIGNED = EventName.ASSIGNED
ITEMS_COMPLETED = EventName.ITEMS_COMPLETED
ITEMS_FAILED = EventName.ITEMS_FAILED


def event(logical_timestamp: int = 10, *products: str, at: str = DC, **fields: Any) -> Any:
    """A FulfillmentEvent, completed unless it says otherwise: one unit for each product named."""
    request_id = fields.get("fulfillment_request_id", f"ff{logical_timestamp}")
    items = tuple(
        FulfillmentItem(f"{request_id}-{number}", product)
        for number, product in enumerate(products or (SKU,), start=1)
    )
    plain: dict[str, Any] = {
        "name": ITEMS_COMPLETED,
        "location_id": at,
        "logical_timestamp": logical_timestamp,
        "fulfillment_request_id": request_id,
        "order_id": f"order-{request_id}",
        "service_level": "STANDARD",
        "items": items,
        "published_at": NOW - HOUR,
    }
    return FulfillmentEvent(**(plain | fields))


_OF_OPEN_EVENT = {
    "received_at", "applied_at", "forwarded_at", "rejected_reason", "counted_by", "owned",
}  # fmt: skip


def open_event(logical_timestamp: int = 10, *products: str, at: str = DC, **fields: Any) -> Any:
    """An OpenEvent over `event`: nothing has been done about it unless it says so.

    Where something has, it owns all of its units.
    """
    own = {name: fields.pop(name) for name in _OF_OPEN_EVENT & set(fields)}
    found: FulfillmentEvent = event(logical_timestamp, *products, at=at, **fields)
    plain: dict[str, Any] = {"received_at": found.published_at}
    if own.get("applied_at") or own.get("forwarded_at"):
        plain["owned"] = frozenset(item.item_id for item in found.items)
    return OpenEvent(event=found, **(plain | own))


def forwarded(logical_timestamp: int, *products: str, applied_at: datetime, **fields: Any) -> Any:
    """An OpenEvent that the ERP has acknowledged and needs nothing more of."""
    return open_event(
        logical_timestamp, *products, applied_at=applied_at, forwarded_at=applied_at, **fields
    )


def snapshot(
    on_hand_units: Mapping[str, Units] | None = None, *, at: str = DC, as_of: datetime = NOW
) -> StockSnapshot:
    """What the ERP said: ten of one product unless it says otherwise."""
    return StockSnapshot(at, as_of, {SKU: 10} if on_hand_units is None else on_hand_units)


def run(state: RunState = RunState.PLANNED, **fields: Any) -> Any:
    """An ImportRun that has got as far as its state."""
    plain: dict[str, Any] = {"run_id": "run-1", "planned_at": NOW, "full": False, "cut_end": 0}
    order = list(RunState)
    if order.index(state) >= order.index(RunState.UPLOADED):
        plain |= {"built_at": NOW, "source_uri": "s3://imports/run-1.zip"}
    if order.index(state) >= order.index(RunState.CREATED):
        plain |= {"job_id": "job-1", "job_created_at": NOW}
    return ImportRun(state=state, **(plain | fields))


def approval(kind: HoldKind = HoldKind.UNITS_FELL, **fields: Any) -> Approval:
    """For one import, of whatever the guard says of the figures."""
    bound = 0 if kind in FALLS else 10**9
    plain: dict[str, Any] = {
        "location_id": DC, "kind": kind, "figures": "", "bound_units": bound, "who": "olga",
        "why": "counted", "at": NOW,
    }  # fmt: skip
    return Approval(**(plain | fields))


def location(location_id: str = DC, **fields: Any) -> Location:
    """A row of the location map: the same id everywhere."""
    plain = {
        "location_id": location_id,
        "fulfillment_node_id": location_id,
        "store_id": location_id,
        "erp_location": location_id,
    }
    return Location(**(plain | fields))


def import_context(**fields: Any) -> ImportContext:
    """The starting point of a run that has found nothing yet."""
    plain: dict[str, Any] = {
        "run": run(),
        "watermark": None,
        "last_finished_at": None,
        "settings": BuildSettings(
            first_logical_timestamp=0,
            settle=15 * MINUTE,
            other_channel_lags={},
            guards=GuardLimits(),
        ),
        "reading": ReleaseReading.RANGE,
        "switched": False,
        "recent_jobs": (),
        "locations": {},
        "by_node": {},
        "listed": {},
        "previous": Manifest(run_id="", cut_end=0),
        "unfinished": Manifest(run_id="", cut_end=0),
        "refused_again": (),
        "erp": ErpTerms(AppliedRule()),
        "open_events": {},
        "unstored": UnstoredUnits(),
        "approvals": {},
        "resends": {},
        "operator_holds": {},
        "held_before": {},
    }
    return ImportContext(**(plain | fields))


def listed(*location_ids: str, **fields: Any) -> NewStoreLocations:
    """What NewStore says of these stores, each with its location's id."""
    plain: dict[str, Any] = {"type": LocationType.STORE}
    return {
        i: NewStoreLocation(**{"location_id": i, "store_id": i, **plain, **fields})
        for i in location_ids
    }
