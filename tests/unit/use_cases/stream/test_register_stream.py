"""Registering: a running stream is stopped for a change, and runs again whatever becomes of it."""

from dataclasses import replace

import pytest

from inventory_sync.domain.errors import RejectedError, RetriableError
from inventory_sync.domain.event_stream import StreamRegistration
from inventory_sync.use_cases.stream.register_stream import Registered, RegisterStream
from local.newstore.integrations import Integration
from tests.contract.builders import NOON
from tests.fakes.clock import FakeClock
from tests.fakes.event_streams import ModelStreams
from tests.unit.local.newstore_builder import Newstore

STREAM = "inventory-sync"
WANTED = StreamRegistration(
    stream_id=STREAM, callback_url="https://adapter.example/prod/event", api_key="key-1"
)
NEW_KEY = replace(WANTED, api_key="key-2")


class Desk:
    """An operator's; both sides share the clock."""

    def __init__(self) -> None:
        self.clock = FakeClock(NOON)
        self.model = Newstore(now=self.clock.now).model
        self.streams = ModelStreams(self.model)

    @property
    def integration(self) -> Integration:
        return self.model.integrations.of(STREAM)

    def register(self, wanted: StreamRegistration = WANTED) -> Registered:
        return RegisterStream(self.streams, self.clock)(wanted)


def test_a_stream_that_is_not_there_is_created() -> None:
    desk = Desk()

    done = desk.register()

    assert (done.before, done.did, done.now.running) == (None, ("created",), True)


def test_a_running_stream_is_changed_once_it_has_stopped_and_runs_again() -> None:
    desk = Desk()
    desk.register()
    desk.model.integrations.stop_seconds = 7

    done = desk.register(NEW_KEY)

    assert done.did == ("stopped", "changed", "started")
    assert done.now.running
    assert desk.integration.callback["api_key"] == "key-2"


def test_a_stopped_stream_is_changed_and_started() -> None:
    desk = Desk()
    desk.register()
    desk.model.integrations.stop(STREAM)

    done = desk.register(NEW_KEY)

    assert (done.did, done.now.running) == (("changed", "started"), True)


def test_a_stream_that_does_not_stop_is_not_changed() -> None:
    desk = Desk()
    desk.register()
    desk.model.integrations.stop_seconds = 3600

    with pytest.raises(RetriableError, match="still runs 120 seconds"):
        desk.register(NEW_KEY)

    desk.clock.advance(7200)
    desk.model.advance()
    assert (desk.integration.status, desk.integration.callback["api_key"]) == ("running", "key-1")


def test_a_change_that_is_refused_leaves_the_stream_running() -> None:
    desk = Desk()
    desk.register()

    with pytest.raises(RejectedError, match="api_key"):
        desk.register(replace(WANTED, api_key="k" * 1025))

    assert (desk.integration.status, desk.integration.callback["api_key"]) == ("running", "key-1")


def test_a_temporary_stream_of_that_id_is_left_alone() -> None:
    desk = Desk()
    desk.streams.create(replace(WANTED, starts_at=NOON, ends_at=NOON.replace(year=2099)))

    with pytest.raises(RejectedError, match="temporary"):
        desk.register(NEW_KEY)

    assert desk.integration.callback["api_key"] == "key-1"
