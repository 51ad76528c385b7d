"""When a stream stopped by its log, and how long it may stay so."""

from datetime import UTC, datetime, timedelta

import pytest

from inventory_sync.domain.stream_records import StreamLogEntry, stopped_at, time_left

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def log(*actions: str) -> list[StreamLogEntry]:
    """The latest first, as NewStore has it; a minute apart."""
    count = len(actions)
    return [
        StreamLogEntry(NOON + timedelta(minutes=count - number), action, "why")
        for number, action in enumerate(actions)
    ]


@pytest.mark.parametrize(
    ("actions", "minute"),
    [
        ((), None),
        (("integration_stopped",), 1),
        (("integration_stopped", "integration_started"), 2),
        (("integration_started", "integration_stopped"), None),
        (("retry_triggered", "integration_stopped", "integration_started"), 2),
        (("integration_stopped", "retry_triggered", "integration_stopped"), 3),
        (("retry_triggered", "retry_triggered"), None),
        (("Stopped",), 1),
    ],
)
def test_the_last_stop_without_a_start_after_it_counts(
    actions: tuple[str, ...], minute: int | None
) -> None:
    expected = None if minute is None else NOON + timedelta(minutes=minute)

    assert stopped_at(log(*actions)) == expected


@pytest.mark.parametrize(
    ("stopped_since", "left"),
    [(None, 30), (NOON, 30), (NOON - DAY, 29), (NOON - 30 * DAY, 0), (NOON - 31 * DAY, 0)],
)
def test_a_stopped_stream_keeps_what_happened_for_thirty_days(
    stopped_since: datetime | None, left: int
) -> None:
    assert time_left(stopped_since, NOON) == left * DAY
