"""What a command says: text for people, or one JSON object for scripts."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import click


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
        lines = _columns(rows) if rows else [empty]
        self.result({name: list(rows)}, *lines)

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


def _columns(rows: Sequence[Mapping[str, str]]) -> list[str]:
    names = list(rows[0])
    widths = [max(len(name), *(len(row[name]) for row in rows)) for name in names]
    texts = [names, *([row[name] for name in names] for row in rows)]
    return ["  ".join(map(str.ljust, text, widths)).rstrip() for text in texts]
