"""Integrations: registration, status, and replay by a temporary one."""

from __future__ import annotations

import pytest

from local.http_server import CallRefusedError
from local.newstore.integrations import Integrations
from tests.unit.local.newstore_builder import Newstore

BODY = {"id": "stock", "callback_url": "https://example.com/event", "api_key": "key-1"}


def test_an_integration_starts_and_stops() -> None:
    integrations = Integrations()
    assert integrations.create(BODY)["status"] == "running"
    assert integrations.stop("stock")["status"] == "stopped"
    assert integrations.start("stock")["status"] == "running"


def test_an_integration_can_be_changed_but_not_renamed() -> None:
    integrations = Integrations()
    integrations.create(BODY)
    assert integrations.change("stock", {"api_key": "key-2"})["api_key"] == "key-2"
    with pytest.raises(CallRefusedError):
        integrations.change("stock", {"id": "other"})


def test_a_temporary_integration_replays_its_window() -> None:
    newstore = Newstore()
    for _ in range(3):
        newstore.ship()
        newstore.clock.sleep(60)
    window = {"starts_at": "2026-01-15T10:31:00Z", "ends_at": "2026-01-15T10:32:00Z"}
    filters = {"event_filter": ["fulfillment_request.items_completed"]}
    integrations = newstore.model.integrations
    integrations.create(
        {**BODY, **window, "integration_type": "temporary", "filter_conditions": filters}
    )
    integrations.start("stock")
    replayed = integrations.replay("stock", newstore.model.publisher.events)
    assert [event["payload"]["id"] for event in replayed] == ["ff2"]
