"""Secrets against Secrets Manager (moto's): how old a value may be, and what is an error."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from inventory_sync.adapters.aws.secrets import Secrets, required
from inventory_sync.domain.errors import FatalError, RetriableError
from tests.unit.adapters.http_support import SecretsAccount, StandingClock, secrets_account

OLD = {"token": "old-token"}
NEW = {"token": "new-token"}


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock()


@pytest.fixture
def account() -> Iterator[SecretsAccount]:
    with secrets_account(OLD) as account:
        yield account


class UnreachableAtTimes:
    """Secrets Manager, or `failure` while there is one."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.failure: Exception | None = None

    def get_secret_value(self, **arguments: Any) -> Any:
        if self.failure:
            raise self.failure
        return self._client.get_secret_value(**arguments)


NO_CONNECTION = EndpointConnectionError(endpoint_url="https://secretsmanager")
THROTTLED = ClientError({"Error": {"Code": "ThrottlingException"}}, "GetSecretValue")


def test_value_is_kept_for_a_while(account: SecretsAccount, clock: StandingClock) -> None:
    secrets = account.secrets(clock)
    secrets.read(account.arn)
    account.put(NEW)
    clock.advance(299)
    assert secrets.read(account.arn) == OLD


def test_rotated_value_is_seen_once_the_kept_one_is_old(
    account: SecretsAccount, clock: StandingClock
) -> None:
    secrets = account.secrets(clock)
    secrets.read(account.arn)
    account.put(NEW)
    clock.advance(300)
    assert secrets.read(account.arn) == NEW


def test_refresh_sees_the_rotated_value_at_once(
    account: SecretsAccount, clock: StandingClock
) -> None:
    secrets = account.secrets(clock)
    secrets.read(account.arn)
    account.put(NEW)
    assert secrets.refresh(account.arn) == NEW
    assert secrets.read(account.arn) == NEW


def test_caller_cannot_change_what_is_kept(account: SecretsAccount, clock: StandingClock) -> None:
    secrets = account.secrets(clock)
    secrets.read(account.arn)["token"] = "changed"
    assert secrets.read(account.arn) == OLD


@pytest.mark.parametrize("failure", [NO_CONNECTION, THROTTLED])
def test_unreachable_store_is_retriable(
    account: SecretsAccount, clock: StandingClock, failure: Exception
) -> None:
    client: Any = UnreachableAtTimes(account.client)
    client.failure = failure
    with pytest.raises(RetriableError):
        Secrets(client, clock).read(account.arn)


def test_old_value_serves_while_the_store_is_unreachable(
    account: SecretsAccount, clock: StandingClock
) -> None:
    client: Any = UnreachableAtTimes(account.client)
    secrets = Secrets(client, clock)
    secrets.read(account.arn)
    clock.advance(3_600)
    client.failure = NO_CONNECTION
    assert secrets.read(account.arn) == OLD


def test_new_value_is_seen_soon_after_the_store_is_back(
    account: SecretsAccount, clock: StandingClock
) -> None:
    client: Any = UnreachableAtTimes(account.client)
    secrets = Secrets(client, clock)
    secrets.read(account.arn)
    clock.advance(3_600)
    client.failure = NO_CONNECTION
    secrets.read(account.arn)
    client.failure = None
    account.put(NEW)
    clock.advance(30)
    assert secrets.read(account.arn) == NEW


def test_refresh_never_gives_an_old_value(account: SecretsAccount, clock: StandingClock) -> None:
    client: Any = UnreachableAtTimes(account.client)
    secrets = Secrets(client, clock)
    secrets.read(account.arn)
    client.failure = NO_CONNECTION
    with pytest.raises(RetriableError):
        secrets.refresh(account.arn)


def test_missing_secret_is_fatal(account: SecretsAccount, clock: StandingClock) -> None:
    with pytest.raises(FatalError):
        account.secrets(clock).read("arn:aws:secretsmanager:eu-central-1:123456789012:secret:none")


def test_deleted_secret_is_fatal(account: SecretsAccount, clock: StandingClock) -> None:
    account.client.delete_secret(SecretId=account.arn)
    with pytest.raises(FatalError):
        account.secrets(clock).read(account.arn)


@pytest.mark.parametrize(
    "content", ["hush-hush", '["hush-hush"]', '"hush-hush"', '{"key": "hush-hush"', '{"hush": 5}']
)
def test_content_that_is_no_object_of_texts_is_fatal_and_not_quoted(
    account: SecretsAccount, clock: StandingClock, content: str
) -> None:
    account.client.put_secret_value(SecretId=account.arn, SecretString=content)
    with pytest.raises(FatalError) as raised:
        account.secrets(clock).read(account.arn)
    assert "hush-hush" not in str(raised.value)


def test_binary_secret_is_fatal(clock: StandingClock, account: SecretsAccount) -> None:
    arn = account.client.create_secret(Name="binary", SecretBinary=json.dumps(OLD).encode())["ARN"]
    with pytest.raises(FatalError):
        account.secrets(clock).read(arn)


def test_required_keys_come_in_the_order_asked_for() -> None:
    assert required({"a": "1", "b": "2"}, "arn", "b", "a") == ("2", "1")


def test_missing_keys_are_fatal_and_all_named() -> None:
    with pytest.raises(FatalError) as raised:
        required({"a": "", "c": "3"}, "arn", "a", "b", "c")
    assert "a, b" in str(raised.value)
    assert "or ErpSecretArn names the wrong secret" in str(raised.value)


def test_value_from_the_future_of_a_clock_that_was_set_back_is_read_anew(
    account: SecretsAccount, clock: StandingClock
) -> None:
    secrets = account.secrets(clock)
    secrets.read(account.arn)
    account.put(NEW)
    clock.step(timedelta(hours=-1))
    assert secrets.read(account.arn) == NEW
