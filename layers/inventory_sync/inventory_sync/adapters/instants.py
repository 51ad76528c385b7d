"""Instants as text: the one reader of what comes from outside or from a table, and our own form.

What `to_text` writes `from_text` reads, and it sorts as it should: UTC, always with microseconds.
"""

import re
from datetime import datetime, timezone

from inventory_sync.domain.instants import BOUNDS, bounded

_INSTANT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}:[0-9]{2})"
    r"(?::([0-9]{2})(?:[.,]([0-9]*))?)?(Z|z|[+-][0-9]{2}(?::?[0-9]{2})?)?"
)


def read_instant(value: object, zone: timezone | None = None) -> datetime:
    """An RFC 3339 text as UTC, digits beyond the microsecond cut off; `zone` is that of a text
    which names none.

    ValueError for anything else, a number among it, and for what is out of `bounded`.
    """
    match = _INSTANT.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"not {BOUNDS} such as 2026-03-02T09:00:00.123Z")
    day, minutes, seconds, fraction, offset = match.groups()
    micros = (fraction or "")[:6].ljust(6, "0")
    text = f"{day}T{minutes}:{seconds or '00'}.{micros}"
    if offset is None:
        return bounded(datetime.fromisoformat(text).replace(tzinfo=zone))
    name = "+00:00" if offset in "Zz" else f"{offset:0<5}"
    return bounded(datetime.fromisoformat(text + name))


def to_text(instant: datetime) -> str:
    """For example 2026-03-02T09:00:00.000000Z; ValueError for what `from_text` would not read."""
    return bounded(instant).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def from_text(text: str) -> datetime:
    """The instant that `to_text` wrote; ValueError for anything else."""
    return bounded(datetime.fromisoformat(text))


def to_milliseconds(instant: datetime) -> int:
    """Epoch milliseconds."""
    return int(instant.timestamp() * 1000)
