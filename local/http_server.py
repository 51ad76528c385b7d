"""What the simulators share: calls that fail on order, over a pure model."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import wraps
from typing import TYPE_CHECKING, Concatenate, Literal, ParamSpec, Protocol, TypeVar

if TYPE_CHECKING:
    from flask import Flask, Response

Garbling = Literal["html", "truncated_json", "wrong_content_length", "empty_body", "wrong_shape"]
FaultKind = Literal["slow", "refuse", "lose_before", "lose_after", "garble"]

ASKED_KEPT = 10_000
"""Calls that a simulator remembers."""

GARBLED_BODIES: dict[Garbling, tuple[str, str]] = {
    "html": ("text/html", "<html><body><h1>502 Bad Gateway</h1></body></html>"),
    "truncated_json": ("application/json", '{"items": [{"product_id": "SKU'),
    "wrong_content_length": ("application/json", '{"items": []}'),
    "empty_body": ("application/json", ""),
    "wrong_shape": ("application/json", "[1, 2, 3]"),
}


class CallRefusedError(Exception):
    """The simulated system answered with an error status; nothing was applied unless it says so.

    `fields` are what the answer's body has beside `error`.
    """

    def __init__(
        self,
        status: int,
        error: str,
        retry_after_seconds: int | None = None,
        **fields: str,
    ) -> None:
        super().__init__(f"{status} {error}")
        self.status = status
        self.error = error
        self.fields = fields
        self.retry_after_seconds = retry_after_seconds


class AnswerLostError(Exception):
    """The connection was cut before an answer; `applied` is the truth the caller cannot know."""

    def __init__(self, applied: bool) -> None:
        super().__init__("the connection was cut")
        self.applied = applied


class AnswerGarbledError(Exception):
    """The call was applied, and its answer cannot be read."""

    def __init__(self, garbling: Garbling) -> None:
        super().__init__(f"garbled answer: {garbling}")
        self.garbling = garbling


@dataclass(frozen=True)
class PlannedFault:
    """One fault for one future call; `call` is the model's method name, None for any.

    `about` is the location, or what else the call names first; None for any.
    """

    kind: FaultKind
    call: str | None = None
    about: str | None = None
    status: int = 503
    retry_after_seconds: int | None = None
    seconds: float = 0
    garbling: Garbling = "html"


class CallFaults:
    """Faults waiting for the next calls, each used once, in the order of their planning."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self.planned: list[PlannedFault] = []
        self.injected: Counter[str] = Counter()
        self.down_until: datetime | None = None
        self.sleep: Callable[[float], None] | None = None
        self.refused_share = 0.0
        """Of all calls, answered 503, evenly spread."""
        self._owed = 0.0

    def plan(self, fault: PlannedFault, calls: int = 1) -> None:
        self.planned.extend([fault] * calls)

    def refuse_next(
        self,
        calls: int = 1,
        status: int = 503,
        retry_after_seconds: int | None = None,
        call: str | None = None,
    ) -> None:
        """Answer the next calls with a status; nothing is applied."""
        fault = PlannedFault("refuse", call, status=status, retry_after_seconds=retry_after_seconds)
        self.plan(fault, calls)

    def lose_next_answer(
        self, calls: int = 1, call: str | None = None, applied: bool = True
    ) -> None:
        """Cut the connection after (or, with applied=False, before) the call took effect."""
        self.plan(PlannedFault("lose_after" if applied else "lose_before", call), calls)

    def garble_next(self, garbling: Garbling, calls: int = 1, call: str | None = None) -> None:
        """Apply the next calls and answer 200 with something that is not the contract."""
        self.plan(PlannedFault("garble", call, garbling=garbling), calls)

    def slow_next(
        self,
        seconds: float,
        calls: int = 1,
        call: str | None = None,
        about: str | None = None,
    ) -> None:
        """Let `sleep(seconds)` pass before the next calls; a simulation's sleep moves its clock."""
        self.plan(PlannedFault("slow", call, about, seconds=seconds), calls)

    def down_for(self, seconds: float) -> None:
        """Refuse every call with 503 until so many seconds from now."""
        self.down_until = self._now() + timedelta(seconds=seconds)

    def before(self, call: str, about: object = None) -> None:
        """Run the faults due ahead of a call; raises CallRefusedError or AnswerLostError."""
        if (slow := self._take(call, "slow", about)) and self.sleep is not None:
            self.sleep(slow.seconds)
        if self.down_until is not None and self._now() < self.down_until:
            self.injected["down"] += 1
            raise CallRefusedError(503, "down")
        if self._owes_refusal():
            self.injected["refuse"] += 1
            raise CallRefusedError(503, "one of a share")
        if refuse := self._take(call, "refuse"):
            raise CallRefusedError(refuse.status, "refused on order", refuse.retry_after_seconds)
        if self._take(call, "lose_before"):
            raise AnswerLostError(applied=False)

    def after(self, call: str) -> None:
        """Run the faults due after a call; raises AnswerLostError or AnswerGarbledError."""
        if self._take(call, "lose_after"):
            raise AnswerLostError(applied=True)
        if garble := self._take(call, "garble"):
            raise AnswerGarbledError(garble.garbling)

    def _owes_refusal(self) -> bool:
        with self._lock:
            self._owed += self.refused_share
            owes = self._owed >= 1
            self._owed -= owes
            return owes

    def _take(self, call: str, kind: FaultKind, about: object = None) -> PlannedFault | None:
        with self._lock:
            for position, fault in enumerate(self.planned):
                meant = fault.call in (None, call) and fault.about in (None, about)
                if fault.kind == kind and meant:
                    self.injected[kind] += 1
                    return self.planned.pop(position)
        return None


