"""How values are written for people, and how for scripts."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import click

from inventory_sync.domain.events import FulfillmentEvent

_HEADINGS = {"logical_timestamp": "event", "fulfillment_request_id": "request"}
_UNNAMED = ("_id", "_at", "_seconds")
"""What a value's own form says already."""


def instant(at: datetime | None) -> str:
    """UTC to the second; a dash where there is none."""
    return "-" if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z"


def iso(at: datetime | None) -> str | None:
    """For scripts."""
    return None if at is None else at.astimezone(UTC).isoformat()


def span(length: timedelta) -> str:
    """The two largest units, such as 3 h 5 min."""
    seconds = max(0, int(length.total_seconds()))
    parts = [(seconds // 86_400, "d"), (seconds // 3600 % 24, "h"), (seconds // 60 % 60, "min")]
    named = [f"{count} {unit}" for count, unit in [*parts, (seconds % 60, "s")] if count]
    return " ".join(named[:2]) or "0 s"


def visible(text: str) -> str:
    r"""As it is, but what a terminal would obey or not show as `\x1b` or `\u202e`."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


def heading(name: str) -> str:
    """Of a column, by the field's name in JSON."""
    for suffix in _UNNAMED:
        name = name.removesuffix(suffix) if name not in _HEADINGS else name
    return _HEADINGS.get(name, name.replace("_", " "))


def cell(value: object) -> str:
    """A value for people; a dash stands for none."""
    match value:
        case None | "":
            return "-"
        case bool():
            return str(value).lower()
        case datetime():
            return instant(value)
        case timedelta():
            return span(value)
        case str():
            return value
        case Mapping():
            return ", ".join(f"{cell(count)} {name}" for name, count in value.items()) or "-"
        case Collection():
            return ", ".join(map(cell, value)) or "-"
    return str(value)


def plain(value: object) -> object:
    """What JSON has no type for: instants as ISO 8601, spans as seconds, fractions as numbers."""
    match value:
        case datetime():
            return iso(value)
        case timedelta():
            return int(value.total_seconds())
        case Decimal():
            return int(value) if value == int(value) else float(value)
    raise TypeError(type(value).__name__)


def short_name(event: FulfillmentEvent) -> str:
    """NewStore's name without what all of them begin with."""
    return event.name.value.rpartition(".")[2]


class Instant(click.ParamType["datetime"]):
    """ISO 8601; UTC where it names no zone."""

    name = "TIME"

    def convert(self, value: Any, param: Any, ctx: Any) -> datetime:
        """For example 2026-03-02T09:30 or 2026-03-02T10:30+01:00."""
        if isinstance(value, datetime):
            return value
        try:
            found = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no time; write it as 2026-03-02T09:30, in UTC", param, ctx)
        return found if found.tzinfo else found.replace(tzinfo=UTC)


INSTANT = Instant()
