"""What NewStore publishes: the logical counters, and every event in the order of its happening."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Literal

from local.newstore.events import Event, EventName, fulfillment_event, iso_instant
from local.newstore.fulfillment import FulfillmentRequest, Item

CounterScope = Literal["tenant", "location"]


class Publisher:
    """Draws logical timestamps, one counter for the tenant or one per location, from 1 up."""

    def __init__(self, tenant: str, now: Callable[[], datetime], scope: CounterScope) -> None:
        self.tenant, self._now, self.scope = tenant, now, scope
        self.events: list[Event] = []
        self.fraction_digits = 3
        """Of a second in `published_at`, 0 to 9."""
        self.counters: Counter[str] = Counter()
        """The last one drawn, by location; under "" where the tenant has one counter."""

    def publish(
        self,
        name: EventName,
        request: FulfillmentRequest,
        items: Sequence[Item],
        logical_timestamp: int | None,
    ) -> Event:
        """The event's body; an explicit logical timestamp is taken as it is."""
        event = fulfillment_event(
            tenant=self.tenant,
            name=name,
            published_at=iso_instant(self._now(), self.fraction_digits),
            request_id=request.request_id,
            order_id=request.order_id,
            logical_timestamp=self._draw(request.location_id, logical_timestamp),
            location_id=request.location_id,
            associate_id=request.associate_id,
            service_level=request.service_level,
            items=[(item.item_id, item.product_id) for item in items],
        )
        self.events.append(event)
        return event

    def skip(self, holes: int, location_id: str = "") -> None:
        """Leave a hole in the counter (of the location, where each has its own)."""
        self.counters[self._counter(location_id)] += holes

    def _draw(self, location_id: str, explicit: int | None) -> int:
        counter = self._counter(location_id)
        drawn = self.counters[counter] + 1 if explicit is None else explicit
        self.counters[counter] = max(self.counters[counter], drawn)
        return drawn

    def _counter(self, location_id: str) -> str:
        return location_id if self.scope == "location" else ""
