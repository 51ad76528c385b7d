"""What an HTTP status means for the caller."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import requests
import urllib3.exceptions

from inventory_sync.adapters.http.answer import OversizeError, parse_object, read_body
from inventory_sync.adapters.http.errors import (
    CredentialsRefusedError,
    HttpRejectedError,
    HttpRetriableError,
    ThrottledError,
)
from inventory_sync.adapters.http.request import HttpRequest, RetrySafety
from inventory_sync.adapters.redaction import excerpt
from inventory_sync.domain.errors import (
    RETRY_AFTER_SECONDS_MAX,
    BlockedError,
    OutcomeUnknownError,
)

_REASON_CHARACTERS_MAX = 200
_ERROR_BODY_BYTES_MAX = 65_536
_NOT_TAKEN = frozenset({425, 429})
_CREDENTIALS_REFUSED = frozenset({401, 403})
_FORBIDDEN = 403
_REQUEST_TIMEOUT = 408

Failure = HttpRetriableError | BlockedError | OutcomeUnknownError | HttpRejectedError


def sent_without_answer(
    request: HttpRequest, text: str, retry_after_seconds: float | None = None
) -> HttpRetriableError | OutcomeUnknownError:
    """The other side may have done it: what that means depends on whether a repeat is safe."""
    if request.retry is RetrySafety.ALWAYS:
        return HttpRetriableError(f"{request.where}: {text}", retry_after_seconds)
    return OutcomeUnknownError(f"{request.where}: {text}")


def failure_of(
    response: requests.Response,
    request: HttpRequest,
    *,
    now: datetime,
    blocked_seconds: float = 0,
) -> Failure | None:
    """The error a status stands for; None for 2xx. `blocked_seconds` is that of HttpLimits."""
    status = response.status_code
    if 200 <= status < 300:
        return None
    body = _error_body(response)
    reason = excerpt(
        body.decode("utf-8", "replace"), request.secrets, characters_max=_REASON_CHARACTERS_MAX
    )
    text = f"answered {status}: {reason}"
    wait = retry_after_seconds(response.headers.get("Retry-After", ""), now)
    if status in _NOT_TAKEN:
        return ThrottledError(f"{request.where}: {text}", wait)
    if status >= 500 or status == _REQUEST_TIMEOUT:
        return sent_without_answer(request, text, wait)
    answer = parse_object(body)
    if status == _FORBIDDEN and answer is None and blocked_seconds:
        return blocked(request, blocked_seconds)
    if status in _CREDENTIALS_REFUSED:
        return CredentialsRefusedError(f"{request.where}: {text}", status, answer)
    if 300 <= status < 400:
        host = urlsplit(response.headers.get("Location", "")).hostname or "the same host"
        text = f"answered {status}, a redirect to {host}, not followed: check the base address"
    return HttpRejectedError(f"{request.where}: {text}", status, answer)


def blocked(request: HttpRequest, seconds: float) -> BlockedError:
    """Our address has asked too often; so much longer nothing is answered."""
    text = f"our address is blocked for too many calls; nothing is sent for {seconds:.0f} seconds"
    return BlockedError(f"{request.where}: {text}", seconds)


def retry_after_seconds(header: str, now: datetime) -> float | None:
    """Seconds or an HTTP date, an hour at the most; None where there is none that can be read."""
    if header.isascii() and header.strip().isdigit():
        return min(float(header), RETRY_AFTER_SECONDS_MAX)
    try:
        until = parsedate_to_datetime(header)
        aware = until if until.tzinfo else until.replace(tzinfo=UTC)
        seconds = (aware - now).total_seconds()
    except (ValueError, OverflowError):
        return None
    return min(max(0.0, seconds), RETRY_AFTER_SECONDS_MAX)


def _error_body(response: requests.Response) -> bytes:
    """Only for the reason: an unreadable one changes nothing."""
    try:
        return read_body(response, bytes_max=_ERROR_BODY_BYTES_MAX)
    except (OversizeError, requests.RequestException, urllib3.exceptions.HTTPError):
        return b""
