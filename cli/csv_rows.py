"""CSV files with a header, as spreadsheets write them; every problem in them is found at once."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from cli.output import Problem, RefusedError
from inventory_sync.adapters.csv_text import DELIMITERS, decoded, delimiter_of, plain, shown
from inventory_sync.domain.ids import ID_CHARACTERS_MAX, UNUSABLE

if TYPE_CHECKING:
    from _csv import Reader

ROWS_MAX = 1_000_000


@dataclass(frozen=True, slots=True)
class Row:
    """A line's cells by column; a column the file does not have is empty."""

    line: int
    cells: Mapping[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells.get(column, "")

    def names(self, column: str) -> bool:
        """Whether the line has a cell of that column, be it empty."""
        return column in self.cells


@dataclass(frozen=True, slots=True)
class Problems:
    """What is found wrong while a file is read."""

    found: list[Problem] = field(default_factory=list)

    def add(self, line: int, column: str, text: str) -> None:
        """`text` says what is wrong and what to do."""
        self.found.append(Problem(line, column, text))

    def refuse(self) -> None:
        """RefusedError, in the order of the lines, if there is any."""
        if self.found:
            raise RefusedError(*sorted(self.found, key=lambda problem: problem.line))

    def check_id(self, row: Row, column: str, value: str) -> None:
        """What an event may have is taken as it stands, blanks around it too."""
        if not value:
            self.add(row.line, column, "is empty; fill it in")
        elif UNUSABLE.search(value):
            self.add(row.line, column, f"{value!r} has control characters; remove them")
        elif len(value) > ID_CHARACTERS_MAX:
            self.add(row.line, column, f"is longer than {ID_CHARACTERS_MAX} characters; shorten it")

    def check_unique(self, column: str, owners: dict[str, str], row: Row, value: str) -> None:
        """`owners` says who has a value; it grows."""
        if not value:
            return
        owner = owners.setdefault(value, f"line {row.line}")
        if owner != f"line {row.line}":
            self.add(row.line, column, f"{value!r} is that of {owner} already; each has its own")


def read_rows(path: Path, *, required: Sequence[str], optional: Sequence[str]) -> list[Row]:
    """The file's rows without empty lines; RefusedError where it is not such a table."""
    problems = Problems()
    try:
        text = decoded(path.read_bytes())
        first = text.partition("\n")[0]
        said = delimiter_of(first)
        lines = io.StringIO(text[len(first) + 1 :] if said else text, newline="")
        reader = csv.reader(lines, delimiter=said or _guessed(first), strict=True)
        rows = list(_rows(reader, 1 if said else 0, required, optional, problems))
    except UnicodeError as error:
        problems.add(1, "file", "is not UTF-8; save it as CSV UTF-8")
        raise RefusedError(*problems.found) from error
    except csv.Error as error:
        problems.add(1, "file", f"is not CSV ({error}); save it as CSV with commas")
        raise RefusedError(*problems.found) from error
    problems.refuse()
    return rows


def _guessed(header: str) -> str:
    """The sign that parts most headers; ids stand in the lines below, and count for nothing."""
    return max(DELIMITERS, key=header.count)


def _rows(
    reader: "Reader",
    before: int,
    required: Sequence[str],
    optional: Sequence[str],
    problems: Problems,
) -> Iterator[Row]:
    """`before` lines stand above the header."""
    known = {plain(name): name for name in (*required, *optional)}
    header = [known.get(plain(name), name.strip()) for name in next(reader, [])]
    _check_header(header, required, optional, problems)
    if problems.found:
        return
    for cells in reader:
        line = reader.line_num + before
        if len(cells) > len(header) and any(cells[len(header) :]):
            problems.add(line, "row", "has more cells than the header; quote commas")
        if any(cell.strip() for cell in cells):
            yield Row(line, dict(zip(header, cells, strict=False)))
        if line > ROWS_MAX:
            problems.add(line, "file", f"has over {ROWS_MAX} lines; split it")
            return


def _check_header(
    header: list[str], required: Sequence[str], optional: Sequence[str], problems: Problems
) -> None:
    allowed = ", ".join([*required, *optional])
    expected = f"the first line has to name: {allowed}; it names {shown(header)}"
    for name in required:
        if name not in header:
            problems.add(1, name, f"the column is missing; {expected}")
    for name in sorted(set(header) - {*required, *optional}):
        problems.add(1, name or "header", f"is no column; allowed with commas between: {allowed}")
    for name in sorted({name for name in header if header.count(name) > 1}):
        problems.add(1, name, "the column stands there twice; remove one")
