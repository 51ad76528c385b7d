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


OBJECTS = [
    b'{"a": 1}',
    b'{"note": "a}{b} {c", "items": [{"id": 1}, {"id": 2}]}',
    '{"ü": "}\ufeff{"}'.encode(),
]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
@pytest.mark.parametrize("between", [b"", b" ", b"\r", b"\t \t", b"\xef\xbb\xbf", b"\n", b"\r\n"])
def test_objects_without_newlines_between_them_are_lines(between: bytes, size: int) -> None:
    content = between.join(OBJECTS)

    lines = list(read_lines(pieces(content, size), 0))

    assert [line.body.strip(b"\xef\xbb\xbf") for line in lines] == OBJECTS
    assert [line.end for line in lines[:-1]] == [line.begin for line in lines[1:]]


@pytest.mark.parametrize("size", [1, 5, 100])
@pytest.mark.parametrize("between", [b"", b"\n"])
@pytest.mark.parametrize("broken", [b'{"a": tru}', b'{"a": "}', b"{", b"xx}", b'{"a": {"b": 1}'])
def test_what_is_broken_costs_only_itself(broken: bytes, between: bytes, size: int) -> None:
    """Without newlines it may cost the object after it too: nothing says where it ends."""
    good = [b'{"n": %d}' % number for number in range(20)]
    content = between.join([*good[:10], broken, *good[10:]])

    bodies = [line.body for line in read_lines(pieces(content, size), 0)]

    lost = [body for body in good if body not in bodies]
    assert lost == ([] if between else lost[:1])
    assert b"".join(bodies) == b"".join([*good[:10], broken, *good[10:]])


@given(
    st.lists(st.one_of(st.binary(max_size=30), st.text(alphabet='{}",a: ').map(str.encode))),
    st.integers(1, 40),
)
def test_reading_on_from_any_line_gives_the_rest(parts: list[bytes], size: int) -> None:
    content = b"\n".join(parts)
    lines = list(read_lines(pieces(content, size), 0))

    for number, line in enumerate(lines):
        rest = list(read_lines(pieces(content[line.end :], size), line.end))
        assert rest == lines[number + 1 :]


ARRAYS = [
    b"[\n%s,\n%s,\n%s\n]\n",
    b"[%s\n,%s\n,%s]",
    b"%s,\r\n%s , \r\n%s,\r\n",
    b"\x1e%s\n\x1e%s\n\x1e%s\n",
]


@pytest.mark.parametrize("size", [1, 2, 7, 100])
@pytest.mark.parametrize("array", ARRAYS, ids=["array", "commas_first", "commas", "separators"])
def test_what_frames_objects_over_lines_is_taken_off(array: bytes, size: int) -> None:
    bodies = [line.body for line in read_lines(pieces(array % tuple(OBJECTS), size), 0)]

    assert bodies == OBJECTS


@pytest.mark.parametrize("text", [b"[1, 2]", b'["a"],', b'{"a": [1, 2]', b'"a": 1},', b"x,"])
def test_what_is_no_object_is_left_as_it_stands(text: bytes) -> None:
    assert [line.body for line in read_lines([text], 0)] == [text]


def test_a_file_that_ends_in_a_newline_has_no_line_after_it() -> None:
    assert [line.end for line in read_lines([b"a\nb\n"], 0)] == [2, 4]
    assert list(read_lines([], 5)) == []


def test_a_line_that_is_too_long_is_cut_and_its_length_known() -> None:
    long = LINE_BYTES_MAX * 5
    chunks = (b"x" * 65_536 for _ in range(long // 65_536))

    first, second = read_lines([*chunks, b"\n", b"next"], 0)

    assert (len(first.body), first.length) == (LINE_BYTES_MAX, long)
    assert (second.body, second.begin) == (b"next", long + 1)
