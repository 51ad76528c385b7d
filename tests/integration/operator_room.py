"""The control room's reader over a local stack, and what it asks of AWS."""

from __future__ import annotations

from collections import Counter
from typing import Any

from botocore.session import Session
from click.testing import CliRunner

from cli.command import Operator
from cli.output import Output
from cli.room.command import room
from cli.room.operator_reader import OperatorReader
from cli.stack import NAMES, Stack
from local.aws import new_session
from tests.integration.operator import LocalConnect, Operated

READS = frozenset(
    {"GetItem", "GetObject", "GetParameter", "GetSecretValue", "ListObjectsV2", "Query"}
)


class Calls:
    """What is asked of AWS, by name, and word for word."""

    def __init__(self) -> None:
        self.by_name: Counter[str] = Counter()
        self.word_for_word: Counter[str] = Counter()

    def session(self) -> Session:
        session = new_session()
        session.register("before-call", self.keep)
        return session

    def keep(self, **call: Any) -> None:
        name, params = call["model"].name, call["params"]
        self.by_name[name] += 1
        self.word_for_word[f"{name} {params['url']} {params['body']!r}"] += 1

    def taken(self) -> int:
        """How many since the last time."""
        total = self.by_name.total()
        self.by_name.clear()
        self.word_for_word.clear()
        return total


def reader_of(shop: Operated, calls: Calls) -> OperatorReader:
    connect = LocalConnect(shop.stack, shop.log, calls.session)
    given = {variable: shop.stack.template.physical_id(name) for name, variable in NAMES.items()}
    stack = Stack(connect, "local", given)
    return OperatorReader(Operator(stack=stack, now=connect.now(), out=Output(False)))


class EndsAfter(LocalConnect):
    """Ctrl-C after so many looks; what is done meanwhile is `then`."""

    def __init__(self, shop: Operated, looks: int, then: Any = None) -> None:
        super().__init__(shop.stack, shop.log)
        self.looks, self.then = looks, then

    def sleep(self, seconds: float) -> None:
        if self.then is not None:
            self.then()
        self.looks -= 1
        if not self.looks:
            raise KeyboardInterrupt


def serve(shop: Operated, connect: LocalConnect, *words: str) -> Any:
    named = {variable: shop.stack.template.physical_id(name) for name, variable in NAMES.items()}
    return CliRunner().invoke(room, ["--port", "0", *words], obj=connect, env=named)
