"""The machine's clock."""

from datetime import UTC, datetime
from time import monotonic, sleep


class SystemClock:
    """Implements ports.Clock."""

    def now(self) -> datetime:
        """UTC, aware."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds since some moment of this process; never steps back."""
        return monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        sleep(seconds)
