"""A clock that moves only when told."""

from datetime import datetime, timedelta


class FakeClock:
    """`sleep` moves it as `advance` does."""

    def __init__(self, start: datetime) -> None:
        self._now = start

    def now(self) -> datetime:
        return self._now

    def sleep(self, seconds: float) -> None:
        self.advance(seconds)

    def advance(self, by: float | timedelta) -> None:
        """By seconds or by a timedelta."""
        self._now += by if isinstance(by, timedelta) else timedelta(seconds=by)
