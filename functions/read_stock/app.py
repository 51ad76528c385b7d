"""Read stock: called by the state machine with a batch of a plan, again where some were not read.

{"plan_id": "...", "planned_at": "...", "whole": false, "locations": ["..."], "attempt": 0}
"""

from datetime import datetime

from inventory_sync.bootstrap.handler import (
    Answer,
    Event,
    Handler,
    Make,
    SecondsLeft,
    handler_of,
)
from inventory_sync.bootstrap.read_stock import read_stock
from inventory_sync.bootstrap.runtime import in_lambda
from inventory_sync.domain.stock_reads import ReadPlan
from inventory_sync.observability import PowertoolsObserver
from inventory_sync.use_cases.import_stock.read_locations import ReadLocations


def build_handler(make: Make[ReadLocations]) -> Handler:
    """The handler over whatever `make` gives."""
    return handler_of(make, _read)


def _read(
    reader: ReadLocations, observer: PowertoolsObserver, event: Event, seconds_left: SecondsLeft
) -> Answer:
    planned_at = datetime.fromisoformat(event["planned_at"])
    plan = ReadPlan(event["plan_id"], planned_at, whole=event["whole"])
    again = bool(event.get("attempt"))
    locations = reader(plan, event["locations"], seconds_left, again=again)
    observer.log("batch read", plan_id=plan.plan_id, locations=locations)
    return {"locations": locations}


lambda_handler = build_handler(in_lambda(read_stock))
