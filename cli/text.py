"""How instants, spans and events are written for people."""

from datetime import UTC, datetime, timedelta
from typing import Any

import click

from inventory_sync.domain.events import FulfillmentEvent


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
