"""What NewStore publishes: the logical counter, and every event in the order of its happening."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from local.newstore.events import Event, EventName, fulfillment_event, iso_instant
from local.newstore.fulfillment import FulfillmentRequest, Item


class Publisher:
    """Draws logical timestamps from the tenant's one counter, from 1 up."""

    def __init__(self, tenant: str, now: Callable[[], datetime]) -> None:
        self.tenant, self._now = tenant, now
        self.events: list[Event] = []
        self.fraction_digits = 3
        """Of a second in `published_at`, 0 to 9."""
        self.last_drawn = 0

    def publish(
        self,
        name: EventName,
        request: FulfillmentRequest,
        items: Sequence[Item],
        logical_timestamp: int | None,
        rejection_reason: str = "",
    ) -> Event:
        """The event's body; an explicit logical timestamp is taken as it is."""
        event = fulfillment_event(
            tenant=self.tenant,
            name=name,
            published_at=iso_instant(self._now(), self.fraction_digits),
            request_id=request.request_id,
            order_id=request.order_id,
            logical_timestamp=self._draw(logical_timestamp),
            location_id=request.location_id,
            associate_id=request.associate_id,
            service_level=request.service_level,
            items=[(item.item_id, item.product_id) for item in items],
            rejection_reason=rejection_reason,
        )
        self.events.append(event)
        return event

    def skip(self, holes: int) -> None:
        """Leave a hole in the counter."""
        self.last_drawn += holes

    def _draw(self, explicit: int | None) -> int:
        drawn = self.last_drawn + 1 if explicit is None else explicit
        self.last_drawn = max(self.last_drawn, drawn)
        return drawn
