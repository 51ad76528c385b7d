"""Bearer tokens of both generations: API clients and the deprecated integration users."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from local.http_server import CallRefusedError

TOKEN_SECONDS = 3600


class TokenIssuer:
    """Issues tokens, and checks them by the clock: unknown 401, expired 403."""

    def __init__(
        self,
        now: Callable[[], datetime],
        clients: Mapping[str, str],
        users: Mapping[str, str],
    ) -> None:
        self._now = now
        self.clients = dict(clients)
        """Secret by client id."""
        self.users = dict(users)
        """Password by user name."""
        self.expires_in_seconds = TOKEN_SECONDS
        """Of tokens issued from now on."""
        self.legacy_apis = True
        """Whether the client was made with Support Legacy APIs: else its tokens open nothing."""
        self.issued = 0
        self._expiry: dict[str, datetime] = {}

    def client_credentials(self, client_id: str, client_secret: str) -> dict[str, Any]:
        """The realm's answer; CallRefusedError 401 for a wrong pair."""
        return self._issue(self.clients, client_id, client_secret)

    def password(self, username: str, password: str) -> dict[str, Any]:
        """The answer of /v0/token; CallRefusedError 401 for a wrong pair."""
        return self._issue(self.users, username, password)

    def check(self, authorization: str | None) -> None:
        """CallRefusedError 401 for a missing header or an unknown token, 403 when expired."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or token not in self._expiry:
            raise CallRefusedError(401, "no valid token")
        if self._now() >= self._expiry[token]:
            raise CallRefusedError(403, "token expired")
        if not self.legacy_apis:
            raise CallRefusedError(403, "the client has no access to this API")

    def revoke_tokens(self) -> None:
        """Forget every token: 401 from now on."""
        self._expiry.clear()

    def expire_tokens(self) -> None:
        """End every token now: 403 from now on."""
        self._expiry = dict.fromkeys(self._expiry, self._now())

    def _issue(self, secrets: Mapping[str, str], name: str, secret: str) -> dict[str, Any]:
        if name not in secrets or secrets[name] != secret:
            raise CallRefusedError(401, "invalid credentials")
        self.issued += 1
        token = f"newstore-access-token-{self.issued}"
        self._expiry[token] = self._now() + timedelta(seconds=self.expires_in_seconds)
        return {
            "access_token": token,
            "expires_in": self.expires_in_seconds,
            "token_type": "Bearer",
        }
