"""Stored records that cannot be read: each holds up nothing but itself (`no_poison`)."""

from dataclasses import dataclass
from datetime import datetime

from inventory_sync.domain.events import EventName, EventRef, key_parts
from inventory_sync.domain.inbound import (
    QuarantinedCompletion,
    QuarantineEntry,
    UnstoredCompletion,
    quarantine_id,
)

UNREADABLE_RECORD = "unreadable_record"
"""Why an event is in quarantine that stands in the events table and cannot be read there."""


@dataclass(frozen=True, slots=True)
class UnreadableEvent:
    """An open event of which no more than its key can be read; `received_at` where that can be."""

    ref: EventRef
    fault: str
    received_at: datetime | None = None

    def entry(self, now: datetime) -> QuarantineEntry:
        """For the quarantine; the events table has its body."""
        return QuarantineEntry(
            reason=UNREADABLE_RECORD,
            detail=f"the events table has it, but it cannot be read: {self.fault}",
            body=b"",
            received_at=self.received_at or now,
            ref=self.ref,
        )

    def completion(self, now: datetime) -> QuarantinedCompletion | None:
        """What it reports of units that were shipped; None where its key says that none were."""
        try:
            key = key_parts(self.ref)
        except ValueError:
            return None
        if key.name is not EventName.ITEMS_COMPLETED:
            return None
        return QuarantinedCompletion(
            entry_id=quarantine_id(self.entry(now)),
            completion=UnstoredCompletion(
                location_id=self.ref.location_id,
                logical_timestamp=key.logical_timestamp,
                fulfillment_request_id=key.fulfillment_request_id,
            ),
            received_at=self.received_at or now,
        )
