"""Tokens: both grants, expiry by the clock, revocation."""

from __future__ import annotations

import pytest

from local.http_server import CallRefusedError
from tests.unit.local.newstore_builder import Newstore


def newstore_with_accounts() -> Newstore:
    return Newstore(clients={"client": "secret"}, users={"user": "password"})


def status_of(newstore: Newstore, authorization: str | None) -> int:
    try:
        newstore.model.calls.check_token(authorization)
    except CallRefusedError as refusal:
        return refusal.status
    return 200


def bearer(newstore: Newstore) -> str:
    answer = newstore.model.calls.client_credentials_token("client", "secret")
    return f"Bearer {answer['access_token']}"


def test_both_grants_give_a_token_that_works() -> None:
    newstore = newstore_with_accounts()
    answer = newstore.model.calls.password_token("user", "password")
    assert (answer["expires_in"], answer["token_type"]) == (3600, "Bearer")
    assert status_of(newstore, f"Bearer {answer['access_token']}") == 200
    assert status_of(newstore, bearer(newstore)) == 200


def test_a_wrong_secret_gives_no_token() -> None:
    newstore = newstore_with_accounts()
    for pair in (("client", "wrong"), ("nobody", "secret"), ("", "")):
        with pytest.raises(CallRefusedError):
            newstore.model.calls.client_credentials_token(*pair)


def test_a_missing_or_unknown_token_is_401() -> None:
    newstore = newstore_with_accounts()
    assert status_of(newstore, None) == 401
    assert status_of(newstore, "Bearer made-up") == 401
    assert status_of(newstore, bearer(newstore).removeprefix("Bearer ")) == 401


def test_a_token_is_403_from_the_moment_it_expires() -> None:
    newstore = newstore_with_accounts()
    newstore.model.tokens.expires_in_seconds = 300
    token = bearer(newstore)
    newstore.clock.sleep(299)
    assert status_of(newstore, token) == 200
    newstore.clock.sleep(1)
    assert status_of(newstore, token) == 403


def test_revoked_tokens_are_401_and_ended_ones_403() -> None:
    newstore = newstore_with_accounts()
    token = bearer(newstore)
    newstore.model.tokens.expire_tokens()
    assert status_of(newstore, token) == 403
    newstore.model.tokens.revoke_tokens()
    assert status_of(newstore, token) == 401
