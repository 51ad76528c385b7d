"""The machine's clock."""

from datetime import UTC, datetime
from time import sleep


class SystemClock:
    """Implements ports.Clock."""

    def now(self) -> datetime:
        """UTC, aware."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """Wait."""
        sleep(seconds)
