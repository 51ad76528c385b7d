"""Instants: what is read is in bounds, and what is written can be read back."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory_sync.adapters.instants import from_text, read_instant, to_milliseconds, to_text
from inventory_sync.domain.instants import YEARS, bounded

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
ZONES = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.datetimes(timezones=ZONES))
def test_any_instant_is_refused_or_comes_back_as_it_was_written(instant: datetime) -> None:
    try:
        text = to_text(instant)
    except ValueError:
        assert instant.year not in range(YEARS[0] + 1, YEARS[-1])
    else:
        assert from_text(text) == instant
        assert from_text(text).tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-02T09:00:00Z",
        "2026-03-02t10:00:00.000000999+01:00",
        "2026-03-02 04:00:00-0500",
        "2026-03-02T09:00z",
    ],
)
def test_rfc_3339_is_read_in_utc(text: str) -> None:
    assert read_instant(text) == NINE


@pytest.mark.parametrize(
    "value",
    [
        "0001-01-01T00:00:00Z",
        "1-01-01T00:00:00Z",
        "1970-01-01T00:00:00Z",
        "1999-12-31T23:59:59.999999Z",
        "3000-01-01T00:00:00Z",
        "9999-12-31T23:59:59-05:00",
        "0001-01-01T00:00:00+05:00",
        "10000-01-01T00:00:00Z",
        "2026-02-30T09:00:00Z",
        "2026-03-02T25:00:00Z",
        "2026-03-02T09:00:00+24:01",
        "2026-03-02T09:00:00",
        "2026-03-02",
        "20260302093000",
        "1772442000",
        1772442000,
        1772442000.0,
        float("nan"),
        float("inf"),
        10**400,
        True,
        None,
        [],
        {},
    ],
)
def test_what_is_no_instant_or_a_placeholder_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"2000 to 2999|month|hour|offset|range"):
        read_instant(value)


def test_zone_of_a_text_that_names_none_is_the_callers() -> None:
    assert read_instant("2026-03-02 09:00:00", UTC) == NINE
    with pytest.raises(ValueError, match="names no zone"):
        bounded(datetime(2026, 3, 2, 9))  # noqa: DTZ001 - as a stranger's connector may give it


def test_milliseconds_are_those_of_the_epoch() -> None:
    assert to_milliseconds(datetime(1970, 1, 2, 0, 0, 1, 500_999, UTC)) == 86_401_500
