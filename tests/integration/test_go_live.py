"""Orders migrated into NewStore publish their shipments of long ago: the ERP has those already."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from inventory_sync.domain.locations import Location
from local.clock import LocalClock
from local.newstore.events import Event
from local.stack import EVENTS, QUARANTINE, RECONCILE, LocalStack, StackPlan, local_stack

DC = Location(location_id="DC01", fulfillment_node_id="DC01", store_id="", erp_location="DC01")
KEY = ("DC01", "SKU-1")
LONG_AGO = "2021-03-01T00:00:00Z"


@pytest.fixture
def stack() -> Iterator[LocalStack]:
    clock = LocalClock()
    go_live_at = clock.now() - timedelta(hours=1)
    plan = StackPlan(
        locations=[DC],
        parameters={
            "SettleWindowSeconds": "0",
            "GoLiveAt": f"{go_live_at:%Y-%m-%dT%H:%M:%SZ}",
        },
        newstore={"job_seconds": 0},
    )
    with local_stack(plan, clock) as stack:
        stack.erp.set_stock(KEY, 10)
        tick(stack, full=True)
        yield stack


def tick(stack: LocalStack, *, full: bool = False) -> None:
    stack.clock.sleep(400)
    assert stack.tick(full=full)["run"]["state"] == "FINALIZED"


def shipped(stack: LocalStack, request: str, *shipped_at: str | None) -> Event:
    """One unit for each: when it left, where that is said."""
    items = [(f"{request}-{number}", "SKU-1") for number in range(len(shipped_at))]
    stack.newstore.assign(request, f"order-{request}", "DC01", items)
    event = stack.newstore.complete(request)
    for item, at in zip(event["payload"]["items"], shipped_at, strict=True):
        item["shipped_at"] = at
    return event


@pytest.mark.sweep(sample=1)
@pytest.mark.parametrize(
    ("left", "units"),
    [
        ([LONG_AGO], 10),
        ([LONG_AGO, LONG_AGO], 10),
        ([None], 9),
        ([LONG_AGO, None, LONG_AGO], 9),
    ],
)
def test_what_left_before_go_live_is_stored_and_takes_nothing_off_anywhere(
    stack: LocalStack, left: list[str | None], units: int
) -> None:
    assert stack.delivery.deliver_now(shipped(stack, "migrated", *left)) == 200
    stack.stream.pump()
    tick(stack)

    assert stack.erp.on_hand(KEY) == units
    assert stack.newstore.on_hand(KEY) == stack.newstore.atp(KEY) == units
    assert (stack.count(EVENTS), stack.count(QUARANTINE)) == (1, 0)
    stack.clock.sleep(3600)
    assert stack.functions[RECONCILE]({})["rows_by_cause"] == {}


def test_it_is_closed_once_an_import_has_counted_it(stack: LocalStack) -> None:
    stack.delivery.deliver_now(shipped(stack, "migrated", LONG_AGO))
    stack.stream.pump()
    tick(stack)

    [item] = stack.aws.dynamodb.scan(TableName=stack.template.physical_id(EVENTS))["Items"]
    assert "open_key" not in item
    assert "applied_at" not in item
