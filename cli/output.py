"""What a command says: text for people, or one JSON object for scripts."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import click
from rich.console import Console
from rich.table import Table

EXIT_FOUND = 4


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


def refusal(text: str) -> RefusedError:
    """About no particular line."""
    return RefusedError(Problem(0, "", text))


class Output:
    """The result goes to standard output, and so does a refusal as JSON."""

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json

    def result(self, figures: Mapping[str, object], *lines: str) -> None:
        """`figures` as JSON, or `lines` for people."""
        if self._as_json:
            click.echo(json.dumps(figures, indent=2, sort_keys=True))
        else:
            for line in lines:
                click.echo(line)

    def table(self, name: str, rows: Sequence[Mapping[str, str]], empty: str) -> None:
        """Rows under their columns' names; `empty` where there is none."""
        self.report({name: list(rows)}, columns(rows) if rows else empty)

    def report(self, figures: Mapping[str, object], *parts: Table | str) -> None:
        """`figures` as JSON, or text and tables for people; plain where no terminal reads it."""
        if self._as_json:
            self.result(figures)
            return
        terminal = sys.stdout.isatty()
        console = Console(
            highlight=False, markup=False, soft_wrap=True, width=None if terminal else 500
        )
        with console.capture() as captured:
            for part in parts:
                console.print(part)
        for line in captured.get().splitlines():
            click.echo(line.rstrip())

    def found(self) -> None:
        """The exit code says that something needs looking at."""
        raise click.exceptions.Exit(EXIT_FOUND)

    def refused(self, problems: Sequence[Problem]) -> None:
        """Each with its remedy."""
        if self._as_json:
            self.result({"refused": [asdict(problem) for problem in problems]})
            return
        for problem in problems:
            click.echo(str(problem), err=True)
        click.echo("Nothing was written.", err=True)

    def failed(self, text: str) -> None:
        """One line."""
        if self._as_json:
            self.result({"failed": text})
        else:
            click.echo(text, err=True)


def columns(rows: Sequence[Mapping[str, str]], *, right: Sequence[str] = ()) -> Table:
    """A table; the columns named in `right` are figures."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in rows[0]:
        table.add_column(name, justify="right" if name in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*row.values())
    return table
