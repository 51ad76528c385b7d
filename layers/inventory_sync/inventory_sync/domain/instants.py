"""The bounds of any instant that is taken from outside."""

from datetime import UTC, datetime

YEARS = range(2000, 3000)
"""Plausible, and far from where adding a window to an instant, or another zone, overflows."""
BOUNDS = f"an instant of the years {YEARS[0]} to {YEARS[-1]}"


def bounded(instant: datetime) -> datetime:
    """The instant in UTC; ValueError for one without a zone, and for a placeholder.

    Placeholders are a platform's null date (0001-01-01), the Unix epoch, and 9999-12-31.
    """
    if instant.tzinfo is None:
        raise ValueError(f"not {BOUNDS}: it names no zone")
    try:
        moment = instant.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"not {BOUNDS}") from None
    if moment.year not in YEARS:
        raise ValueError(f"not {BOUNDS}")
    return moment
