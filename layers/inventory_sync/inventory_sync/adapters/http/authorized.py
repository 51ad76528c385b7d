"""Calls with a bearer token, which is renewed once when it is refused."""

from collections.abc import Callable
from dataclasses import replace
from typing import IO, Any, Protocol, TypeVar

from inventory_sync.adapters.aws.secrets import Secrets, required
from inventory_sync.adapters.http.client import JsonHttp
from inventory_sync.adapters.http.errors import CredentialsRefusedError, HttpRejectedError
from inventory_sync.adapters.http.request import HttpRequest
from inventory_sync.domain.errors import FatalError

_NOT_FOUND = 404
T = TypeVar("T")


class Credentials(Protocol):
    """Where the token comes from; `secret_arn` is what an operator would have to look at."""

    @property
    def secret_arn(self) -> str:
        """The secret behind the token."""

    def bearer(self) -> str:
        """The token to send."""

    def invalidate(self, refused: str) -> None:
        """This token was refused: the next one must come from the secret as it is now."""


class AuthorizedHttp:
    """Errors are those of JsonHttp; FatalError where a renewed token is refused as well."""

    def __init__(self, http: JsonHttp, credentials: Credentials) -> None:
        self._http = http
        self._credentials = credentials

    def call(self, request: HttpRequest) -> dict[str, Any]:
        """The JSON object of a 2xx answer. A refused call was not taken: repeating it is safe."""
        return self._with_token(request, self._http.call)

    def download(self, request: HttpRequest, target: IO[bytes]) -> None:
        """As JsonHttp does, with the token."""
        self._with_token(request, lambda signed: self._http.download(signed, target))

    def _with_token(self, request: HttpRequest, send: Callable[[HttpRequest], T]) -> T:
        bearer = self._credentials.bearer()
        try:
            return send(replace(request, bearer=bearer))
        except CredentialsRefusedError:
            self._credentials.invalidate(bearer)
        try:
            return send(replace(request, bearer=self._credentials.bearer()))
        except CredentialsRefusedError as error:
            raise FatalError(
                f"{error}: refused twice with the credentials in secret"
                f" {self._credentials.secret_arn}; put valid ones there, or give them this right"
            ) from error

    def find(self, request: HttpRequest) -> dict[str, Any] | None:
        """As `call`; None where the other side answers 404."""
        try:
            return self.call(request)
        except HttpRejectedError as error:
            if error.status != _NOT_FOUND:
                raise
            return None


class SecretBearer:
    """A token that stands in a secret under `key`."""

    def __init__(self, secrets: Secrets, secret_arn: str, key: str = "token") -> None:
        self._secrets = secrets
        self._key = key
        self.secret_arn = secret_arn

    def bearer(self) -> str:
        """As the secret has it."""
        (token,) = required(self._secrets.read(self.secret_arn), self.secret_arn, self._key)
        return sendable(token, f"{self._key} in secret {self.secret_arn}")

    def invalidate(self, refused: str) -> None:
        """Read the secret afresh, unless another thread already has."""
        if self.bearer() == refused:
            self._secrets.refresh(self.secret_arn)


def sendable(token: str, what: str) -> str:
    """The token; FatalError, without its text, where no header can carry it."""
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise FatalError(f"{what} cannot stand in a header: it is empty or has spaces in it")
    return token
