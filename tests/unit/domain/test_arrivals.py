"""What is usual in an hour of the week is learnt, and silence is measured by it."""

from bisect import bisect_right
from datetime import UTC, datetime, timedelta

import pytest

from inventory_sync.domain.arrivals import GAP_MAX, HOURS_PER_WEEK, WEEKS_KEPT, Arrivals

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
WEEK = timedelta(days=7)
EVERY = 5 * MINUTE


def watched(
    arrivals: Arrivals, start: datetime, end: datetime, per_hour: dict[int, int]
) -> Arrivals:
    """A look every five minutes; so many events in these hours of the day, evenly."""
    midnight = start.replace(hour=0, minute=0)
    events = sorted(
        midnight + (24 * day + hour + (n + 0.5) / count) * HOUR
        for day in range((end - start).days + 2)
        for hour, count in per_hour.items()
        for n in range(count)
    )
    now = start
    while now <= end:
        recent = events[bisect_right(events, now - 20 * MINUTE) : bisect_right(events, now)]
        arrivals = arrivals.after(recent, now)
        now += EVERY
    return arrivals


@pytest.fixture(scope="module")
def three_weeks() -> Arrivals:
    """Twelve an hour from 9 to 17, nothing at night."""
    return watched(Arrivals(), MONDAY, MONDAY + 3 * WEEK, dict.fromkeys(range(9, 17), 12))


def test_a_new_tenant_misses_nothing() -> None:
    quiet = watched(Arrivals(), MONDAY, MONDAY + 10 * HOUR, {})
    begun = watched(Arrivals(), MONDAY, MONDAY + 26 * HOUR, {9: 12})

    assert quiet.missing(MONDAY + WEEK) == 0
    assert begun.last_at is not None
    assert begun.missing(MONDAY + WEEK) == 0


def test_what_is_usual_is_learnt_hour_by_hour(three_weeks: Arrivals) -> None:
    assert three_weeks.usual(MONDAY + 3 * WEEK + 9 * HOUR) == 12
    assert three_weeks.usual(MONDAY + 3 * WEEK + 3 * HOUR) == 0


def test_silence_counts_by_what_is_usual_in_its_hours(three_weeks: Arrivals) -> None:
    last = three_weeks.last_at
    assert last is not None
    evening = last.replace(hour=17, minute=0)
    monday = MONDAY + 3 * WEEK

    at_night = three_weeks.missing(monday + 8 * HOUR) - three_weeks.missing(evening)
    by_noon = three_weeks.missing(monday + 12 * HOUR) - three_weeks.missing(monday + 8 * HOUR)

    assert at_night == 0
    assert by_noon == pytest.approx(36)


def test_an_event_of_any_kind_ends_the_silence(three_weeks: Arrivals) -> None:
    noon = MONDAY + 3 * WEEK + 12 * HOUR
    heard = three_weeks.after([], noon, noon - MINUTE)

    assert three_weeks.missing(noon) > 30
    assert heard.missing(noon) == pytest.approx(12 / 60)


def test_events_are_counted_once_however_often_they_are_seen() -> None:
    start = MONDAY + 9 * HOUR
    came = [start + 10 * MINUTE]
    arrivals = Arrivals().after([], start)
    for minutes in (5, 10, 15, 20):
        arrivals = arrivals.after(came, start + minutes * MINUTE)

    assert arrivals.count == 1


def test_an_hour_that_was_not_watched_throughout_is_not_learnt() -> None:
    arrivals = Arrivals().after([], MONDAY)
    for now in (MONDAY + 5 * MINUTE, MONDAY + 5 * MINUTE + GAP_MAX + MINUTE):
        arrivals = arrivals.after([], now)
    arrivals = watched(arrivals, MONDAY + 25 * MINUTE, MONDAY + 130 * MINUTE, {})

    assert sorted(arrivals.weeks) == [1]


def test_one_silent_week_does_not_change_what_is_usual_and_a_lasting_change_does() -> None:
    hour = MONDAY + 9 * HOUR

    def learnt(*counts: int) -> int:
        return Arrivals(weeks={9: counts}).usual(hour)

    assert learnt(12) == 0
    assert learnt(12, 14) == 12
    assert learnt(12, 14, 13, 0) == 12
    assert learnt(12, 13, 0, 0) == 0
    assert learnt(12, 13, 14, 300) == 13


def test_old_weeks_are_forgotten() -> None:
    arrivals = watched(Arrivals(), MONDAY, MONDAY + 2 * HOUR, {})
    for week in range(1, 8):
        begin = MONDAY + week * WEEK
        arrivals = watched(arrivals, begin - HOUR, begin + 2 * HOUR, {0: week})

    assert arrivals.weeks[0] == (4, 5, 6, 7)
    assert len(arrivals.weeks[0]) == WEEKS_KEPT


def test_a_clock_that_is_set_back_starts_afresh() -> None:
    arrivals = Arrivals().after([], MONDAY + HOUR).after([], MONDAY)

    assert (arrivals.looked_at, arrivals.whole, arrivals.count) == (MONDAY, False, 0)


def test_a_long_silence_is_bounded(three_weeks: Arrivals) -> None:
    a_year_on = MONDAY + 55 * WEEK

    assert three_weeks.missing(a_year_on) == pytest.approx(7 * 8 * 12)


def test_a_week_has_its_hours_and_a_look_misses_nothing_within_a_settle_window() -> None:
    assert (HOURS_PER_WEEK, GAP_MAX) == (7 * 24, 14 * MINUTE)
    assert (Arrivals().count, Arrivals().whole) == (0, False)


def test_each_hour_of_each_day_has_a_figure_of_its_own() -> None:
    arrivals = Arrivals(weeks={9: (1, 1), 33: (5, 5), 162: (7, 7)})

    assert [arrivals.usual(MONDAY + hours * HOUR) for hours in (9, 33, 162)] == [1, 5, 7]
    assert Arrivals(weeks={9: (12, 14, 13)}).usual(MONDAY + 9 * HOUR) == 13


def test_hours_that_lie_in_a_silence_in_part_count_in_part() -> None:
    one_an_hour = dict.fromkeys(range(HOURS_PER_WEEK), (1, 1))
    arrivals = Arrivals(last_at=MONDAY + 9 * HOUR, weeks=one_an_hour)

    assert arrivals.missing(MONDAY + 10.5 * HOUR) == pytest.approx(1.5)
    assert arrivals.missing(MONDAY + 300.5 * HOUR) == pytest.approx(HOURS_PER_WEEK)


def test_an_hour_that_ends_between_two_looks_is_learnt() -> None:
    arrivals = Arrivals(looked_at=MONDAY + 58 * MINUTE, count=3, whole=True)
    came = [MONDAY + 59 * MINUTE, MONDAY + 61 * MINUTE]

    found = arrivals.after(came, MONDAY + 63 * MINUTE)

    assert (found.weeks, found.count, found.whole) == ({0: (4,)}, 1, True)


@pytest.mark.parametrize(
    ("pause", "goes_on"),
    [
        (timedelta(0), True),
        (GAP_MAX, True),
        (GAP_MAX + timedelta(microseconds=1), False),
        (-MINUTE, False),
        (-HOUR, False),
    ],
)
def test_what_was_counted_stands_unless_the_watch_was_broken(
    pause: timedelta, goes_on: bool
) -> None:
    arrivals = Arrivals(looked_at=MONDAY + 30 * MINUTE, count=3, whole=True)

    found = arrivals.after([], MONDAY + 30 * MINUTE + pause)

    assert (found.count, found.whole) == ((3, True) if goes_on else (0, False))
