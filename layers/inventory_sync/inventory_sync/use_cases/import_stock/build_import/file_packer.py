"""Pack rows into files so that no release stands in a file without its rows, and into an archive
that is not larger than NewStore takes."""

from collections.abc import Iterator, Mapping, Set
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from itertools import islice
from types import MappingProxyType, TracebackType
from typing import Self

from inventory_sync.domain.availabilities import FileHead, RowBlock, encode_rows, row_bytes_max
from inventory_sync.domain.cut import LogicalRange
from inventory_sync.domain.locations import Location
from inventory_sync.domain.row_selection import Selection
from inventory_sync.ports.files import ArchiveWriter

CHUNK_ROWS = 20_000
"""With the longest ids a chunk still fits a file that is almost full."""
FILE_BYTES = 8_000_000
"""Where a file of rows that release nothing is full: memory holds one such file."""
CHANGES_SHARE = 0.2
"""Of an archive: kept free of rows that are only repeated, for changes at locations read later."""
ARCHIVE_BYTES = 78_000_000
"""Of all rows of an archive, uncompressed: with the heads of its files it stays below NewStore's
80 MB (docs/newstore.md, Import)."""


@dataclass
class _Rows:
    """Rows of one file being collected."""

    blocks: list[RowBlock] = field(default_factory=list)
    locations: dict[str, Location] = field(default_factory=dict)
    size: int = 0

    def add(self, location: Location, rows: Mapping[str, int]) -> int:
        """Units by product; returns how many bytes they take."""
        self.locations[location.fulfillment_node_id] = location
        block = encode_rows(location.fulfillment_node_id, rows)
        self.blocks.append(block)
        self.size += len(block.encoded)
        return len(block.encoded)

    def take(self, other: "_Rows") -> None:
        """Add another file's rows."""
        self.blocks += other.blocks
        self.locations |= other.locations
        self.size += other.size


