"""How often one address may call NewStore, and the block of one that calls more often."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta

REQUESTS_MAX = 30_000
WINDOW = timedelta(minutes=5)
BLOCK = timedelta(minutes=5)


class RequestLimit:
    """Of the one address there is."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._calls: deque[datetime] = deque()
        self.requests_max = REQUESTS_MAX
        self.blocked_until: datetime | None = None
        self.refused = 0
        """Calls made during blocks."""

    def block(self) -> None:
        """As if too many calls had been made by now."""
        self.blocked_until = self._now() + BLOCK

    def allows(self) -> bool:
        """Count a call; False where the address is blocked."""
        now = self._now()
        if self.blocked_until is not None and now < self.blocked_until:
            self.refused += 1
            return False
        self._calls.append(now)
        while self._calls[0] <= now - WINDOW:
            self._calls.popleft()
        if len(self._calls) > self.requests_max:
            self._calls.clear()
            self.block()
            self.refused += 1
            return False
        return True
