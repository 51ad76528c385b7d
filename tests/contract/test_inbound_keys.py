"""Inbound keys: the fake and the one over Secrets Manager accept the same, and fail alike."""

import json
from collections.abc import Callable, Iterator

import pytest
from moto import mock_aws

from inventory_sync.adapters.aws.inbound_keys import SecretInboundKeys
from inventory_sync.domain.errors import FatalError, RetriableError
from inventory_sync.ports.events import InboundKeys
from tests.aws import aws_session
from tests.fakes.inbound_keys import FakeInboundKeys
from tests.fakes.observer import FakeObserver

CURRENT = "contract-key-of-today-1"
PREVIOUS = "contract-key-of-before-1"
Made = Callable[..., InboundKeys]


def in_memory(*keys: str) -> InboundKeys:
    fake = FakeInboundKeys(*keys)
    fake.fails_with = None if keys else FatalError("no keys")
    return fake


def in_secrets_manager(*keys: str) -> InboundKeys:
    client = aws_session().client("secretsmanager")
    secret = client.create_secret(Name="inbound", SecretString=json.dumps({"api_keys": keys}))
    return SecretInboundKeys(client, secret["ARN"], lambda: 1_000.0, FakeObserver())


@pytest.fixture(params=[in_memory, in_secrets_manager])
def make(request: pytest.FixtureRequest) -> Iterator[Made]:
    with mock_aws():
        yield request.param


def test_the_current_and_the_previous_key_are_accepted(make: Made) -> None:
    keys = make(CURRENT, PREVIOUS)

    assert keys.accepts(CURRENT)
    assert keys.accepts(PREVIOUS)


@pytest.mark.parametrize(
    "key", ["", CURRENT[:-1], CURRENT + " ", CURRENT.upper(), "ключ", "\ud800"]
)
def test_nothing_else_is_accepted_and_nothing_fails(make: Made, key: str) -> None:
    assert not make(CURRENT, PREVIOUS).accepts(key)


def test_without_any_key_nobody_is_let_in(make: Made) -> None:
    keys = make()

    with pytest.raises((FatalError, RetriableError)):
        keys.accepts(CURRENT)
