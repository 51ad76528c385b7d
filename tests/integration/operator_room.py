"""The control room's reader over a local stack, and what it asks of AWS."""

from __future__ import annotations

from collections import Counter
from typing import Any

from botocore.session import Session

from cli.command import Operator
from cli.output import Output
from cli.room.operator_reader import OperatorReader
from cli.stack import NAMES, Stack
from local.aws import new_session
from tests.integration.operator import LocalConnect, Operated


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
