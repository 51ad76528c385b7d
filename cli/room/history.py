"""The moments that were seen, for as many readers as there are."""

from __future__ import annotations

import json
import threading
from collections import deque
from dataclasses import dataclass, replace

from cli.room.changes import what_changed
from cli.room.picture import Picture

MOMENTS_MAX = 200


@dataclass(frozen=True, slots=True)
class Moment:
    """A picture with its number, from 1 up, as JSON text."""

    number: int
    text: str


class History:
    """Keeps the latest moments; a picture like the one before adds none."""

    def __init__(self, moments_max: int = MOMENTS_MAX) -> None:
        self._moments: deque[Moment] = deque(maxlen=moments_max)
        self._changed = threading.Condition()
        self._last: Picture | None = None
        self._count = 0
        self.closed = False

    def add(self, picture: Picture, *, repeat: bool = True) -> None:
        """With `repeat` False, only where more than the time has changed."""
        with self._changed:
            if not repeat and self._last is not None and _same(picture, self._last):
                return
            if not picture.told:
                picture = replace(picture, told=what_changed(self._last, picture))
            self._last = picture
            self._count += 1
            record = {"number": self._count, **picture.to_json()}
            text = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
            self._moments.append(Moment(self._count, text))
            self._changed.notify_all()

    def moments(self, after: int = 0) -> list[Moment]:
        """Those with a higher number, as far as they are kept."""
        with self._changed:
            return [moment for moment in self._moments if moment.number > after]

    def wait(self, after: int, seconds: float) -> list[Moment]:
        """Like `moments`, but waits for one; empty when none came in time or all is over."""
        with self._changed:
            self._changed.wait_for(lambda: self.closed or self._count > after, seconds)
        return self.moments(after)

    def close(self) -> None:
        """No more moments: whoever waits stops waiting."""
        with self._changed:
            self.closed = True
            self._changed.notify_all()


def _same(one: Picture, other: Picture) -> bool:
    return replace(one, at=other.at, told=other.told) == other
