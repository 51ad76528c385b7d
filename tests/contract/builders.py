"""Events by what matters in them, and calls that happen at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import TypeVar

from inventory_sync.domain.events import EventName, FulfillmentEvent, FulfillmentItem

NOON = datetime(2026, 3, 2, 12, 0, 0, 123456, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
RETENTION = timedelta(days=90)
THREADS = 20

T = TypeVar("T")


def event(
    logical_timestamp: int = 10,
    *,
    location_id: str = "DC01",
    fulfillment_request_id: str = "ff1",
    name: EventName = EventName.ITEMS_COMPLETED,
    items: tuple[FulfillmentItem, ...] = (FulfillmentItem("item-1", "SKU-1"),),
) -> FulfillmentEvent:
    return FulfillmentEvent(
        name=name,
        location_id=location_id,
        logical_timestamp=logical_timestamp,
        fulfillment_request_id=fulfillment_request_id,
        order_id="order-1",
        service_level="",
        items=items,
        published_at=NOON - MINUTE,
    )


def at_once(call: Callable[[int], T], threads: int = THREADS) -> list[T]:
    """The answers to calls that start together, each given its number."""
    barrier = Barrier(threads)

    def one(number: int) -> T:
        barrier.wait(timeout=30)
        return call(number)

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(one, range(threads)))
