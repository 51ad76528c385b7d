"""What a command says: text for people, or one JSON object for scripts.

Text shows data as it is, but for characters that a terminal would obey or not show: `visible`.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import IntEnum

import click
from rich.console import Console
from rich.table import Table

from cli.text import cell, heading, plain, visible


class ExitCode(IntEnum):
    """How a command ended; docs/commands.md has the table."""

    DONE = 0
    REFUSED = 1
    USAGE = 2
    """click's own, for words that it does not understand."""
    TROUBLE = 3
    FOUND = 4


@dataclass(frozen=True, slots=True)
class Problem:
    """Why something is refused and what to do; `line` is 0 where it is about no line."""

    line: int
    column: str
    text: str

    def __str__(self) -> str:
        place = f"line {self.line}, {self.column}: " if self.line else ""
        return place + self.text


class RefusedError(Exception):
    """Nothing was written."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = problems


def refusal(*texts: str) -> RefusedError:
    """About no particular line."""
    return RefusedError(*(Problem(0, "", text) for text in texts))


class Output:
    """The result goes to standard output, and so does a refusal as JSON. A text is one line."""

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json

    def note(self, *lines: str) -> None:
        """For people only, before the result."""
        if not self._as_json:
            _echo(*lines)

    def result(self, figures: Mapping[str, object], *lines: str) -> None:
        """`figures` as JSON, or `lines` for people."""
        if self._as_json:
            click.echo(json.dumps(figures, indent=2, sort_keys=True, default=plain))
        else:
            _echo(*lines)

    def table(self, name: str, rows: Sequence[Mapping[str, object]], empty: str) -> None:
        """Rows under their columns' names; `empty` where there is none."""
        self.report({name: list(rows)}, columns(rows) if rows else empty)

    def report(self, figures: Mapping[str, object], *parts: Table | str) -> None:
        """`figures` as JSON, or lines and tables for people; plain where no terminal reads it."""
        if self._as_json:
            self.result(figures)
            return
        for part in parts:
            if isinstance(part, str):
                _echo(part)
            else:
                click.echo("\n".join(line.rstrip() for line in _rendered(part).splitlines()))

    def found(self) -> None:
        """The exit code says that something needs looking at."""
        raise click.exceptions.Exit(ExitCode.FOUND)

    def refused(self, problems: Sequence[Problem]) -> None:
        """Each with its remedy."""
        if self._as_json:
            self.result({"refused": [asdict(problem) for problem in problems]})
            return
        _echo(*map(str, problems), "Nothing was written.", err=True)

    def failed(self, text: str) -> None:
        """One line."""
        if self._as_json:
            self.result({"failed": text})
        else:
            _echo(text, err=True)


def columns(rows: Sequence[Mapping[str, object]], *, right: Sequence[str] = ()) -> Table:
    """A table; numbers stand to the right, and so do the columns named in `right`."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in rows[0]:
        figures = name in right or all(isinstance(row[name], int | float) for row in rows)
        table.add_column(heading(name), justify="right" if figures else "left", overflow="fold")
    for row in rows:
        add_row(table, *row.values())
    return table


def add_row(table: Table, *values: object) -> None:
    """Each as a cell shows it."""
    table.add_row(*(visible(cell(value)) for value in values))


def _echo(*lines: str, err: bool = False) -> None:
    for line in lines:
        click.echo(visible(line).rstrip(), err=err)


def _rendered(table: Table) -> str:
    """Without emoji: `:key:` stands in names of AWS."""
    width = None if sys.stdout.isatty() else 500
    console = Console(highlight=False, markup=False, emoji=False, soft_wrap=True, width=width)
    with console.capture() as captured:
        console.print(table)
    return captured.get()