class Model(Protocol):
    """What the two decorators below need of a simulator's model."""

    faults: CallFaults
    lock: threading.RLock

    def advance(self) -> None:
        """Bring the model up to now()."""


M = TypeVar("M", bound=Model)
P = ParamSpec("P")
R = TypeVar("R")


def up_to_date(method: Callable[Concatenate[M, P], R]) -> Callable[Concatenate[M, P], R]:
    """A look at the truth, or a change of it: locked, with everything due until now applied."""

    @wraps(method)
    def call(model: M, /, *args: P.args, **kwargs: P.kwargs) -> R:
        with model.lock:
            model.advance()
            return method(model, *args, **kwargs)

    return call


def api_call(method: Callable[Concatenate[M, P], R]) -> Callable[Concatenate[M, P], R]:
    """A call that a client makes: like `up_to_date`, and subject to the planned faults."""
    name = method.__name__
    inner = up_to_date(method)

    @wraps(method)
    def call(model: M, /, *args: P.args, **kwargs: P.kwargs) -> R:
        model.faults.before(name, next(iter(args), None))
        result = inner(model, *args, **kwargs)
        model.faults.after(name)
        return result

    return call


def map_faults(app: Flask, error_body: Callable[[CallRefusedError], object] | None = None) -> None:
    """Turn the models' exceptions into what a client sees on the wire."""
    from flask import Response, jsonify, request

    @app.errorhandler(CallRefusedError)
    def refused(refusal: CallRefusedError) -> Response:
        body = {"error": refusal.error, **refusal.fields}
        response = jsonify(error_body(refusal) if error_body else body)
        response.status_code = refusal.status
        if refusal.retry_after_seconds is not None:
            response.headers["Retry-After"] = str(refusal.retry_after_seconds)
        return response

    @app.errorhandler(AnswerLostError)
    def lost(_: AnswerLostError) -> Response:
        import socket

        request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
        return Response(status=500)

    @app.errorhandler(AnswerGarbledError)
    def garbled(answer: AnswerGarbledError) -> Response:
        content_type, body = GARBLED_BODIES[answer.garbling]
        response = Response(body, content_type=content_type)
        if answer.garbling == "wrong_content_length":
            response.headers["Content-Length"] = str(len(body) + 100)
        return response


def tell_time(app: Flask, now: Callable[[], datetime], asked: deque[str]) -> None:
    """Every answer has the simulated system's own time in its header Date; each call is noted."""
    from flask import request
    from werkzeug.http import http_date

    @app.before_request
    def note() -> None:
        asked.append(f"{request.method} {request.path}")

    @app.after_request
    def dated(response: Response) -> Response:
        response.headers["Date"] = http_date(now())
        return response
