"""NewStore's access tokens, of both generations of credentials.

Which one follows from the secret's keys (docs/newstore.md, "Authentication of the adapter"):
`client_id` and `client_secret` for an API client, at the realm's token address; `username` and
`password` for the deprecated integration user, at the tenant's own.
"""

import base64
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import BaseModel, Field

from inventory_sync.adapters.aws.secrets import Secrets
from inventory_sync.adapters.http.answer import read_model
from inventory_sync.adapters.http.client import JsonHttp
from inventory_sync.adapters.http.errors import HttpRejectedError
from inventory_sync.adapters.http.request import HttpRequest, RetrySafety
from inventory_sync.domain.errors import FatalError
from inventory_sync.ports.observe import Clock

MARGIN = timedelta(seconds=60)
"""A token is not used in the last minute of its life; a short-lived one in the last tenth."""

CLIENT_CREDENTIALS = "client_credentials"
_KEYS: Mapping[str, tuple[str, str]] = {
    CLIENT_CREDENTIALS: ("client_id", "client_secret"),
    "password": ("username", "password"),
}
"""What a secret has for each grant."""
_REFUSED_STATUSES = frozenset({400, 401, 403})


class _TokenAnswer(BaseModel):
    access_token: str = Field(pattern=r"^[!-~]+$")
    expires_in: float = Field(default=60, ge=0, allow_inf_nan=False)


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    until: datetime


class TokenProvider:
    """One token at a time, shared by threads, until it is about to expire or is refused."""

    def __init__(
        self,
        http: JsonHttp,
        secrets: Secrets,
        clock: Clock,
        *,
        secret_arn: str,
        token_url: str,
        base_url: str,
    ) -> None:
        self._http = http
        self._secrets = secrets
        self._clock = clock
        self.secret_arn = secret_arn
        self._token_url = token_url
        self._base_url = base_url
        self._lock = threading.Lock()
        self._token: _Token | None = None

    def bearer(self) -> str:
        """A living token. FatalError where NewStore refuses what the secret says."""
        with self._lock:
            if self._token is None or self._clock.now() >= self._token.until:
                self._token = self._fetch()
            return self._token.text

    def invalidate(self, refused: str) -> None:
        """Drop that token and read the secret afresh, unless another thread already has."""
        with self._lock:
            if self._token is not None and self._token.text == refused:
                self._token = None
                self._secrets.refresh(self.secret_arn)

    def _fetch(self) -> _Token:
        secret = self._secrets.read(self.secret_arn)
        try:
            return self._request(secret)
        except HttpRejectedError as error:
            fresh = self._secrets.refresh(self.secret_arn)
            if fresh == secret or error.status not in _REFUSED_STATUSES:
                raise self._refused(error) from error
        try:
            return self._request(fresh)
        except HttpRejectedError as error:
            raise self._refused(error) from error

    def _request(self, secret: Mapping[str, str]) -> _Token:
        asked_at = self._clock.now()
        request = self._grant(secret)
        answer = read_model(_TokenAnswer, self._http.call(request), request.where)
        life = timedelta(seconds=min(answer.expires_in, 86_400))
        until = asked_at + life - min(MARGIN, life / 10)
        return _Token(answer.access_token, until)

    def _grant(self, secret: Mapping[str, str]) -> HttpRequest:
        grant, keys = grant_of(secret, self.secret_arn)
        of_a_client = grant == CLIENT_CREDENTIALS
        url = self._token_url if of_a_client else f"{self._base_url}/v0/token"
        form = {"grant_type": grant, **{key: secret[key] for key in keys}}
        return HttpRequest(method="POST", url=url, retry=RetrySafety.ALWAYS, form=form)

    def _refused(self, error: HttpRejectedError) -> FatalError:
        return FatalError(
            f"{error}: NewStore refuses the credentials in secret {self.secret_arn};"
            " put valid ones there, or correct the tenant and the token address"
        )


def grant_of(secret: Mapping[str, str], arn: str) -> tuple[str, tuple[str, str]]:
    """The grant that the secret is for, and its keys; FatalError where it has those of neither."""
    for grant, keys in _KEYS.items():
        if all(map(secret.get, keys)):
            return grant, keys
    missing = [key for keys in _KEYS.values() for key in keys if not secret.get(key)]
    raise FatalError(
        f"secret {arn} needs client_id and client_secret, or username and password;"
        f" it lacks {', '.join(missing)}; add them, or NewStoreSecretArn names the wrong secret"
    )


def scopes_of(token: str) -> tuple[str, ...]:
    """What a token says of itself, as far as it is a JSON web token; nothing is verified."""
    try:
        _, payload, _ = token.split(".")
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return tuple(claims["scope"].split())
    except (ValueError, KeyError, TypeError, AttributeError):
        return ()
