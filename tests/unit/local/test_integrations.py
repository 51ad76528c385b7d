"""Integrations: what is registered, status, log, rejected events, and replay by a temporary one."""

from __future__ import annotations

from typing import Any

import pytest

from local.http_server import CallRefusedError
from local.newstore.integrations import Integrations
from tests.unit.local.clock import Clock
from tests.unit.local.newstore_builder import Newstore

CALLBACK = {"callback_url": "https://example.com/event", "api_key": "key-1"}
BODY = {"id": "stock", "integration_type": "permanent", "callback_parameters": CALLBACK}
WINDOW = {"starts_at": "2026-01-15T10:29:00Z", "ends_at": "2026-01-15T10:32:00Z"}
S3 = {
    "aws_access_key_id": "i",
    "aws_secret_access_key": "s",
    "aws_region": "us-east-1",
    "bucket": "b",
}


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in BODY.items() if key != name}


def test_an_integration_starts_and_stops() -> None:
    integrations = Integrations(Clock())
    assert integrations.create(BODY)["status"] == "running"
    assert integrations.stop("stock")["status"] == "stopped"
    assert integrations.start("stock")["status"] == "running"


@pytest.mark.parametrize(
    "body",
    [
        without("id"),
        {**BODY, "id": "Stock"},
        {**BODY, "id": "s" * 51},
        without("integration_type"),
        without("callback_parameters"),
        {**without("callback_parameters"), "callback_url": CALLBACK["callback_url"]},
        {**BODY, "s3_parameters": S3},
        {**without("callback_parameters"), "s3_parameters": {**S3, "bucket": ""}},
        {**BODY, "callback_parameters": {"api_key": "k"}},
        {**BODY, "callback_parameters": {**CALLBACK, "api_key": "k" * 1025}},
        {**BODY, "filter_conditions": {}},
        {**BODY, "ends_at": WINDOW["ends_at"]},
        {**BODY, "starts_at": "2026-01-15T10:31:00Z"},
        {**BODY, "starts_at": "soon"},
        {**BODY, "integration_type": "temporary", "starts_at": WINDOW["starts_at"]},
    ],
)
def test_what_newstore_does_not_register_is_refused(body: dict[str, Any]) -> None:
    integrations = Integrations(Clock())

    with pytest.raises(CallRefusedError, match="400"):
        integrations.create(body)
    assert integrations.list_all() == []


def test_there_are_at_most_25() -> None:
    integrations = Integrations(Clock())
    for number in range(25):
        integrations.create({**BODY, "id": f"s{number}"})

    with pytest.raises(CallRefusedError, match="at most 25"):
        integrations.create(BODY)
    with pytest.raises(CallRefusedError, match="409"):
        integrations.create({**BODY, "id": "s1"})


def test_an_integration_can_be_changed_while_it_is_stopped() -> None:
    integrations = Integrations(Clock())
    integrations.create(BODY)
    key = {"callback_parameters": {**CALLBACK, "api_key": "key-2"}}
    with pytest.raises(CallRefusedError, match="stop it first"):
        integrations.change("stock", key)

    integrations.stop("stock")

    assert integrations.change("stock", key)["status"] == "stopped"
    assert integrations.of("stock").callback["api_key"] == "key-2"
    for never in ({"id": "other"}, {"integration_type": "temporary"}, WINDOW):
        with pytest.raises(CallRefusedError, match="cannot change"):
            integrations.change("stock", never)


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
    replayed = integrations.replay("stock", newstore.model.publisher.events)
    assert [event["payload"]["id"] for event in replayed] == ["ff2"]
    with pytest.raises(CallRefusedError, match="temporary"):
        integrations.change("stock", {"callback_parameters": CALLBACK})


class Sender:
    """What sends the stream's events."""

    def __init__(self) -> None:
        self.running = True
        self.api_key: str | None = "before"

    def start(self) -> None:
        self.running = True


def test_an_integration_runs_where_its_sender_does() -> None:
    integrations, sender = Integrations(Clock()), Sender()
    integrations.senders["stock"] = sender
    integrations.create(BODY)

    runs = []
    for change in (integrations.stop, integrations.start):
        change("stock")
        runs.append(sender.running)
    sender.running = False
    integrations.advance()
    assert runs == [False, True]
    assert integrations.of("stock").status == "stopped"
    assert integrations.of("stock").log[0]["reason"] == "The webhook did not answer 200."


def test_a_sender_sends_with_the_key_that_its_integration_has() -> None:
    integrations, sender = Integrations(Clock()), Sender()
    integrations.senders["stock"] = sender
    integrations.create({**BODY, "callback_parameters": {**CALLBACK, "api_key": "first"}})
    integrations.stop("stock")

    keys = [sender.api_key]
    integrations.change("stock", {"filter_conditions": {"event_filter": []}})
    keys.append(sender.api_key)
    integrations.change("stock", {"callback_parameters": {**CALLBACK, "api_key": "second"}})
    keys.append(sender.api_key)

    assert keys == ["first", "first", "second"]
