"""Files: every row once, and no release without the rows it needs."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from inventory_sync.domain.availabilities import FileHead, RowBlock, encode_rows
from inventory_sync.domain.cut import LogicalRange
from inventory_sync.domain.locations import Location
from inventory_sync.domain.row_selection import Selection
from inventory_sync.use_cases.import_stock.build_import.file_packer import FilePacker
from tests.builders import location

POINT = 9
"""Up to here everything is released already."""


@dataclass(frozen=True)
class Part:
    """What one location adds."""

    place: Location
    selection: Selection
    start: int
    end: int
    spare: dict[str, int] = field(default_factory=dict)

    def rows(self) -> Iterator[str]:
        yield from (self.row(p, q) for p, q in self.selection.touched.items())
        yield from (self.row(p, q) for p, q in self.selection.changed.items())

    def spare_rows(self) -> list[str]:
        return [self.row(p, q) for p, q in self.spare.items()]

    def touched_rows(self) -> list[str]:
        return [self.row(p, q) for p, q in self.selection.touched.items()]

    def row(self, product: str, quantity: int) -> str:
        return encode_rows(self.place.fulfillment_node_id, {product: quantity}).encoded.decode()


@dataclass
class Archive:
    """What was written, by file number."""

    files: dict[int, tuple[FileHead, list[str]]] = field(default_factory=dict)
    whole: bool = False

    @contextmanager
    def opened(self) -> Iterator["Archive"]:
        yield self
        self.whole = True

    def add_file(self, number: int, head: FileHead, blocks: Iterable[RowBlock]) -> None:
        assert number not in self.files
        found = list(blocks)
        nodes = [block.fulfillment_node_id for block in found]
        assert nodes == sorted(nodes)
        lines = b",\n".join(block.encoded for block in found if block.encoded).decode()
        self.files[number] = (head, lines.split(",\n") if lines else [])

    def all_rows(self) -> list[str]:
        return sorted(row for _, rows in self.files.values() for row in rows)


rows = st.dictionaries(st.sampled_from([f"P{n}" for n in range(8)]), st.integers(0, 99))


@st.composite
def parts(draw: st.DrawFn) -> list[Part]:
    """All have one end; a late event starts a range below what is released already."""
    end = POINT + draw(st.integers(0, 5))
    found = []
    for number in range(draw(st.integers(0, 4))):
        touched, others = draw(rows), draw(rows)
        others = {product: units for product, units in others.items() if product not in touched}
        start = POINT - draw(st.sampled_from((0, 0, 3)))
        selection = Selection(touched, others, {}, 0)
        spare = draw(st.sampled_from(({}, {"SPARE": 7})))
        found.append(Part(location(f"L{number}"), selection, start, end, spare))
    return found


file_bytes = st.sampled_from((1, 200, 600, 16_000_000))


def pack(parts: list[Part], file_bytes: int) -> Archive:
    archive = Archive()
    with FilePacker(archive.opened(), released_up_to=POINT, file_bytes=file_bytes) as packer:
        for part in parts:
            released = LogicalRange(part.start, part.end)
            packer.add(part.place, part.selection, released, part.spare)
        packer.finish()
    assert packer.files == len(archive.files)
    assert packer.rows == len(archive.all_rows())
    assert archive.whole is bool(archive.files)
    assert packer.unreleased is (releases(parts) and not sent_rows(parts))
    return archive


def releases(parts: list[Part]) -> bool:
    return any(part.end > part.start for part in parts)


def sent_rows(parts: list[Part]) -> list[str]:
    """All that are to be sent; where there are none, one to spare for the range."""
    found = [row for part in parts for row in part.rows()]
    if not found and releases(parts):
        found = next((part.spare_rows() for part in parts if part.spare), [])
    return sorted(found)


def check_files(archive: Archive, parts: list[Part]) -> None:
    assert archive.all_rows() == sent_rows(parts)
    owner = {
        row: part.place.location_id for part in parts for row in (*part.rows(), *part.spare_rows())
    }
    for head, found in archive.files.values():
        assert found, "NewStore takes no file without rows"
        named = {place.location_id for place in head.locations}
        assert {owner[row] for row in found} <= named


@given(parts(), file_bytes)
def test_all_touched_rows_are_in_the_one_file_that_releases(
    parts: list[Part], file_bytes: int
) -> None:
    archive = pack(parts, file_bytes)

    check_files(archive, parts)
    spans = [(part.start, part.end) for part in parts if part.end > part.start]
    releasing = [number for number, (head, _) in archive.files.items() if head.released.releases]
    assert releasing == ([1] if spans and sent_rows(parts) else [])
    if releasing:
        head, _ = archive.files[1]
        start, end = min(start for start, _ in spans), max(end for _, end in spans)
        assert head.released == LogicalRange(start, end)
    touched = {row for part in parts for row in part.touched_rows()}
    assert touched <= set(archive.files[1][1] if 1 in archive.files else ())
    for number, (head, _) in archive.files.items():
        if number not in releasing:
            assert head.released == LogicalRange(POINT, POINT)


@given(parts(), file_bytes)
def test_what_is_written_is_always_the_same(parts: list[Part], file_bytes: int) -> None:
    first, second = (pack(parts, file_bytes) for _ in range(2))

    assert first.files == second.files


@given(parts())
def test_where_all_rows_fit_one_file_there_is_no_other(parts: list[Part]) -> None:
    assert len(pack(parts, 16_000_000).files) <= 1
