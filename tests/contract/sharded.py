"""The design for a location that outgrows its partition (docs/scale.md), over any event log.

Its events stand under the location and a suffix, by a digest of the fulfillment request: a repeat
of an event finds the first, and all of one request stay together. Nothing in production uses it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from heapq import merge
from zlib import crc32

from inventory_sync.domain.events import EventRef, FulfillmentEvent, OpenEvent
from inventory_sync.domain.inbound import AppendResult, ClaimResult
from inventory_sync.domain.stock import Acknowledgement
from inventory_sync.ports.events import EventLog

_MARK = "~"
"""Between location and number: no location of the map has it."""


@dataclass(frozen=True)
class ShardedEventLog:
    """ports.EventLog, for which a location is still one."""

    log: EventLog
    shards: int

    def shard(self, ref: EventRef) -> EventRef:
        """Where the event is kept."""
        request_id = ref.event_key.split("#", 2)[2].rpartition("#")[0]
        number = crc32(request_id.encode()) % self.shards
        return EventRef(f"{ref.location_id}{_MARK}{number}", ref.event_key)

    def append(self, event: FulfillmentEvent, body: bytes, received_at: datetime) -> AppendResult:
        kept = replace(event, location_id=self.shard(event.ref).location_id)
        return self.log.append(kept, body, received_at)

    def open_events(self) -> Iterator[OpenEvent]:
        return map(_whole, self.log.open_events())

    def open_events_of(self, location_id: str) -> list[OpenEvent]:
        """Each shard is read consistently, and after whatever was read before the call."""
        parts = (self.log.open_events_of(f"{location_id}{_MARK}{n}") for n in range(self.shards))
        return [_whole(e) for e in merge(*parts, key=lambda e: e.event.ref.event_key)]

    def claim(self, ref: EventRef, *, now: datetime, until: datetime) -> ClaimResult:
        return self.log.claim(self.shard(ref), now=now, until=until)

    def mark_applied(self, ref: EventRef, applied_at: datetime, document_id: str) -> None:
        self.log.mark_applied(self.shard(ref), applied_at, document_id)

    def mark_forwarded(
        self,
        ref: EventRef,
        forwarded_at: datetime,
        *,
        close: bool,
        applied: Acknowledgement | None = None,
    ) -> float:
        """The gigabytes are those of the shard, as the limit is."""
        return self.log.mark_forwarded(self.shard(ref), forwarded_at, close=close, applied=applied)

    def mark_rejected(self, ref: EventRef, reason: str) -> None:
        self.log.mark_rejected(self.shard(ref), reason)

    def mark_counted(self, ref: EventRef, run_id: str) -> None:
        self.log.mark_counted(self.shard(ref), run_id)

    def close(self, ref: EventRef) -> None:
        self.log.close(self.shard(ref))


def _whole(kept: OpenEvent) -> OpenEvent:
    location_id, _, _ = kept.event.location_id.rpartition(_MARK)
    return replace(kept, event=replace(kept.event, location_id=location_id))
