"""Event-stream integrations: registrations, their status and log, and what they have to deliver."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from local.http_server import CallRefusedError
from local.newstore.events import Event, iso_instant
from local.newstore.integration_body import check_change, check_new
from local.newstore.rejected_events import RejectedEvents

PATH = "/api/v1/org/integrations/eventstream"
INTEGRATIONS_MAX = 25
LOG_ENTRIES_MAX = 50
SHOWN = frozenset({"callback_url", "aws_region", "bucket", "key_prefix"})
"""Of where an integration sends to."""


class Sender(Protocol):
    """What sends an integration's events: a stopped one keeps them, and goes on with them."""

    running: bool
    api_key: str | None

    def start(self) -> None:
        """Run again, from where it stopped."""


@dataclass
class Integration:
    """One registration: `body` as it was asked for, with status and what follows from it."""

    body: dict[str, Any]
    status: str = "running"
    stops_at: datetime | None = None
    """Told to stop; it runs until then."""
    log: list[dict[str, str]] = field(default_factory=list)
    rejected: RejectedEvents = field(default_factory=RejectedEvents)

    @property
    def integration_id(self) -> str:
        return str(self.body["id"])

    @property
    def temporary(self) -> bool:
        return bool(self.body["integration_type"] == "temporary")

    @property
    def callback(self) -> dict[str, str]:
        """URL and key."""
        return dict(self.body.get("callback_parameters") or {})

    @property
    def shown(self) -> dict[str, Any]:
        """As NewStore answers it: without what is secret."""
        hidden: dict[str, Any] = {
            target: {name: value for name, value in self.body[target].items() if name in SHOWN}
            for target in ("callback_parameters", "s3_parameters")
            if target in self.body
        }
        return {**self.body, **hidden, "status": self.status}

    def wants(self, event: Event) -> bool:
        """By its event filter; the entity filter is not modelled."""
        names = (self.body.get("filter_conditions") or {}).get("event_filter")
        return not names or event["name"] in names

    def note(self, action: str, reason: str, now: datetime) -> None:
        """The latest entry stands first."""
        entry = {"created_at": iso_instant(now), "action": action, "reason": reason}
        self.log = [entry, *self.log][:LOG_ENTRIES_MAX]


class Integrations:
    """Integrations by id; a new one is started at once."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._by_id: dict[str, Integration] = {}
        self.stop_seconds: float = 0
        """How long one runs on after it was told to stop."""
        self.senders: dict[str, Sender] = {}
        """By integration: it runs where its sender does, which sends with its key."""

    def create(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """CallRefusedError 400 for a wrong body or too many, 409 when the id is taken."""
        check_new(body, self._now())
        if body["id"] in self._by_id:
            raise CallRefusedError(409, "integration exists")
        if len(self._by_id) >= INTEGRATIONS_MAX:
            raise CallRefusedError(400, f"at most {INTEGRATIONS_MAX} integrations")
        integration = Integration(dict(body))
        integration.note("integration_started", "Created via API.", self._now())
        self._by_id[integration.integration_id] = integration
        self._tell_key(integration)
        return integration.shown

    def list_all(self) -> list[dict[str, Any]]:
        return [integration.shown for integration in self._by_id.values()]

    def of(self, integration_id: str) -> Integration:
        """CallRefusedError 404 for an unknown id."""
        if integration_id not in self._by_id:
            raise CallRefusedError(404, "unknown integration")
        return self._by_id[integration_id]

    def change(self, integration_id: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """CallRefusedError 404 unknown, 400 unless it is permanent and stopped."""
        integration = self.of(integration_id)
        check_change(body)
        if integration.temporary or integration.status != "stopped":
            raise CallRefusedError(400, "stop it first; a temporary one cannot be changed")
        integration.body.update(body)
        self._tell_key(integration)
        return integration.shown

    def start(self, integration_id: str) -> dict[str, Any]:
        """It goes on where it stopped."""
        integration = self.of(integration_id)
        if integration.status == "stopped":
            integration.note("integration_started", "Started via API.", self._now())
            if integration_id in self.senders:
                self.senders[integration_id].start()
        integration.status, integration.stops_at = "running", None
        return integration.shown

    def stop(self, integration_id: str) -> dict[str, Any]:
        """At once, or after `stop_seconds`."""
        integration = self.of(integration_id)
        if integration.status == "running" and integration.stops_at is None:
            integration.stops_at = self._now() + timedelta(seconds=self.stop_seconds)
        self.advance()
        return integration.shown

    def interrupt(self, integration_id: str, reason: str) -> None:
        """NewStore stops it by itself, as after an answer that it does not repeat."""
        self._stopped(self.of(integration_id), reason)

    def reject(self, integration_id: str, event: Event) -> str:
        """The webhook answered 400; the entry's id, empty where there are too many and it stops."""
        integration = self.of(integration_id)
        if integration.rejected.full:
            self._stopped(integration, "Too many rejected events.")
            return ""
        return integration.rejected.add(event, self._now())

    def delete(self, integration_id: str) -> None:
        """CallRefusedError 404 for an unknown id."""
        self.of(integration_id)
        del self._by_id[integration_id]

    def advance(self) -> None:
        """Stop what was told to stop, and what its sender has stopped."""
        for integration in self._by_id.values():
            sender = self.senders.get(integration.integration_id)
            if sender is not None and not sender.running:
                self._stopped(integration, "The webhook did not answer 200.")
            if integration.stops_at is not None and integration.stops_at <= self._now():
                self._stopped(integration, "Stopped via API.")

    def replays(self, published: Sequence[Event]) -> list[tuple[Integration, list[Event]]]:
        """What running temporary ones whose end has come have to send; they stop thereby."""
        due = [
            integration
            for integration in self._by_id.values()
            if integration.temporary
            and integration.status == "running"
            and _instant(integration, "ends_at") <= self._now()
        ]
        found = [(one, self.replay(one.integration_id, published)) for one in due]
        for integration in due:
            self._stopped(integration, "The last event was sent.")
        return found

    def replay(self, integration_id: str, published: Sequence[Event]) -> list[Event]:
        """What a temporary integration would deliver: starts_at <= published < ends_at."""
        integration = self.of(integration_id)
        if not integration.temporary or integration.status != "running":
            raise ValueError(f"not a running temporary integration: {integration_id}")
        starts_at, ends_at = _instant(integration, "starts_at"), _instant(integration, "ends_at")
        inside = [event for event in published if starts_at <= _published(event) < ends_at]
        return [event for event in inside if integration.wants(event)]

    def _tell_key(self, integration: Integration) -> None:
        sender = self.senders.get(integration.integration_id)
        if sender is not None and "callback_parameters" in integration.body:
            sender.api_key = integration.callback.get("api_key")

    def _stopped(self, integration: Integration, reason: str) -> None:
        if integration.status == "running":
            integration.status = "stopped"
            integration.note("integration_stopped", reason, self._now())
            if integration.integration_id in self.senders:
                self.senders[integration.integration_id].running = False
        integration.stops_at = None


def _instant(integration: Integration, name: str) -> datetime:
    return datetime.fromisoformat(integration.body[name])


def _published(event: Event) -> datetime:
    return datetime.fromisoformat(event["published_at"])
