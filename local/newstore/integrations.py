"""Event-stream integrations: the registrations, their status, and what a replay would deliver."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from local.http_server import CallRefusedError
from local.newstore.events import Event

PATH = "/api/v1/org/integrations/eventstream"
CHANGEABLE = frozenset(
    {"callback_url", "api_key", "integration_type", "starts_at", "ends_at", "filter_conditions"}
)


class Integrations:
    """Registrations by id, in NewStore's own JSON form, with `status` running or stopped."""

    def __init__(self) -> None:
        self._by_id: dict[str, dict[str, Any]] = {}

    def create(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """CallRefusedError 400 when id or callback_url is missing, 409 when the id is taken."""
        if not body.get("id") or not body.get("callback_url"):
            raise CallRefusedError(400, "id and callback_url are required")
        if body["id"] in self._by_id:
            raise CallRefusedError(409, "integration exists")
        integration = {"integration_type": "permanent", **body, "status": "stopped"}
        self._by_id[body["id"]] = integration
        return integration

    def list_all(self) -> list[dict[str, Any]]:
        return list(self._by_id.values())

    def get(self, integration_id: str) -> dict[str, Any]:
        """CallRefusedError 404 for an unknown id."""
        if integration_id not in self._by_id:
            raise CallRefusedError(404, "unknown integration")
        return self._by_id[integration_id]

    def change(self, integration_id: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """CallRefusedError 404 for an unknown id, 400 for a field that cannot be changed."""
        integration = self.get(integration_id)
        if not CHANGEABLE.issuperset(body):
            raise CallRefusedError(400, f"cannot change {sorted(set(body) - CHANGEABLE)}")
        integration.update(body)
        return integration

    def start(self, integration_id: str) -> dict[str, Any]:
        integration = self.get(integration_id)
        integration["status"] = "running"
        return integration

    def stop(self, integration_id: str) -> dict[str, Any]:
        integration = self.get(integration_id)
        integration["status"] = "stopped"
        return integration

    def replay(self, integration_id: str, published: Sequence[Event]) -> list[Event]:
        """The events that a temporary integration would deliver: starts_at <= published < ends_at.

        Its event filter applies when it has one. ValueError unless it is temporary and running.
        """
        integration = self.get(integration_id)
        if (integration["integration_type"], integration["status"]) != ("temporary", "running"):
            raise ValueError(f"not a running temporary integration: {integration_id}")
        starts_at = datetime.fromisoformat(integration["starts_at"])
        ends_at = datetime.fromisoformat(integration["ends_at"])
        names = (integration.get("filter_conditions") or {}).get("event_filter")
        return [
            event
            for event in published
            if starts_at <= datetime.fromisoformat(event["published_at"]) < ends_at
            and (not names or event["name"] in names)
        ]
