"""Invocations of the adapter that can stop at every call of a port, and go on later.

A use case does nothing but call ports, so what it has been answered so far is all of its state: it
is run again from its start, given those answers, up to the next call. Nothing is known here of how
it works inside.
"""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from inventory_sync.adapters.s3.file_store import zip_into
from tests.fakes.observer import FakeObserver


@dataclass(frozen=True)
class Call:
    """The next call of a port."""

    port: str
    method: str
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)

    @property
    def label(self) -> str:
        return f"{self.port}.{self.method}"


@dataclass(frozen=True)
class Ended:
    """The invocation has returned, or raised `error`."""

    error: Exception | None = None


@dataclass(frozen=True)
class Answer:
    """What a call gave: a value, or an error to raise."""

    value: Any = None
    error: Exception | None = None


@dataclass(frozen=True)
class Invocation:
    """`name` says which use case with which input, `answers` what it was told, by number."""

    name: str
    answers: tuple[int, ...] = ()


class _StoppedError(BaseException):
    """As a crash would be: no `except Exception` runs."""


class Ports:
    """Answers what was answered before, then asks `meet`; None from it stops the use case."""

    def __init__(self, answers: list[Answer], meet: Callable[[Call], Answer | None]) -> None:
        self._answers, self._meet = answers, meet
        self._given = 0
        self.observer = FakeObserver()

    def port(self, name: str) -> Any:
        return _Port(self, name)

    def ask(self, call: Call) -> Any:
        answer = self._next_answer(call)
        if answer.error is not None:
            raise answer.error
        return iter(answer.value) if isinstance(answer.value, _Listed) else answer.value

    def _next_answer(self, call: Call) -> Answer:
        if self._given < len(self._answers):
            self._given += 1
            return self._answers[self._given - 1]
        answer = self._meet(call)
        if answer is None:
            raise _StoppedError
        return answer


class _Listed(tuple[Any, ...]):
    """What an iterator gave."""


def answered(value: Any) -> Answer:
    """An iterator is read to its end: it can be given again."""
    return Answer(_Listed(value) if isinstance(value, Iterator) else value)


class _Port:
    def __init__(self, ports: Ports, name: str) -> None:
        self._ports, self._name = ports, name

    def __getattr__(self, method: str) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            return self._ports.ask(Call(self._name, method, args, kwargs))

        return call

    @contextmanager
    def archive(self, run_id: str) -> Iterator[Any]:
        """Packed here; it is one call once it is whole."""
        buffer = io.BytesIO()
        with zip_into(buffer) as zipped:
            yield zipped
        self._ports.ask(Call(self._name, "put_archive", (run_id, buffer.getvalue())))

    @contextmanager
    def writer(self, run_id: str) -> Iterator[Any]:
        lines: list[Any] = []
        yield _Lines(lines)
        self._ports.ask(Call(self._name, "put", (run_id, lines)))


@dataclass(frozen=True)
class _Lines:
    lines: list[Any]

    def add(self, record: Any) -> None:
        self.lines.append(record)


Begin = Callable[[Ports, str], Any]
Meet = Callable[[Invocation, Call], Answer | None]
"""What a call is answered; None where it waits for its turn."""


class Invocations:
    """All that were seen, so that no use case is run twice with the same answers."""

    def __init__(self, begin: Begin) -> None:
        self._begin = begin
        self._next: dict[Invocation, Call | Ended] = {}
        self._numbers: dict[str, int] = {}
        self._answers: list[Answer] = []
        self._texts: list[str] = []

    def next_of(self, invocation: Invocation) -> Call | Ended:
        """What it waits for."""
        return self._next[invocation]

    def go_on(self, invocation: Invocation, meet: Meet) -> Invocation:
        """Up to the first call that `meet` does not answer, or to its end."""
        while True:
            following = self._next.get(invocation)
            if following is None:
                return self._run(invocation, meet)
            answer = None if isinstance(following, Ended) else meet(invocation, following)
            if answer is None:
                return invocation
            invocation = self.told(invocation, answer)

    def told(self, invocation: Invocation, answer: Answer) -> Invocation:
        """The invocation with one more answer."""
        text = f"{answer.value!r} {answer.error!r}"
        number = self._numbers.setdefault(text, len(self._answers))
        if number == len(self._answers):
            self._answers.append(answer)
            self._texts.append(text)
        return Invocation(invocation.name, (*invocation.answers, number))

    def text(self, invocation: Invocation) -> str:
        """All that it knows."""
        return "|".join([invocation.name, *(self._texts[number] for number in invocation.answers)])

    def _run(self, invocation: Invocation, meet: Meet) -> Invocation:
        def met(call: Call) -> Answer | None:
            nonlocal invocation
            self._next[invocation] = call
            answer = meet(invocation, call)
            if answer is not None:
                invocation = self.told(invocation, answer)
            return answer

        ports = Ports([self._answers[number] for number in invocation.answers], met)
        try:
            self._begin(ports, invocation.name)
        except _StoppedError:
            return invocation
        except Exception as error:  # noqa: BLE001 - the world decides which may be
            self._next[invocation] = Ended(error)
        else:
            self._next[invocation] = Ended()
        return invocation
