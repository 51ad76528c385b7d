"""A file's rows by its headers: all of them or an error, or each by itself."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from inventory_sync.adapters.csv_text import delimiter_of, optional_places, places, shown
from inventory_sync.domain.errors import SnapshotIncompleteError

_BLANK_BEGINS = ("", " ", "\t", "\xa0", "\x1a")
LINES_OF_A_ROW_MAX = 20
"""A quote that is not closed within so many lines is a fault of the line in which it opens."""


@dataclass(frozen=True, slots=True)
class BadRow:
    """`first` is its value of the first column that was asked for, empty where it has none."""

    line: int
    first: str
    fault: str


@dataclass(frozen=True, slots=True)
class GoodRow:
    """The values of the columns; empty for one that the file does not have."""

    line: int
    values: list[str]


def all_rows(
    name: str, lines: Iterable[str], delimiter: str, columns: Sequence[str], keys: int = 0
) -> Iterator[tuple[int, str, list[str]]]:
    """Each row's line, what is wrong with it, if anything, and its values.

    Memory does not grow with the file. The first `keys` of the columns say what a row is of. One
    with more or fewer fields than headers is wrong, and only its keys are given: where they are the
    file's first columns nothing can have moved them. Where they are not, or it is the last row (the
    file may have been cut off), or anything else is not of the form: SnapshotIncompleteError.
    """
    delimiter, skipped, lines = _begin(lines, delimiter)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    try:
        head = next(reader, [])
        try:
            found = places(head, columns, delimiter)
        except ValueError as error:
            raise SnapshotIncompleteError(f"{name}: {error}") from None
        told = keys > 0 and sorted(found[:keys]) == list(range(keys))
        wrong: tuple[int, str, list[str]] | None = None
        for row in reader:
            if not row or (row[0][:1] in _BLANK_BEGINS and _is_blank(row)):
                continue
            if wrong:
                yield wrong
            line, wrong = reader.line_num + skipped, None
            if len(row) == len(head):
                yield line, "", [row[place].strip() for place in found]
                continue
            fault = f"{len(row)} fields under {len(head)} headers ({shown(head)})"
            wrong = line, fault, [_at(row, place) for place in found[:keys]]
            if not told or not all(wrong[2]):
                break
        if wrong:
            raise SnapshotIncompleteError(f"{name} line {wrong[0]}: {wrong[1]}")
    except (UnicodeError, csv.Error) as error:
        line = reader.line_num + skipped
        raise SnapshotIncompleteError(f"{name} after line {line}: {error}") from error


def each_row(
    lines: Iterable[str], delimiter: str, required: Sequence[str], optional: Sequence[str]
) -> Iterator[GoodRow | BadRow]:
    """What is wrong with a row is said of that row; ValueError where there is no such table."""
    delimiter, skipped, lines = _begin(lines, delimiter)
    records = _records(lines, delimiter, skipped)
    _, head = next(records, (0, []))
    if isinstance(head, str):
        raise ValueError(f"its header: {head}")
    found = [*places(head, required, delimiter), *optional_places(head, optional)]
    for line, row in records:
        if isinstance(row, str):
            yield BadRow(line, "", row)
        elif not _is_blank(row):
            yield _row(line, row, len(head), found)


def _row(line: int, row: list[str], width: int, found: Sequence[int | None]) -> GoodRow | BadRow:
    """One that is too short lacks its last values; too long is what would be guessed."""
    values = [_at(row, place) for place in found]
    if any(value.strip() for value in row[width:]):
        return BadRow(line, values[0], f"{len(row)} fields under {width} headers")
    return GoodRow(line, values)


def _is_blank(row: list[str]) -> bool:
    """As spreadsheets write below a table; Ctrl-Z is how DOS ends a text."""
    return not "".join(row).replace("\x1a", "").strip()


def _at(row: list[str], place: int | None) -> str:
    return row[place].strip() if place is not None and place < len(row) else ""


def _begin(lines: Iterable[str], delimiter: str) -> tuple[str, int, Iterator[str]]:
    """The delimiter, how many lines stand before the header, and the lines from there on."""
    rest = iter(lines)
    first = next(rest, "")
    if said := delimiter_of(first):
        return said, 1, rest
    return delimiter, 0, chain([first], rest)


def _records(
    lines: Iterator[str], delimiter: str, skipped: int
) -> Iterator[tuple[int, list[str] | str]]:
    """The line in which a record begins, and its fields, or what is wrong with it."""
    waiting: list[str] = []
    number = skipped + 1
    for line in lines:
        waiting.append(line)
        while waiting and (_closed(waiting) or len(waiting) > LINES_OF_A_ROW_MAX):
            record, taken = _first(waiting, delimiter)
            yield number, record
            number += taken
            del waiting[:taken]
    for later, line in enumerate(waiting):
        yield number + later, _record(line, delimiter)


def _closed(lines: list[str]) -> bool:
    return sum(line.count('"') for line in lines) % 2 == 0


def _first(lines: list[str], delimiter: str) -> tuple[list[str] | str, int]:
    """All of them where they are one record, else the first alone; and how many were taken."""
    if len(lines) > 1 and _closed(lines):
        record = _record("".join(lines), delimiter)
        if not isinstance(record, str):
            return record, len(lines)
    return _record(lines[0], delimiter), 1


def _record(text: str, delimiter: str) -> list[str] | str:
    try:
        return next(csv.reader([text], delimiter=delimiter, strict=True), [])
    except csv.Error as error:
        return str(error)
