"""What a shadow has seen, in memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from inventory_sync.domain.shadow import Look


class FakeLooks:
    """ports.Looks."""

    def __init__(self) -> None:
        self.kept: dict[datetime, list[Look]] = {}

    @contextmanager
    def writer(self, at: datetime) -> Iterator["_Writer"]:
        writer = _Writer()
        yield writer
        self.kept[at] = writer.looks

    def between(self, since: datetime, until: datetime) -> Iterator[Look]:
        for at, looks in sorted(self.kept.items()):
            if since <= at < until:
                yield from looks


class _Writer:
    def __init__(self) -> None:
        self.looks: list[Look] = []

    def add(self, look: Look) -> None:
        self.looks.append(look)
