"""JSON over HTTP: bounded in time, size and repeats; every foreign error mapped here, once.

What a call may end in is drawn in `errors.py`. A call is repeated only as far as its `RetrySafety`
allows, with full jitter; a `Retry-After` within `retry_after_seconds_max` is honoured, a longer one
ends the call. Redirects are not followed: they would carry the token elsewhere.
"""

from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from http.cookiejar import DefaultCookiePolicy
from typing import IO, Any

import requests

from inventory_sync.adapters.http.answer import copy_body, parse_object, read_body, repeated_key
from inventory_sync.adapters.http.ended import EndedAdapter, ending
from inventory_sync.adapters.http.errors import HttpRetriableError, ThrottledError
from inventory_sync.adapters.http.mapped import mapped
from inventory_sync.adapters.http.rate_limiter import RateLimiter
from inventory_sync.adapters.http.request import HttpLimits, HttpRequest, RetrySafety
from inventory_sync.adapters.http.status import blocked, failure_of, sent_without_answer
from inventory_sync.adapters.redaction import excerpt
from inventory_sync.domain.errors import BlockedError
from inventory_sync.ports.observe import Clock
from inventory_sync.version import USER_AGENT

Take = Callable[[requests.Response], None]
"""Reads the body of a 2xx answer."""


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
        self._blocked_until: datetime | None = None
        self._session = session or requests.Session()
        self._session.mount("https://", EndedAdapter())
        self._session.mount("http://", EndedAdapter())
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    def call(self, request: HttpRequest) -> dict[str, Any]:
        """The JSON object of a 2xx answer; empty where the request wants none."""
        answer: dict[str, Any] = {}

        def take(response: requests.Response) -> None:
            answer.update(self._object(request, response) if request.answer else {})

        self._repeated(request, take, self._limits.call_seconds_max)
        return answer

    def download(self, request: HttpRequest, target: IO[bytes]) -> None:
        """The body of a 2xx answer into a file, however large; its begin where it fails."""

        def take(response: requests.Response) -> None:
            target.seek(0)
            target.truncate()
            copy_body(response, target, bytes_max=self._limits.download_bytes_max)

        self._repeated(request, take, self._limits.download_seconds_max)

    def _repeated(self, request: HttpRequest, take: Take, seconds_max: float) -> None:
        deadline = self._clock.monotonic() + seconds_max
        for attempt in range(self._limits.attempts_max - 1):
            try:
                return self._attempt(request, take, deadline)
            except HttpRetriableError as error:
                pause = self._pause_seconds(error, request, attempt)
                if pause is None or self._clock.monotonic() + pause >= deadline:
                    raise
                self._clock.sleep(pause)
        return self._attempt(request, take, deadline)

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

    def _attempt(self, request: HttpRequest, take: Take, deadline: float) -> None:
        self._refuse_while_blocked(request)
        self._await_turn()
        end = max(deadline, self._clock.monotonic() + self._limits.read_seconds)
        with (
            ending(lambda: end - self._clock.monotonic()),
            mapped(request),
            closing(self._send(request)) as response,
        ):
            now, blocked_seconds = self._clock.now(), self._limits.blocked_seconds
            if failure := failure_of(response, request, now=now, blocked_seconds=blocked_seconds):
                if isinstance(failure, BlockedError):
                    self._blocked_until = now + timedelta(seconds=failure.seconds)
                raise failure
            take(response)

    def _refuse_while_blocked(self, request: HttpRequest) -> None:
        """BlockedError: each call during a block may prolong it."""
        if self._blocked_until is None:
            return
        left = (self._blocked_until - self._clock.now()).total_seconds()
        if 0 < left <= self._limits.blocked_seconds:
            raise blocked(request, left)

    def _await_turn(self) -> None:
        if self._pace is not None:
            self._pace.wait()

    def _object(self, request: HttpRequest, response: requests.Response) -> dict[str, Any]:
        body = read_body(response, bytes_max=self._limits.body_bytes_max)
        parsed = parse_object(body, request.bare_list)
        if parsed is None:
            raise sent_without_answer(request, _unreadable(response, body, request))
        return parsed

    def _send(self, request: HttpRequest) -> requests.Response:
        return self._session.request(
            request.method,
            request.url,
            params=request.query,
            json=request.json,
            data=request.form,
            headers={
                "Accept": "application/json",
                "User-Agent": USER_AGENT,
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


def _unreadable(response: requests.Response, body: bytes, request: HttpRequest) -> str:
    content_type = excerpt(response.headers.get("Content-Type", "no content type"))
    if key := repeated_key(body):
        return f"{content_type} of {len(body)} bytes: key {excerpt(key)!r} twice in one object"
    begin = excerpt(body.decode("utf-8", "replace"), request.secrets)
    return f"expected a JSON object, got {content_type} of {len(body)} bytes: {begin!r}"
