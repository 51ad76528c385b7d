"""The feed of changed products, by a counter or by time, with the gaps such feeds have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from local.erp.records import ChangeFeed, ChangesPage, StockKey
from local.http_server import CallRefusedError

PAGE_PRODUCTS = 100

Log = list[tuple[datetime, StockKey]]


@dataclass(frozen=True)
class Cursor:
    """A position in the log, and the instant up to which it was read; as text for the client."""

    generation: int
    position: int
    instant: datetime

    def __str__(self) -> str:
        return f"{self.generation}.{self.position}@{self.instant.isoformat()}"

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """CallRefusedError 410 for what is none of ours."""
        numbers, _, instant = text.partition("@")
        generation, _, position = numbers.partition(".")
        try:
            return cls(int(generation), int(position), datetime.fromisoformat(instant))
        except ValueError:
            raise _gone() from None


class ChangeLog:
    """What the ERP tells of the ledger's log.

    `read(location)` gives a fresh instant and the whole log up to it.
    """

    def __init__(self, read: Callable[[str], tuple[datetime, Log]], feed: ChangeFeed) -> None:
        self._read, self._feed = read, feed
        self.by_time = feed == "timestamp"
        self._generation = 1
        self.untold: set[StockKey] = set()
        """Changes of these are not told: a feed may be incomplete."""

    def forget(self) -> None:
        """No cursor given so far is known any more."""
        self._generation += 1

    def page(self, location: str, cursor: str | None) -> ChangesPage:
        """CallRefusedError 404 without a feed, 410 for a cursor that reaches too far back."""
        if self._feed == "none":
            raise CallRefusedError(404, "this ERP has no change feed")
        as_of, log = self._read(location)
        start = len(log) if cursor is None else self._start(Cursor.parse(cursor), log)
        end, products = start, set[str]()
        while end < len(log) and len(products) < PAGE_PRODUCTS:
            place, product = log[end][1]
            if place == location and (place, product) not in self.untold:
                products.add(product)
            end += 1
        more = end < len(log)
        following = Cursor(self._generation, end, log[end][0] if more else as_of)
        return ChangesPage(location, as_of, tuple(sorted(products)), str(following), more)

    def _start(self, cursor: Cursor, log: Log) -> int:
        """By time, what stands at the very instant is told once more."""
        if cursor.generation != self._generation or cursor.position > len(log):
            raise _gone()
        if self._feed == "sequence":
            return cursor.position
        since = (n for n, (instant, _) in enumerate(log) if instant >= cursor.instant)
        return next(since, len(log))


def _gone() -> CallRefusedError:
    return CallRefusedError(410, "the cursor is no longer valid: read everything")
