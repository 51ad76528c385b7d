"""Secrets Manager: JSON objects of texts, kept for a while and read afresh when one is refused."""

import json
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from inventory_sync.adapters.aws.errors import error_code, translated
from inventory_sync.domain.errors import FatalError, RetriableError
from inventory_sync.ports.observe import Clock

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

KEPT = timedelta(seconds=300)
KEPT_WHEN_UNREACHABLE = timedelta(seconds=30)
"""An old value serves so much longer each time Secrets Manager cannot be reached."""

_USELESS_CODES = frozenset({"InvalidRequestException", "DecryptionFailure"})
"""Marked for deletion, or its key is not usable."""


@dataclass(frozen=True, slots=True)
class _Kept:
    value: dict[str, str]
    until: datetime


class Secrets:
    """Never puts a secret's content into a message. May be shared by threads."""

    def __init__(self, client: "SecretsManagerClient", clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[str, _Kept] = {}

    def read(self, arn: str) -> dict[str, str]:
        """At most 300 s old, or older while Secrets Manager cannot be reached.

        RetriableError when unreachable, FatalError when missing or not a JSON object of texts.
        """
        with self._lock:
            kept = self._kept.get(arn)
            now = self._clock.now()
            if kept is not None and now < kept.until <= now + KEPT:
                return dict(kept.value)
            try:
                return dict(self._fetch(arn))
            except RetriableError:
                if kept is None:
                    raise
                self._keep(arn, kept.value, KEPT_WHEN_UNREACHABLE)
                return dict(kept.value)

    def refresh(self, arn: str) -> dict[str, str]:
        """As it is now: what to do once a value from it was refused. Errors are those of `read`."""
        with self._lock:
            return dict(self._fetch(arn))

    def _fetch(self, arn: str) -> dict[str, str]:
        with translated(f"secret {arn}"):
            try:
                answer = self._client.get_secret_value(SecretId=arn)
            except ClientError as error:
                if error_code(error) not in _USELESS_CODES:
                    raise
                code = error_code(error)
                raise FatalError(f"secret {arn}: {code}; restore it or name another") from error
        return self._keep(arn, _texts(arn, answer.get("SecretString", "")), KEPT)

    def _keep(self, arn: str, value: dict[str, str], life: timedelta) -> dict[str, str]:
        self._kept[arn] = _Kept(value, self._clock.now() + life)
        return value


def required(secret: dict[str, str], arn: str, *keys: str) -> tuple[str, ...]:
    """Of the ERP's secret the values of the keys; FatalError naming those missing or empty."""
    missing = [key for key in keys if not secret.get(key)]
    if missing:
        raise FatalError(
            f"secret {arn} lacks {', '.join(missing)}; add it to the JSON object,"
            " or ErpSecretArn names the wrong secret"
        )
    return tuple(secret[key] for key in keys)


def _texts(arn: str, content: str) -> dict[str, str]:
    try:
        parsed: object = json.loads(content)
    except ValueError:
        parsed = None
    if not isinstance(parsed, dict):
        raise FatalError(f'secret {arn} is not a JSON object like {{"key": "value"}}')
    wrong = sorted(key for key, value in parsed.items() if not isinstance(value, str))
    if wrong:
        raise FatalError(f"secret {arn}: the value of {', '.join(wrong)} is not a text")
    return parsed
