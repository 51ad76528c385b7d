"""TokenProvider against a token server: which grant, how long a token serves, rotation."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest

from inventory_sync.adapters.newstore.token import TokenProvider
from inventory_sync.domain.errors import FatalError, RetriableError
from tests.unit.adapters.http_support import (
    Call,
    LocalServer,
    Reply,
    SecretsAccount,
    StandingClock,
    json_http,
    replying,
    secrets_account,
)

CLIENT = {"client_id": "adapter", "client_secret": "first-secret"}
ROTATED = {"client_id": "adapter", "client_secret": "second-secret"}
USER = {"username": "integration", "password": "first-password"}


class Realm:
    """Gives numbered tokens to whoever sends all of `accepted`."""

    def __init__(self, accepted: Mapping[str, str], expires_in: float = 3_600) -> None:
        self.accepted = accepted
        self.expires_in = expires_in
        self.refusal = 401
        self.issued = 0

    def __call__(self, call: Call) -> Reply:
        if not self.accepted.items() <= call.form.items():
            return Reply({"error": "invalid_client"}, status=self.refusal)
        self.issued += 1
        return Reply({"access_token": f"token-{self.issued}", "expires_in": self.expires_in})


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock()


@contextmanager
def provider(
    server: LocalServer, account: SecretsAccount, clock: StandingClock
) -> Iterator[TokenProvider]:
    with json_http(clock) as http:
        yield TokenProvider(
            http,
            account.secrets(clock),
            clock,
            secret_arn=account.arn,
            token_url=f"{server.url}/realm/token",
            base_url=server.url,
        )


def test_api_client_gets_its_token_at_the_realm(clock: StandingClock) -> None:
    with (
        LocalServer(Realm(CLIENT)) as server,
        secrets_account(CLIENT) as account,
        provider(server, account, clock) as tokens,
    ):
        assert tokens.bearer() == "token-1"
        assert server.calls[0].path == "/realm/token"
        assert server.calls[0].form == {"grant_type": "client_credentials", **CLIENT}


def test_integration_user_gets_its_token_at_the_tenant(clock: StandingClock) -> None:
    with (
        LocalServer(Realm(USER)) as server,
        secrets_account(USER) as account,
        provider(server, account, clock) as tokens,
    ):
        assert tokens.bearer() == "token-1"
        assert server.calls[0].path == "/v0/token"
        assert server.calls[0].form == {"grant_type": "password", **USER}


@pytest.mark.parametrize("secret", [{}, {"client_id": "x"}, {"username": "x", "password": ""}])
def test_secret_without_credentials_is_fatal_and_names_the_keys(
    clock: StandingClock, secret: dict[str, str]
) -> None:
    with (
        LocalServer(Realm(CLIENT)) as server,
        secrets_account(secret) as account,
        provider(server, account, clock) as tokens,
        pytest.raises(FatalError) as raised,
    ):
        tokens.bearer()
    assert all(key in str(raised.value) for key in {"client_secret", "password"} - secret.keys())


@pytest.mark.parametrize(
    ("life", "used_for"), [(3_600, 3_539), (10, 8)], ids=["long-lived", "short-lived"]
)
def test_token_serves_until_shortly_before_it_expires(
    clock: StandingClock, life: float, used_for: float
) -> None:
    with (
        LocalServer(Realm(CLIENT, life)) as server,
        secrets_account(CLIENT) as account,
        provider(server, account, clock) as tokens,
    ):
        tokens.bearer()
        clock.advance(used_for)
        assert tokens.bearer() == "token-1"
        clock.advance(1)
        assert tokens.bearer() == "token-2"


def test_invalidated_token_is_not_given_again(clock: StandingClock) -> None:
    with (
        LocalServer(Realm(CLIENT)) as server,
        secrets_account(CLIENT) as account,
        provider(server, account, clock) as tokens,
    ):
        tokens.invalidate(tokens.bearer())
        assert tokens.bearer() == "token-2"


def test_late_complaint_about_an_old_token_leaves_the_new_one(clock: StandingClock) -> None:
    with (
        LocalServer(Realm(CLIENT)) as server,
        secrets_account(CLIENT) as account,
        provider(server, account, clock) as tokens,
    ):
        tokens.invalidate(tokens.bearer())
        tokens.bearer()
        tokens.invalidate("token-1")
        assert tokens.bearer() == "token-2"


@pytest.mark.parametrize("status", [400, 401, 403])
def test_rotated_secret_is_picked_up_when_the_old_one_is_refused(
    clock: StandingClock, status: int
) -> None:
    realm = Realm(CLIENT)
    with (
        LocalServer(realm) as server,
        secrets_account(CLIENT) as account,
        provider(server, account, clock) as tokens,
    ):
        first = tokens.bearer()
        realm.accepted, realm.refusal = ROTATED, status
        account.put(ROTATED)
        clock.advance(3_600)
        assert tokens.bearer() not in {first, ""}


def test_refused_credentials_are_fatal_without_being_quoted(clock: StandingClock) -> None:
    with (
        LocalServer(Realm(ROTATED)) as server,
        secrets_account(CLIENT) as account,
        provider(server, account, clock) as tokens,
        pytest.raises(FatalError) as raised,
    ):
        tokens.bearer()
    assert account.arn in str(raised.value)
    assert CLIENT["client_secret"] not in str(raised.value)


def test_rotation_to_another_wrong_secret_is_fatal(clock: StandingClock) -> None:
    with (
        LocalServer(Realm({"client_secret": "third"})) as server,
        secrets_account(CLIENT) as account,
        provider(server, account, clock) as tokens,
    ):
        with pytest.raises(FatalError):
            tokens.bearer()
        account.put(ROTATED)
        with pytest.raises(FatalError):
            tokens.bearer()


def test_wrong_token_address_is_fatal(clock: StandingClock) -> None:
    with (
        replying(Reply(status=404)) as server,
        secrets_account(CLIENT) as account,
        provider(server, account, clock) as tokens,
        pytest.raises(FatalError),
    ):
        tokens.bearer()


def test_token_server_that_is_down_is_retriable(clock: StandingClock) -> None:
    with (
        replying(Reply(status=503)) as server,
        secrets_account(CLIENT) as account,
        provider(server, account, clock) as tokens,
        pytest.raises(RetriableError),
    ):
        tokens.bearer()


@pytest.mark.parametrize("token", ["", "with space", "with\nline", None, 7])
def test_answer_without_a_usable_token_is_retriable(clock: StandingClock, token: object) -> None:
    with (
        replying(Reply({"access_token": token, "expires_in": 60})) as server,
        secrets_account(CLIENT) as account,
        provider(server, account, clock) as tokens,
        pytest.raises(RetriableError),
    ):
        tokens.bearer()


def test_threads_share_one_token(clock: StandingClock) -> None:
    realm = Realm(CLIENT)
    with (
        LocalServer(realm) as server,
        secrets_account(CLIENT) as account,
        provider(server, account, clock) as tokens,
    ):
        threads = [threading.Thread(target=tokens.bearer) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert realm.issued == 1
