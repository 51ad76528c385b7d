"""The log lines by which one event is followed: event_ref, movement_id and document_id in each."""

from dataclasses import dataclass

from inventory_sync.domain.events import FulfillmentEvent
from inventory_sync.domain.stock import Acknowledgement, movement_id
from inventory_sync.ports.observe import Observer


@dataclass(frozen=True, slots=True)
class EventTrail:
    """One line for each thing that became of an event at the ERP.

    The runbook's query finds them by `event_ref`, beside the import's line on the run that counted
    the event. `document_id` is the ERP's, in the line of the attempt in which the ERP gave it.
    """

    observer: Observer

    def forwarded(self, event: FulfillmentEvent, applied: Acknowledgement | None) -> None:
        """The ERP has all it needs of it."""
        self.observer.log("event forwarded", **_names(event, applied))

    def rejected(self, event: FulfillmentEvent, reason: str) -> None:
        """The ERP refused it."""
        self.observer.log("event rejected", **_names(event), reason=reason)

    def to_retry(
        self,
        event: FulfillmentEvent,
        what: str,
        reason: str,
        applied: Acknowledgement | None = None,
    ) -> None:
        """`what` has to be tried again: the movement or the allocation."""
        self.observer.log("event to retry", **_names(event, applied), what=what, reason=reason)

    def claimed_elsewhere(self, event: FulfillmentEvent) -> None:
        """Another forwarder has claimed it."""
        self.observer.log("event claimed by another forwarder", **_names(event))


def _names(event: FulfillmentEvent, applied: Acknowledgement | None = None) -> dict[str, object]:
    """Under which names the event goes; only what completed has a movement."""
    movement = {"movement_id": movement_id(event)} if event.completed else {}
    document = {"document_id": applied.document_id} if applied is not None else {}
    return {"event_ref": event.ref, **movement, **document}
