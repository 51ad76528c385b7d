"""Events that a webhook answered 400, kept until somebody retries or deletes them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID, uuid5

from local.http_server import CallRefusedError
from local.newstore.events import Event, iso_instant
from local.newstore.publications import TAKEN

REJECTED_EVENTS_MAX = 30
_IDS = UUID("7d2b1d0e-6c5f-4c0a-9d3e-5f2a7c1b8e90")


@dataclass(frozen=True)
class RejectedEvent:
    """`rejected_id` is the entry's, not the event's."""

    rejected_id: str
    created_at: datetime
    event: Event


@dataclass
class RejectedEvents:
    """Of one integration, the latest first."""

    kept: list[RejectedEvent] = field(default_factory=list)
    _made: int = 0

    @property
    def full(self) -> bool:
        return len(self.kept) >= REJECTED_EVENTS_MAX

    def add(self, event: Event, now: datetime) -> str:
        """The new entry's id."""
        self._made += 1
        rejected = RejectedEvent(str(uuid5(_IDS, str(self._made))), now, event)
        self.kept.insert(0, rejected)
        return rejected.rejected_id

    def listed(self) -> list[dict[str, str]]:
        return [{"id": r.rejected_id, "created_at": iso_instant(r.created_at)} for r in self.kept]

    def get(self, rejected_id: str) -> Event:
        """CallRefusedError 404."""
        return self._find(rejected_id).event

    def delete(self, rejected_id: str) -> None:
        """CallRefusedError 404."""
        self.kept.remove(self._find(rejected_id))

    def retry(self, rejected_id: str, send: Callable[[Event], int]) -> None:
        """CallRefusedError 404, or 502 where the webhook does not answer 200."""
        rejected = self._find(rejected_id)
        if (status := send(rejected.event)) != TAKEN:
            raise CallRefusedError(502, f"the integration answered {status}")
        self.kept.remove(rejected)

    def _find(self, rejected_id: str) -> RejectedEvent:
        found = next((r for r in self.kept if r.rejected_id == rejected_id), None)
        if found is None:
            raise CallRefusedError(404, "unknown rejected event")
        return found
