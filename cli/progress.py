"""How far a long command is: on a terminal, in one line of standard error.

Where no terminal reads it nothing is written: a pipe or a log gets the result alone.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress as Line
from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

from cli.text import visible


class Progress:
    """One line; `done` may be called from any thread."""

    def __init__(self, line: Line, what: str) -> None:
        self._line = line
        self._task = line.add_task(visible(what), total=None, figures="")

    def say(self, what: str) -> None:
        """What the command is at now."""
        self._line.update(self._task, description=visible(what), figures="")

    def done(self, count: int, total: int) -> None:
        """How many of how many are done; more than were expected is all of them."""
        self._line.update(self._task, figures=f"{count} of {max(count, total)}")


@contextmanager
def progress(what: str, console: Console | None = None) -> Iterator[Progress]:
    """Shows `what`, how far it is and for how long, until the block ends; then it is gone."""
    console = console or Console(stderr=True)
    line = Line(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        TextColumn("{task.fields[figures]}", markup=False),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal or console.is_dumb_terminal,
    )
    with line:
        yield Progress(line, what)
