"""What NewStore notes of each attempt to publish an event."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from local.newstore.events import Event, event_bytes, iso_instant

PATH = "/api/v1/org/integrations/published-events"
NO_ANSWER = 599
TAKEN = 200
"""Anything else interrupts a stream."""
Send = Callable[[bytes], int]
"""Posts a body to the webhook, returns the status."""


@dataclass(frozen=True)
class Attempt:
    """One post of an event's body for an integration, and its answer."""

    integration_id: str
    integration_type: str
    event: Event
    at: datetime
    status: int
    retries_remaining: int

    @property
    def failed(self) -> bool:
        return self.status != TAKEN


class Publications:
    """The list of attempts, and the way to the webhook."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self.send: Send | None = None
        """Where events go by themselves; None for a NewStore that only notes."""
        self.attempts: list[Attempt] = []

    def note(
        self,
        integration_id: str,
        event: Event,
        status: int,
        retries_remaining: int = 0,
        integration_type: str = "permanent",
    ) -> None:
        """An attempt was made now."""
        self.attempts.append(
            Attempt(integration_id, integration_type, event, self._now(), status, retries_remaining)
        )

    def publish(
        self, integration_id: str, event: Event, integration_type: str = "permanent"
    ) -> int:
        """Send it once and note the outcome; NO_ANSWER where it can go nowhere."""
        status = NO_ANSWER if self.send is None else self.send(event_bytes(event))
        self.note(integration_id, event, status, integration_type=integration_type)
        return status

    def listed(self, filters: Mapping[str, str]) -> list[dict[str, Any]]:
        """In order of their making."""
        return [_json(attempt) for attempt in self.attempts if _passes(attempt, filters)]


def _json(attempt: Attempt) -> dict[str, Any]:
    payload = attempt.event["payload"]
    return {
        "integration_id": attempt.integration_id,
        "integration_type": attempt.integration_type,
        "target": "webhook",
        "status": "FAILURE" if attempt.failed else "SUCCESS",
        "attempted_at": iso_instant(attempt.at),
        "retries_remaining": attempt.retries_remaining,
        "entity_id": payload["id"],
        "domain_entity_id": payload["order_id"],
        "domain_entity_type": "order",
        "event_name": attempt.event["name"],
        "response": {"code": attempt.status, "body": ""},
    }


def _passes(attempt: Attempt, filters: Mapping[str, str]) -> bool:
    since, until = filters.get("from"), filters.get("to")
    found = {
        "status": "failure" if attempt.failed else "success",
        "integration_id": attempt.integration_id,
        "event_name": attempt.event["name"],
        "domain_entity_id": attempt.event["payload"]["order_id"],
        "domain_entity_type": "order",
    }
    return (
        all(filters.get(name, value) == value for name, value in found.items())
        and (since is None or datetime.fromisoformat(since) <= attempt.at)
        and (until is None or attempt.at <= datetime.fromisoformat(until))
    )
