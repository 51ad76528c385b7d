"""A full refresh goes by locations, those that have waited longest first, in slices."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from inventory_sync.domain.locations import Node
from inventory_sync.domain.manifest import Basis, LocationEntry, Manifest
from inventory_sync.domain.refresh import UNREAD_FOR, RefreshProgress, choose_slice, waits
from tests.builders import HOUR, MINUTE, NOW

BEGAN = NOW - HOUR
DAY = 24 * HOUR
ROWS = 100


def entry(
    refreshed_at: datetime | None = None, refresh_from: str | None = None, as_of: datetime = NOW
) -> LocationEntry:
    return LocationEntry(
        basis=Basis.SNAPSHOT,
        as_of=as_of,
        ledger_run_id="run-1",
        rows=ROWS,
        units=10,
        node=Node("N", ""),
        refreshed_at=refreshed_at,
        refresh_from=refresh_from,
    )


def manifest(**entries: LocationEntry) -> Manifest:
    return Manifest(
        run_id="run-1", cut_end=0, locations=entries, refresh_since=BEGAN, row_bytes=50.0
    )


def chosen(
    found: Manifest, *, held: frozenset[str] = frozenset(), room_bytes: int = 1_000_000
) -> frozenset[str]:
    return choose_slice(
        found,
        among=sorted(found.locations),
        held=held,
        since=BEGAN,
        planned_at=NOW,
        room_bytes=room_bytes,
    )


@pytest.mark.parametrize(
    ("one", "waiting"),
    [
        (entry(BEGAN), False),
        (entry(BEGAN - MINUTE), True),
        (entry(BEGAN, refresh_from="P5"), True),
        (entry(None), True),
    ],
)
def test_a_location_waits_until_all_its_rows_have_gone_out_since_the_refresh_began(
    one: LocationEntry, waiting: bool
) -> None:
    assert waits(one, BEGAN) is waiting


def test_what_is_in_it_in_part_comes_first_and_then_what_has_waited_longest() -> None:
    found = manifest(
        A=entry(BEGAN - HOUR),
        B=entry(BEGAN - DAY),
        C=entry(BEGAN - HOUR, refresh_from="P5"),
        D=entry(None),
        E=entry(BEGAN),
    )

    slices = [chosen(found, room_bytes=number * 50 * ROWS) for number in range(1, 5)]

    assert slices == [{"C"}, {"C", "D"}, {"B", "C", "D"}, {"A", "B", "C", "D"}]


def test_what_cannot_be_read_or_is_held_takes_nobody_s_place() -> None:
    found = manifest(
        A=entry(BEGAN - DAY, as_of=NOW - UNREAD_FOR - MINUTE),
        B=entry(BEGAN - DAY),
        C=entry(BEGAN - HOUR),
    )

    assert chosen(found, held=frozenset({"B"}), room_bytes=50 * ROWS) == {"C"}


def test_a_slice_has_one_location_at_least_and_all_that_an_archive_has_begun_with() -> None:
    found = manifest(A=entry(None), B=entry(None))
    begun = manifest(A=entry(None, "P5"), B=entry(None, "P5"), C=entry(None))

    assert chosen(found, room_bytes=1) == {"A"}
    assert chosen(begun, room_bytes=1) == {"A", "B"}


def test_an_import_that_reads_a_part_of_all_chooses_among_more() -> None:
    names = [f"S{number}" for number in range(8)]
    read = {name: entry(None) for name in names[:2]}
    unread = {name: replace(entry(None), basis=Basis.ROLLED_FORWARD) for name in names[2:]}

    assert len(chosen(manifest(**read, **unread), room_bytes=50 * ROWS)) == 4


def test_progress_says_how_many_have_been_in_it_and_who_has_waited_longest() -> None:
    found = manifest(A=entry(BEGAN), B=entry(BEGAN + MINUTE), C=entry(BEGAN - DAY))

    progress = RefreshProgress.of(found, ["A", "B", "C"], NOW)

    assert (progress.refreshed, progress.locations, progress.done) == (2, 3, False)
    assert (progress.first, progress.oldest_at) == (0, BEGAN - DAY)
    assert (progress.rows_waiting, progress.time_left) == (ROWS, HOUR / 2)


def test_locations_that_no_import_has_brought_count_as_large_as_the_others() -> None:
    progress = RefreshProgress.of(manifest(A=entry(BEGAN)), ["A", "B", "C"], NOW)

    assert (progress.first, progress.rows_waiting, progress.oldest_at) == (2, 2 * ROWS, None)
    assert progress.time_left == 2 * HOUR


def test_a_slice_takes_a_run_however_soon_after_it_one_asks() -> None:
    found = manifest(A=entry(BEGAN), B=entry(None))

    soon = RefreshProgress.of(found, ["A", "B"], BEGAN + timedelta(seconds=20))

    assert soon.time_left == 5 * MINUTE


def test_nothing_is_known_of_the_pace_before_the_first_slice() -> None:
    assert RefreshProgress.of(manifest(A=entry(None)), ["A"], NOW).time_left is None
    assert RefreshProgress.of(Manifest(run_id="", cut_end=0), ["A"], NOW).time_left is None


def test_a_location_that_is_not_imported_any_more_does_not_count() -> None:
    progress = RefreshProgress.of(manifest(A=entry(BEGAN), B=entry(None)), ["A"], NOW)

    assert progress.done
    assert progress.time_left == timedelta(0)
