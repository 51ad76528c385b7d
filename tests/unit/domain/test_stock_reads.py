"""Which reads are due, and which a run may use."""

from datetime import datetime, timedelta

import pytest

from inventory_sync.domain.locations import Location
from inventory_sync.domain.stock import StockSnapshot
from inventory_sync.domain.stock_reads import (
    FIRST_READS_MAX,
    KeptVersion,
    StockRead,
    batches_of,
    choose_reads,
    usable,
)
from tests.builders import MINUTE, NOW, location


def places(count: int) -> list[Location]:
    return [location(f"L{number:04d}") for number in range(count)]


def test_of_a_chain_never_imported_no_more_is_read_than_is_soon_imported() -> None:
    chosen = choose_reads(
        places(FIRST_READS_MAX + 1), {}, frozenset(), not_since=NOW - MINUTE, planned_at=None
    )

    assert len(chosen) == FIRST_READS_MAX


def test_reads_that_wait_for_their_first_import_count_among_those() -> None:
    kept = {"L0000": KeptVersion("1", NOW)}

    chosen = choose_reads(
        places(FIRST_READS_MAX + 1), kept, frozenset(), not_since=NOW - MINUTE, planned_at=None
    )

    assert len(chosen) == FIRST_READS_MAX - 1
    assert "L0000" not in chosen


def test_a_read_is_due_where_there_is_none_since() -> None:
    kept = {"L0000": KeptVersion("1", NOW)}

    def chosen(not_since: datetime) -> list[str]:
        found = frozenset({"L0000"})
        return choose_reads(places(1), kept, found, not_since=not_since, planned_at=None)

    assert chosen(NOW - timedelta(seconds=1)) == []
    assert chosen(NOW) == ["L0000"]


def test_batches_hold_each_location_once_in_order() -> None:
    assert batches_of(["a", "b", "c"], 2) == [("a", "b"), ("c",)]
    assert batches_of([], 2) == []


@pytest.mark.parametrize(
    ("as_of_minutes", "started_minutes", "fits"),
    [(0, 0, True), (-1, 0, False), (-1, 11, True), (5, 5, True)],
    ids=["as_the_last", "older", "older_by_the_erp_s_fault", "newer"],
)
def test_after_an_import_a_read_shows_at_least_what_that_one_did(
    as_of_minutes: int, started_minutes: int, fits: bool
) -> None:
    read = StockRead(
        StockSnapshot("L1", NOW + as_of_minutes * MINUTE, {}), None, NOW + started_minutes * MINUTE
    )

    found = usable(
        read,
        last_as_of=NOW,
        apply_lag=timedelta(0),
        last_finished_at=NOW + 10 * MINUTE,
        not_before=NOW + 60 * MINUTE,
    )

    assert found is fits


@pytest.mark.parametrize(("seconds", "fits"), [(0, True), (-1, False)])
def test_before_any_import_a_read_is_no_older_than_what_may_be_closed(
    seconds: int, fits: bool
) -> None:
    started_at = NOW + timedelta(seconds=seconds)
    read = StockRead(StockSnapshot("L1", started_at, {}), None, started_at)

    found = usable(
        read, last_as_of=None, apply_lag=timedelta(0), last_finished_at=None, not_before=NOW
    )

    assert found is fits
