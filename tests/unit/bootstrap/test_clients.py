"""AWS clients give up early and are made of one session."""

from typing import Any

import pytest

from inventory_sync.bootstrap.clients import Clients
from inventory_sync.bootstrap.runtime import Runtime
from inventory_sync.bootstrap.system_clock import SystemClock
from tests.unit.bootstrap.test_factories import session

PATIENCE = {"mode": "standard", "total_max_attempts": 3}


def config(client: Any) -> Any:
    return client.meta.config


@pytest.mark.parametrize("service", ["dynamodb", "s3"])
def test_a_client_makes_a_few_quick_attempts(service: str) -> None:
    clients = Clients(session(), read_seconds=1.25)
    found = config(clients.s3() if service == "s3" else clients(service))

    assert (found.connect_timeout, found.read_timeout) == (1.5, 1.25)
    assert found.retries == PATIENCE
    assert "inventory-sync" in found.user_agent


def test_s3_is_signed_as_every_region_wants_it_and_made_once_of_the_given_session() -> None:
    given = session()
    given.set_config_variable("region", "eu-north-1")
    clients = Clients(given)

    assert config(clients.s3()).signature_version == "s3v4"
    assert clients.s3() is clients.s3()
    assert clients.s3().meta.region_name == "eu-north-1"


def test_a_client_waits_ten_seconds_unless_told_otherwise() -> None:
    runtime = Runtime({}, SystemClock(), session)

    assert config(Clients(session())("dynamodb")).read_timeout == 10
    assert config(runtime.clients()("dynamodb")).read_timeout == 10
    assert config(runtime.clients(2)("dynamodb")).read_timeout == 2


def test_the_machine_s_clock_waits() -> None:
    clock = SystemClock()
    start = clock.monotonic()

    clock.sleep(0.02)

    assert clock.monotonic() - start >= 0.02