class FilePacker:
    """Writes the archive of one run while locations are added, until `finish`.

    The file that releases events has the number 1, and all rows its events touched. Files that
    release nothing carry the range of one point, `released_up_to`, which is already released, so
    that NewStore may take the files in any order.
    """

    def __init__(
        self,
        archive: AbstractContextManager[ArchiveWriter],
        *,
        released_up_to: int,
        file_bytes: int = FILE_BYTES,
        archive_bytes: int = ARCHIVE_BYTES,
    ) -> None:
        self._archive = archive
        self._point = LogicalRange(released_up_to, released_up_to)
        self._file_bytes = file_bytes
        self._archive_bytes = archive_bytes
        self._reserved = 0
        self._full = self._refresh_full = False
        self._stack = ExitStack()
        self._writer: ArchiveWriter | None = None
        self._spare: tuple[Location, Mapping[str, int]] | None = None
        self._released: LogicalRange | None = None
        self._touched = _Rows()
        self._others = _Rows()
        self._next_number = 2
        self.rows = 0
        self.files = 0
        self.bytes = 0
        self.spare_sent = False
        """The row to spare has gone out, since the range had no other."""
        self.unreleased = False
        """There was a range, and no row at all that could have gone with it."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """The archive is there only if the block ended without an error."""
        self._stack.__exit__(kind, error, trace)

    def reserve(self, touched_bytes: int) -> None:
        """Keep room for rows that have to go out with the range, of locations not yet added."""
        self._reserved = touched_bytes

    @property
    def wants_spare(self) -> bool:
        """Whether no location has given a row to spare yet."""
        return self._spare is None

    @property
    def full(self) -> bool:
        """Whether no further row goes in but those that a range needs."""
        return self._full

    @property
    def refresh_full(self) -> bool:
        """Whether no further row goes in that is only repeated, or sent for the first time."""
        return self._full or self._refresh_full

    def add(
        self,
        location: Location,
        selection: Selection,
        released: LogicalRange,
        spare: Mapping[str, int] = MappingProxyType({}),
    ) -> frozenset[str]:
        """The rows of a location; `released` is the range its touched rows have to come with.

        `spare` is a row that is not among them, and sent only where the range has no row at all:
        NewStore takes no file without rows.
        Returns the products whose rows have no room any more: of those that have changed the last
        ones, and of those that are only repeated all from one on. Touched rows always go in.
        """
        if spare and self._spare is None:
            self._spare = location, spare
        if released.releases:
            self._widen(released)
        if selection.touched:
            size = self._touched.add(location, selection.touched)
            self.bytes += size
            self._reserved = max(0, self._reserved - size)
            self.rows += len(selection.touched)
        left: set[str] = set()
        for rows in _chunks(selection.changed):
            left |= self._add_others(location, rows, self._room if not self._full else 0)
        self._full = self._full or bool(left)
        for rows in _chunks(selection.refreshed):
            room = self._room - int(self._archive_bytes * CHANGES_SHARE)
            without_room = self._add_others(location, rows, 0 if self.refresh_full else room)
            self._refresh_full = self._refresh_full or bool(without_room)
            left |= without_room
        return frozenset(left)

    @property
    def _room(self) -> int:
        return self._archive_bytes - self.bytes - self._reserved

    def _add_others(self, location: Location, rows: Mapping[str, int], room: int) -> Set[str]:
        """As many of the rows as there is room for; returns the products of the others."""
        fitting = self._fitting(location, rows, room)
        if fitting:
            # Before the rows are added, so that some are left for the file of a range.
            if self._others.size > self._file_bytes:
                self._flush_others()
            self.bytes += self._others.add(location, fitting)
            self.rows += len(fitting)
        return rows.keys() - fitting.keys()

    def _fitting(self, location: Location, rows: Mapping[str, int], room: int) -> Mapping[str, int]:
        """The first rows, as far as there is room; one at least goes into each archive."""
        longest = max(map(len, rows))
        if len(rows) * row_bytes_max(location.fulfillment_node_id, longest) <= room:
            return rows
        fitting: dict[str, int] = {}
        for product, units in rows.items():
            room -= len(encode_rows(location.fulfillment_node_id, {product: units}).encoded) + 2
            if room < 0 and self.rows + len(fitting):
                break
            fitting[product] = units
        return fitting

    def finish(self) -> None:
        """Write what is still held; one file where everything fits one."""
        fits_one = self._touched.size + self._others.size <= self._file_bytes
        if fits_one or not self._touched.blocks:
            self._touched.take(self._others)
            self._others = _Rows()
        self._flush_others()
        if self._released is not None and not self._touched.blocks and self._spare is not None:
            location, row = self._spare
            self.rows += len(row)
            self._touched.add(location, row)
            self.spare_sent = True
        if self._touched.blocks:
            self._write(1, self._touched, self._released)
        elif self._released is not None:
            self.unreleased = True

    def _widen(self, released: LogicalRange) -> None:
        """The run's range reaches over those of all its locations."""
        known = self._released or released
        start, end = min(known.start, released.start), max(known.end, released.end)
        self._released = LogicalRange(start, end)

    def _flush_others(self) -> None:
        if self._others.blocks:
            self._write(self._next_number, self._others, None)
            self._next_number += 1
            self._others = _Rows()

    def _write(self, number: int, collected: _Rows, released: LogicalRange | None) -> None:
        if self._writer is None:
            self._writer = self._stack.enter_context(self._archive)
        head = FileHead(
            locations=tuple(collected.locations.values()),
            released=released or self._point,
        )
        self._writer.add_file(number, head, sorted(collected.blocks, key=_node))
        self.files += 1


def _chunks(rows: Mapping[str, int]) -> Iterator[Mapping[str, int]]:
    """The rows themselves where they are few enough; none where there are none."""
    if 0 < len(rows) <= CHUNK_ROWS:
        yield rows
        return
    left = iter(rows.items())
    while chunk := dict(islice(left, CHUNK_ROWS)):
        yield chunk


def _node(block: RowBlock) -> str:
    return block.fulfillment_node_id
