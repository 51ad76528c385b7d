"""Lines are found however the pieces of a file fall, and a long one does not fill the memory."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory_sync.use_cases.ingest.export_lines import LINE_BYTES_MAX, read_lines

FILE = b'{"a": 1}\n\n  \r\n{"b": "\xc3\xbc"}\r\n{"c": 3}'


def pieces(content: bytes, size: int) -> Iterator[bytes]:
    return (content[at : at + size] for at in range(0, len(content), size))


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_lines_are_the_same_however_the_pieces_fall(size: int) -> None:
    lines = list(read_lines(pieces(FILE, size), 0))

    assert [line.body for line in lines] == [b'{"a": 1}', b'{"b": "\xc3\xbc"}', b'{"c": 3}']
    assert [FILE[line.begin : line.end].strip() for line in lines] == [x.body for x in lines]


@given(st.lists(st.binary(max_size=30)), st.integers(1, 40))
def test_reading_on_from_any_line_gives_the_rest(parts: list[bytes], size: int) -> None:
    content = b"\n".join(parts)
    lines = list(read_lines(pieces(content, size), 0))

    for number, line in enumerate(lines):
        rest = list(read_lines(pieces(content[line.end :], size), line.end))
        assert rest == lines[number + 1 :]


def test_a_file_that_ends_in_a_newline_has_no_line_after_it() -> None:
    assert [line.end for line in read_lines([b"a\nb\n"], 0)] == [2, 4]
    assert list(read_lines([], 5)) == []


def test_a_line_that_is_too_long_is_cut_and_its_length_known() -> None:
    long = LINE_BYTES_MAX * 5
    chunks = (b"x" * 65_536 for _ in range(long // 65_536))

    first, second = read_lines([*chunks, b"\n", b"next"], 0)

    assert (len(first.body), first.length) == (LINE_BYTES_MAX, long)
    assert (second.body, second.begin) == (b"next", long + 1)
