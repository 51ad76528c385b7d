"""What NewStore notes of each attempt to publish an event, and publishing one once more."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from local.http_server import CallRefusedError
from local.newstore.events import Event, event_bytes, iso_instant

PATH = "/api/v1/org/integrations/published-events"
Send = Callable[[bytes], int]
"""Posts a body to the webhook, returns the status."""


@dataclass(frozen=True)
class Attempt:
    """One post of an event's body for an integration, and its answer."""

    publication_id: str
    integration_id: str
    event: Event
    at: datetime
    status: int
    retries_remaining: int

    @property
    def failed(self) -> bool:
        return not 200 <= self.status < 300


class Publications:
    """The list of attempts. With `offers_retry` off it has no ids and the call is unknown."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self.send: Send | None = None
        """Where a retry or a replay goes; None for a NewStore that only notes."""
        self.retries_at_once = True
        """Else `deliver` does it: where the webhook cannot answer while its caller is at work."""
        self._retries: list[tuple[str, Event]] = []
        self.offers_list = True
        self.offers_retry = True
        self.attempts: list[Attempt] = []

    def note(
        self, integration_id: str, event: Event, status: int, retries_remaining: int = 0
    ) -> None:
        """An attempt was made now."""
        number = f"p-{len(self.attempts) + 1}"
        self.attempts.append(
            Attempt(number, integration_id, event, self._now(), status, retries_remaining)
        )

    def publish(self, integration_id: str, event: Event) -> int:
        """Send it once and note the outcome; ValueError where it can go nowhere."""
        if self.send is None:
            raise ValueError("nothing to send with")
        status = self.send(event_bytes(event))
        self.note(integration_id, event, status)
        return status

    def listed(self, filters: Mapping[str, str]) -> list[dict[str, Any]]:
        """In order of their making; CallRefusedError 404 where the list is not offered."""
        if not self.offers_list:
            raise CallRefusedError(404, "no such call")
        return [self._json(a) for a in self.attempts if _passes(a, filters)]

    def retry(self, integration_id: str, publication_id: str) -> None:
        """CallRefusedError 404 for an unknown one, and for all where retrying is not offered."""
        found = [
            attempt
            for attempt in self.attempts
            if (attempt.integration_id, attempt.publication_id) == (integration_id, publication_id)
        ]
        if not self.offers_retry or not found:
            raise CallRefusedError(404, "no such publication")
        self._retries.append((integration_id, found[0].event))
        if self.retries_at_once:
            self.deliver()

    def deliver(self) -> None:
        """Publish what was to be retried."""
        retries, self._retries = self._retries, []
        for integration_id, event in retries:
            self.publish(integration_id, event)

    def _json(self, attempt: Attempt) -> dict[str, Any]:
        payload = attempt.event["payload"]
        return {
            **({"publication_id": attempt.publication_id} if self.offers_retry else {}),
            "integration_id": attempt.integration_id,
            "integration_type": "permanent",
            "target": "webhook",
            "status": "FAILURE" if attempt.failed else "SUCCESS",
            "attempted_at": iso_instant(attempt.at),
            "retries_remaining": attempt.retries_remaining,
            "entity_id": payload["id"],
            "domain_entity_id": payload["order_id"],
            "domain_entity_type": "order",
            "event_name": attempt.event["name"],
            "response": {"status_code": attempt.status},
        }


def _passes(attempt: Attempt, filters: Mapping[str, str]) -> bool:
    status = "failure" if attempt.failed else "success"
    since, until = filters.get("from"), filters.get("to")
    return (
        filters.get("status", status) == status
        and filters.get("integration_id", attempt.integration_id) == attempt.integration_id
        and filters.get("event_name", attempt.event["name"]) == attempt.event["name"]
        and (since is None or datetime.fromisoformat(since) <= attempt.at)
        and (until is None or attempt.at <= datetime.fromisoformat(until))
    )
