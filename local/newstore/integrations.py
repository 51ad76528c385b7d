"""Event-stream integrations: the registrations, their status, and what a replay would deliver."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from local.http_server import CallRefusedError
from local.newstore.events import Event

PATH = "/api/v1/org/integrations/eventstream"
CHANGEABLE = frozenset(
    {"callback_url", "api_key", "integration_type", "starts_at", "ends_at", "filter_conditions"}
)
INTEGRATIONS_MAX = 25
CallbackForm = Literal["flat", "nested"]


class Integrations:
    """Registrations by id, with `status` running or stopped; a new one is started at once.

    `callback_form` is where URL and key stand in the JSON: at the top, or in
    `callback_parameters`. What stands in the other place is refused.
    """

    def __init__(self, callback_form: CallbackForm = "flat") -> None:
        self._by_id: dict[str, dict[str, Any]] = {}
        self.callback_form = callback_form

    def create(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """CallRefusedError 400 when id or URL is missing, 409 when the id is taken or too many."""
        fields = self._flat(body)
        if not fields.get("id") or not fields.get("callback_url"):
            raise CallRefusedError(400, "id and callback_url are required")
        if fields["id"] in self._by_id:
            raise CallRefusedError(409, "integration exists")
        if len(self._by_id) >= INTEGRATIONS_MAX:
            raise CallRefusedError(400, f"at most {INTEGRATIONS_MAX} integrations")
        integration = {"integration_type": "permanent", **fields, "status": "running"}
        self._by_id[fields["id"]] = integration
        return self._shown(integration)

    def list_all(self) -> list[dict[str, Any]]:
        return [self._shown(integration) for integration in self._by_id.values()]

    def get(self, integration_id: str) -> dict[str, Any]:
        """CallRefusedError 404 for an unknown id."""
        return self._shown(self.of(integration_id))

    def of(self, integration_id: str) -> dict[str, Any]:
        """The integration itself, URL and key at the top; CallRefusedError 404."""
        if integration_id not in self._by_id:
            raise CallRefusedError(404, "unknown integration")
        return self._by_id[integration_id]

    def change(self, integration_id: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """CallRefusedError 404 for an unknown id, 400 for a field that cannot be changed."""
        integration = self.of(integration_id)
        fields = self._flat(body)
        if not CHANGEABLE.issuperset(fields):
            raise CallRefusedError(400, f"cannot change {sorted(set(fields) - CHANGEABLE)}")
        integration.update(fields)
        return self._shown(integration)

    def start(self, integration_id: str) -> dict[str, Any]:
        integration = self.of(integration_id)
        integration["status"] = "running"
        return self._shown(integration)

    def stop(self, integration_id: str) -> dict[str, Any]:
        integration = self.of(integration_id)
        integration["status"] = "stopped"
        return self._shown(integration)

    def delete(self, integration_id: str) -> None:
        """CallRefusedError 404 for an unknown id."""
        self.of(integration_id)
        del self._by_id[integration_id]

    def replaying(self, now: datetime) -> list[dict[str, Any]]:
        """Running temporary ones whose end has come: they deliver, then stop."""
        return [
            integration
            for integration in self._by_id.values()
            if (integration["integration_type"], integration["status"]) == ("temporary", "running")
            and datetime.fromisoformat(integration["ends_at"]) <= now
        ]

    def replay(self, integration_id: str, published: Sequence[Event]) -> list[Event]:
        """The events that a temporary integration would deliver: starts_at <= published < ends_at.

        Its event filter applies when it has one. ValueError unless it is temporary and running.
        """
        integration = self.of(integration_id)
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

    def _flat(self, body: Mapping[str, Any]) -> dict[str, Any]:
        if self.callback_form == "flat":
            return dict(body)
        if "callback_url" in body or "api_key" in body:
            raise CallRefusedError(400, "callback_url and api_key stand in callback_parameters")
        rest = {name: value for name, value in body.items() if name != "callback_parameters"}
        return {**rest, **(body.get("callback_parameters") or {})}

    def _shown(self, integration: Mapping[str, Any]) -> dict[str, Any]:
        if self.callback_form == "flat":
            return dict(integration)
        callback = {k: integration[k] for k in ("callback_url", "api_key") if k in integration}
        rest = {name: value for name, value in integration.items() if name not in callback}
        return {**rest, "callback_parameters": callback}
