"""The keys NewStore may call with, from Secrets Manager: two at a time, so that they can rotate."""

import hashlib
import hmac
import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from inventory_sync.adapters.aws.errors import error_code, translated
from inventory_sync.domain.errors import FatalError, InventorySyncError

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

    from inventory_sync.ports.observe import Observer

KEPT_SECONDS = 300.0
REFRESH_SECONDS_MIN = 30.0
"""However many wrong keys come in, Secrets Manager is asked no more often."""
KEYS_MAX = 2
KEY_CHARACTERS_MIN = 16

_USELESS_CODES = frozenset({"InvalidRequestException", "DecryptionFailure"})
"""Marked for deletion, or its key is not usable."""


class SecretInboundKeys:
    """The secret is `{"api_keys": ["current", "previous"]}`; only digests of the keys are kept."""

    def __init__(
        self,
        client: "SecretsManagerClient",
        secret_arn: str,
        monotonic: Callable[[], float],
        observer: "Observer",
    ) -> None:
        self._client = client
        self._secret_arn = secret_arn
        self._monotonic = monotonic
        self._observer = observer
        self._digests: tuple[bytes, ...] = ()
        self._fetched_at = 0.0
        self._tried_at = 0.0

    def accepts(self, key: str) -> bool:
        """Also true for a key that was added a moment ago.

        RetriableError or FatalError only when there is no earlier value to go by.
        """
        digest = _digest(key)
        if not self._digests:
            self._fetch()
        elif self._monotonic() - self._fetched_at >= KEPT_SECONDS:
            self._refresh()
        if self._matches(digest):
            return True
        self._refresh()
        return self._matches(digest)

    def _matches(self, digest: bytes) -> bool:
        """Compares all of them: the time taken says neither which one nor how much matched."""
        matched = False
        for known in self._digests:
            matched |= hmac.compare_digest(known, digest)
        return matched

    def _refresh(self) -> None:
        """Read anew unless that was just tried; on a failure the earlier value serves on."""
        if self._monotonic() - self._tried_at < REFRESH_SECONDS_MIN:
            return
        try:
            self._fetch()
        except InventorySyncError as error:
            self._observer.count("InboundKeysNotRefreshed")
            self._observer.log("inbound keys not refreshed; using cached keys", why=str(error))

    def _fetch(self) -> None:
        self._tried_at = self._monotonic()
        self._digests = tuple(map(_digest, _read_keys(self._client, self._secret_arn)))
        self._fetched_at = self._tried_at


def current_key(client: "SecretsManagerClient", secret_arn: str) -> str:
    """The first of the secret's keys: the one NewStore is to call with."""
    return _read_keys(client, secret_arn)[0]


def _read_keys(client: "SecretsManagerClient", secret_arn: str) -> list[str]:
    what = f"secret {secret_arn}"
    with translated(what):
        try:
            answer = client.get_secret_value(SecretId=secret_arn)
        except ClientError as error:
            if error_code(error) not in _USELESS_CODES:
                raise
            code = error_code(error)
            raise FatalError(f"{what}: {code}; restore it or name another") from error
    return _keys(answer.get("SecretString", ""), what)


def _keys(content: str, what: str) -> list[str]:
    """What stands in the secret never stands in the error, nor in the errors it came from."""
    try:
        parsed: object = json.loads(content)
    except ValueError:
        parsed = None
    keys = parsed.get("api_keys") if isinstance(parsed, dict) else None
    if not isinstance(keys, list) or not 1 <= len(keys) <= KEYS_MAX or not all(map(_usable, keys)):
        raise FatalError(
            f'{what}: put {{"api_keys": ["current"]}} or {{"api_keys": ["current", "previous"]}}'
            f" into it, each key {KEY_CHARACTERS_MIN} characters or more, printable ASCII"
            " without blanks"
        )
    return keys


def _usable(key: object) -> bool:
    if not isinstance(key, str) or len(key) < KEY_CHARACTERS_MIN:
        return False
    return key.isascii() and key.isprintable() and " " not in key


def _digest(key: str) -> bytes:
    """Of one length for all keys, and defined for any text that can stand in a header."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
