"""The calls about event streams that NewStore answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from local.http_server import CallFaults, api_call
from local.newstore.events import Event

if TYPE_CHECKING:
    from local.newstore.model import NewStoreModel


class StreamCalls:
    """As NewStoreCalls. All but the lists raise CallRefusedError 404 for what is unknown."""

    def __init__(self, model: NewStoreModel, faults: CallFaults) -> None:
        self._model = model
        self.faults = faults
        self.lock = model.lock

    def advance(self) -> None:
        """Bring the model up to now()."""
        self._model.advance()

    @api_call
    def list_integrations(self) -> dict[str, Any]:
        return {"integrations": self._model.integrations.list_all()}

    @api_call
    def create_integration(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """CallRefusedError 400 and 409 as `Integrations.create` has them."""
        return self._model.integrations.create(body)

    @api_call
    def get_integration(self, integration_id: str) -> dict[str, Any]:
        return self._model.integrations.of(integration_id).shown

    @api_call
    def change_integration(self, integration_id: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """CallRefusedError 400 for what cannot be changed, or not now."""
        return self._model.integrations.change(integration_id, body)

    @api_call
    def delete_integration(self, integration_id: str) -> None:
        self._model.integrations.delete(integration_id)

    @api_call
    def start_integration(self, integration_id: str) -> dict[str, Any]:
        return self._model.integrations.start(integration_id)

    @api_call
    def stop_integration(self, integration_id: str) -> dict[str, Any]:
        return self._model.integrations.stop(integration_id)

    @api_call
    def integration_logs(self, integration_id: str) -> dict[str, Any]:
        return {"entries": self._model.integrations.of(integration_id).log}

    @api_call
    def rejected_events(self, integration_id: str) -> dict[str, Any]:
        return {"rejected_events": self._model.integrations.of(integration_id).rejected.listed()}

    @api_call
    def rejected_event(self, integration_id: str, event_id: str) -> Event:
        return self._model.integrations.of(integration_id).rejected.get(event_id)

    @api_call
    def delete_rejected_event(self, integration_id: str, event_id: str) -> None:
        self._model.integrations.of(integration_id).rejected.delete(event_id)

    @api_call
    def retry_rejected_event(self, integration_id: str, event_id: str) -> None:
        """CallRefusedError 502 where the webhook does not take it."""

        def send(event: Event) -> int:
            return self._model.publications.publish(integration_id, event)

        self._model.integrations.of(integration_id).rejected.retry(event_id, send)

    @api_call
    def published_events(self, filters: Mapping[str, str]) -> list[dict[str, Any]]:
        return self._model.publications.listed(filters)
