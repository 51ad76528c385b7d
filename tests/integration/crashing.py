"""Every call an invocation makes to the outside, and the ways to die at any of them.

The calls to AWS are met through botocore's own event hooks, those of requests where all of its
sessions send: in the transport. An invocation that has died calls nothing any more.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import pytest
import requests
from botocore.session import Session
from requests.adapters import HTTPAdapter

from local.aws import new_session


class SimulatedCrashError(BaseException):
    """The invocation is gone: no `except Exception` runs, nothing is cleaned up."""


class Moment(StrEnum):
    """Where at a call: nothing was sent yet, or it took effect and nobody saw the answer."""

    BEFORE = "before"
    AFTER = "after"


OnCall = Callable[[int, Moment, str], None]
"""(number from 1 up, moment, name of the call)"""


@dataclass
class Watched:
    """One invocation's calls so far, by name."""

    on_call: OnCall
    thread: int = field(default_factory=threading.get_ident)
    names: list[str] = field(default_factory=list)
    inside: bool = False
    dead: bool = False

    def concerns_this_thread(self) -> bool:
        """The invocation's own thread, or one of the pool that boto3 uploads with."""
        uploads = threading.current_thread().name.startswith("ThreadPoolExecutor")
        return not self.inside and (uploads or threading.get_ident() == self.thread)

    def reach(self, moment: Moment, name: str) -> None:
        """Raises SimulatedCrashError where `on_call` does, and for ever after."""
        if self.dead:
            raise SimulatedCrashError("already gone")
        if moment is Moment.BEFORE:
            self.names.append(name)
        self.inside = True
        try:
            self.on_call(len(self.names), moment, name)
        except SimulatedCrashError:
            self.dead = True
            raise
        finally:
            self.inside = False


class OutsideCalls:
    """At most one invocation is watched at a time."""

    def __init__(self) -> None:
        self._watched: Watched | None = None

    @contextmanager
    def watching(self, on_call: OnCall) -> Iterator[list[str]]:
        """Gives the names of the calls made in the block, which grow as it runs."""
        self._watched = watched = Watched(on_call)
        try:
            yield watched.names
        finally:
            self._watched = None

    def reach(self, moment: Moment, name: str) -> None:
        watched = self._watched
        if watched is not None and watched.concerns_this_thread():
            watched.reach(moment, name)


CALLS = OutsideCalls()
"""What is hooked belongs to the process, so this does too."""

_ATOMIC = threading.Lock()
"""AWS's calls are atomic; moto reads, checks and writes without a lock."""


def crash_at(number: int, moment: Moment) -> OnCall:
    """Dies at that call."""

    def on_call(at: int, when: Moment, name: str) -> None:
        if (at, when) == (number, moment):
            raise SimulatedCrashError(f"{when} call {at}: {name}")

    return on_call


def watch_outside_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of requests' sessions tell CALLS until the test ends."""
    send = HTTPAdapter.send

    def watched_send(
        self: HTTPAdapter, request: requests.PreparedRequest, *args: Any, **kwargs: Any
    ) -> requests.Response:
        name = f"{request.method} {request.path_url.partition('?')[0]}"
        CALLS.reach(Moment.BEFORE, name)
        response = send(self, request, *args, **kwargs)
        try:
            CALLS.reach(Moment.AFTER, name)
        except SimulatedCrashError:
            response.close()
            raise
        return response

    monkeypatch.setattr(HTTPAdapter, "send", watched_send)


def watched_session() -> Session:
    """What a function's clients are made of: they tell CALLS."""
    session = new_session()
    session.register("before-call", _before)
    session.register("after-call", _after)
    session.register("after-call-error", _failed)
    return session


def _before(**call: Any) -> None:
    CALLS.reach(Moment.BEFORE, call["model"].name)
    _ATOMIC.acquire()


def _failed(**_: Any) -> None:
    _ATOMIC.release()


def _after(**call: Any) -> None:
    _ATOMIC.release()
    CALLS.reach(Moment.AFTER, call["model"].name)
