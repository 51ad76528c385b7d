"""A call over HTTP as a value, and the limits it is held to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any
from urllib.parse import urlsplit


class RetrySafety(IntEnum):
    """After what a call may be sent again; each allows what those before it allow."""

    NOT_SENT = 1
    """The connection was refused."""
    NOT_TAKEN = 2
    """The other side said that it did not take it (429)."""
    ALWAYS = 3
    """Any failure: once or twice makes no difference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """`url` has no query. `bearer`, the values of `form` and the texts in `hidden` are secrets.

    `bare_list` names the key under which a list without an object around it is given.
    Without `answer` the body of a 2xx is not looked at.
    """

    method: str
    url: str
    retry: RetrySafety
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Mapping[str, Any] | None = field(default=None, repr=False)
    form: Mapping[str, str] | None = field(default=None, repr=False)
    bearer: str = field(default="", repr=False)
    hidden: tuple[str, ...] = field(default=(), repr=False)
    answer: bool = True
    bare_list: str | None = None

    @property
    def where(self) -> str:
        """What messages call it: without host, query and secrets."""
        return f"{self.method} {urlsplit(self.url).path}"

    @property
    def address(self) -> str:
        """Which host was to be reached: without user, path and query."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not stand in any message."""
        return (self.bearer, *(self.form or {}).values(), *self.hidden)


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpLimits:
    """`call_seconds_max` is for one call with its repeats and pauses.

    The last attempt may outlast it by the time-outs, never by more. Where the other side blocks an
    address that asks too often, by 403 without JSON, `blocked_seconds` is for how long; where it is
    0, every 403 is about the token.
    """

    connect_seconds: float = 5
    read_seconds: float = 20
    attempts_max: int = 3
    backoff_seconds: float = 0.5
    backoff_seconds_max: float = 8
    retry_after_seconds_max: float = 20
    call_seconds_max: float = 60
    body_bytes_max: int = 16_000_000
    download_seconds_max: float = 300
    download_bytes_max: int = 1_000_000_000
    blocked_seconds: float = 0
