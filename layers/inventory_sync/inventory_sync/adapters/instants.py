"""Instants as text that sorts as it should: UTC, always with microseconds."""

from datetime import UTC, datetime


def to_text(instant: datetime) -> str:
    """For example 2026-03-02T09:00:00.000000Z."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def from_text(text: str) -> datetime:
    """The instant that `to_text` wrote."""
    return datetime.fromisoformat(text)


def to_milliseconds(instant: datetime) -> int:
    """Epoch milliseconds."""
    return int(instant.timestamp() * 1000)
