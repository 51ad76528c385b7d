"""JSON over HTTP: bounded in time, size and repeats; every foreign error mapped here, once.

What a call may end in is drawn in `errors.py`. A call is repeated only as far as its `RetrySafety`
allows, with full jitter; a `Retry-After` within `retry_after_seconds_max` is honoured, a longer one
ends the call. Redirects are not followed: they would carry the token elsewhere.
"""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
import urllib3.exceptions

from inventory_sync.adapters.http.answer import OversizeError, parse_object, read_body
from inventory_sync.adapters.http.errors import HttpRetriableError, ThrottledError
from inventory_sync.adapters.http.rate_limiter import RateLimiter
from inventory_sync.adapters.http.request import HttpLimits, HttpRequest, RetrySafety
from inventory_sync.adapters.http.status import failure_of, sent_without_answer
from inventory_sync.adapters.redaction import excerpt
from inventory_sync.domain.errors import FatalError
from inventory_sync.ports.observe import Clock

_NOT_CONNECTED = (
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.ConnectTimeoutError,
    urllib3.exceptions.NameResolutionError,
)


class JsonHttp:
    """May be shared by threads, which then share the pace. `random` gives numbers from 0 to 1."""

    def __init__(
        self,
        clock: Clock,
        limits: HttpLimits,
        random: Callable[[], float],
        session: requests.Session | None = None,
        pace: RateLimiter | None = None,
    ) -> None:
        self._clock = clock
        self._limits = limits
        self._random = random
        self._pace = pace
        self._session = session or requests.Session()
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    def call(self, request: HttpRequest) -> dict[str, Any]:
        """The JSON object of a 2xx answer; empty where the request wants none."""
        deadline = self._clock.now() + timedelta(seconds=self._limits.call_seconds_max)
        for attempt in range(self._limits.attempts_max - 1):
            try:
                return self._attempt(request, deadline)
            except HttpRetriableError as error:
                pause = self._pause_seconds(error, request, attempt)
                if pause is None or self._clock.now() + timedelta(seconds=pause) >= deadline:
                    raise
                self._clock.sleep(pause)
        return self._attempt(request, deadline)

    def _pause_seconds(
        self, error: HttpRetriableError, request: HttpRequest, attempt: int
    ) -> float | None:
        """How long to wait before the next attempt; None where there must be none."""
        if isinstance(error, ThrottledError) and request.retry < RetrySafety.NOT_TAKEN:
            return None
        limits = self._limits
        ceiling = min(limits.backoff_seconds_max, limits.backoff_seconds * 2**attempt)
        asked = error.retry_after_seconds or 0.0
        return None if asked > limits.retry_after_seconds_max else asked + self._random() * ceiling

    def _attempt(self, request: HttpRequest, deadline: datetime) -> dict[str, Any]:
        def in_time() -> bool:
            return self._clock.now() < deadline

        with _mapped(request), closing(self._send(request)) as response:
            now = self._clock.now()
            if failure := failure_of(response, request, now=now, in_time=in_time):
                raise failure
            if not request.answer:
                return {}
            bytes_max = self._limits.body_bytes_max
            body = read_body(response, bytes_max=bytes_max, in_time=in_time)
        parsed = parse_object(body, request.bare_list)
        if parsed is None:
            raise sent_without_answer(request, _unreadable(response, body, request))
        return parsed

    def _send(self, request: HttpRequest) -> requests.Response:
        if self._pace is not None:
            self._pace.wait()
        return self._session.request(
            request.method,
            request.url,
            params=request.query,
            json=request.json,
            data=request.form,
            headers={
                "Accept": "application/json",
                "User-Agent": "inventory-sync",
                **request.headers,
            },
            auth=_Bearer(request.bearer),
            timeout=(self._limits.connect_seconds, self._limits.read_seconds),
            allow_redirects=False,
            stream=True,
        )


class _Bearer(requests.auth.AuthBase):
    """Also keeps requests from looking for credentials of its own in a .netrc file."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, prepared: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._token:
            prepared.headers["Authorization"] = f"Bearer {self._token}"
        return prepared


@contextmanager
def _mapped(request: HttpRequest) -> Iterator[None]:
    """The errors of requests and urllib3, in our terms."""
    try:
        yield
    except OversizeError as error:
        raise sent_without_answer(request, f"the answer is too large: {error}") from error
    except ValueError as error:
        # A wrong address or header. Not chained: its text may quote the token.
        text = f"{request.where}: {type(error).__name__}; check the address and the token"
        raise FatalError(text) from None
    except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
        if obstacle := _obstacle(error):
            raise HttpRetriableError(f"{request.where}: no connection: {obstacle}") from error
        text = f"sent, but no whole answer came: {type(error).__name__}"
        raise sent_without_answer(request, text) from error


def _obstacle(error: Exception) -> str:
    """Why there was no connection to send anything over; empty where there was one."""
    cause = error.args[0] if error.args else None
    reason = cause.reason if isinstance(cause, urllib3.exceptions.MaxRetryError) else None
    if isinstance(reason, urllib3.exceptions.SSLError) and "CERTIFICATE_VERIFY" in str(reason):
        return "the certificate is not valid"
    return type(reason).__name__ if isinstance(reason, _NOT_CONNECTED) else ""


def _unreadable(response: requests.Response, body: bytes, request: HttpRequest) -> str:
    content_type = excerpt(response.headers.get("Content-Type", "no content type"))
    begin = excerpt(body.decode("utf-8", "replace"), request.secrets)
    return f"expected a JSON object, got {content_type} of {len(body)} bytes: {begin!r}"
