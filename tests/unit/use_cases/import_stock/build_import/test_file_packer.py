"""Files: which rows go with which range."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from inventory_sync.domain.availabilities import FileHead, RowBlock
from inventory_sync.domain.cut import LogicalRange
from inventory_sync.domain.row_selection import Selection
from inventory_sync.use_cases.import_stock.build_import.file_packer import FilePacker
from tests.builders import DC, STORE, location

LARGE = 16_000_000


class Written:
    """What an archive was given."""

    def __init__(self) -> None:
        self.files: dict[int, tuple[tuple[int, int], int]] = {}
        self.nodes: dict[int, list[str]] = {}
        self.opened = self.whole = False

    @contextmanager
    def archive(self) -> Iterator[Any]:
        self.opened = True
        yield self
        self.whole = True

    def add_file(self, number: int, head: FileHead, blocks: Iterable[RowBlock]) -> None:
        rows = sum(block.encoded.count(b"{") for block in blocks)
        self.files[number] = ((head.released.start, head.released.end), rows)
        self.nodes[number] = [place.location_id for place in head.locations]


def selection(touched: int = 0, others: int = 0) -> Selection:
    return Selection(
        {f"T{n}": n for n in range(touched)}, {f"O{n:06d}": n for n in range(others)}, {}, 0
    )


def pack(
    *parts: tuple[str, Selection, LogicalRange], point: int = 9, file_bytes: int = LARGE
) -> Written:
    written = Written()
    with FilePacker(written.archive(), released_up_to=point, file_bytes=file_bytes) as packer:
        for place, rows, released in parts:
            packer.add(location(place), rows, released)
        packer.finish()
    assert packer.files == len(written.files)
    return written


def test_what_fits_goes_into_one_file() -> None:
    written = pack((DC, selection(2, 3), LogicalRange(9, 12)))

    assert written.files == {1: ((9, 12), 5)}
    assert written.whole


def test_what_does_not_fit_follows_with_a_point_that_is_released_already() -> None:
    written = pack((DC, selection(2, 3), LogicalRange(9, 12)), file_bytes=1)

    assert written.files == {1: ((9, 12), 2), 2: ((9, 9), 3)}


def pack_spare(*spares: dict[str, int]) -> tuple[FilePacker, Written]:
    """A range without rows over locations that have a row to spare, or none."""
    written = Written()
    with FilePacker(written.archive(), released_up_to=9) as packer:
        for number, spare in enumerate(spares):
            packer.add(location(f"L{number}"), selection(), LogicalRange(9, 12), spare)
        packer.finish()
    return packer, written


def test_a_range_without_rows_goes_with_the_first_row_that_can_be_spared() -> None:
    packer, written = pack_spare({}, {"A": 7}, {"B": 8})

    assert written.files == {1: ((9, 12), 1)}
    assert written.nodes == {1: ["L1"]}
    assert (packer.rows, packer.unreleased) == (1, False)


def test_a_range_that_no_row_can_go_with_is_not_released() -> None:
    packer, written = pack_spare({}, {})

    assert (written.files, packer.unreleased) == ({}, True)


def test_rows_of_other_files_are_not_repeated_for_the_range() -> None:
    many = selection(0, 40_001)
    written = pack((DC, many, LogicalRange(9, 12)), file_bytes=1)

    assert written.files == {2: ((9, 9), 20_000), 3: ((9, 9), 20_000), 1: ((9, 12), 1)}


def test_without_rows_and_releases_there_is_no_archive() -> None:
    written = pack((DC, selection(), LogicalRange(9, 9)))

    assert written.files == {}
    assert not written.opened


def test_rows_that_release_nothing_carry_the_point() -> None:
    assert pack((DC, selection(0, 2), LogicalRange(9, 9))).files == {1: ((9, 9), 2)}


def test_the_tenants_range_reaches_over_those_of_all_its_locations() -> None:
    written = pack(
        (DC, selection(1), LogicalRange(9, 12)),
        (STORE, selection(1), LogicalRange(4, 12)),
        ("PAR", selection(0, 1), LogicalRange(9, 12)),
    )

    assert written.files == {1: ((4, 12), 3)}
    assert written.nodes == {1: [DC, STORE, "PAR"]}


def test_a_location_with_more_rows_than_a_file_takes_has_several() -> None:
    written = pack((DC, selection(1, 50_000), LogicalRange(9, 12)), file_bytes=1)

    assert written.files == {
        1: ((9, 12), 1),
        2: ((9, 9), 20_000),
        3: ((9, 9), 20_000),
        4: ((9, 9), 10_000),
    }


def test_nothing_is_kept_of_an_archive_that_broke() -> None:
    written = Written()

    def break_off() -> None:
        with FilePacker(written.archive(), released_up_to=0, file_bytes=1) as packer:
            packer.add(location(), selection(0, 20_001), LogicalRange(0, 1))
            raise LookupError

    with pytest.raises(LookupError):
        break_off()
    assert written.opened
    assert not written.whole
