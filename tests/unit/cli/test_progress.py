"""Progress is for who watches a terminal, and leaves nothing behind."""

from io import StringIO

from rich.console import Console

from cli.progress import progress


def shown(*, terminal: bool, kind: str = "xterm") -> str:
    written = StringIO()
    console = Console(file=written, force_terminal=terminal, width=100, _environ={"TERM": kind})
    with progress("reading the ERP", console) as line:
        line.done(3, 40)
        line.say("asking \x1b[2J NewStore [bold]")
        line.done(7, 5)
    return written.getvalue()


def test_a_terminal_shows_what_the_command_is_at_and_how_far() -> None:
    told = shown(terminal=True)

    assert "7 of 7" in told
    assert r"asking \x1b[2J NewStore [bold]" in told
    assert "0:00:00" in told


def test_the_line_is_gone_when_the_command_ends() -> None:
    erase_line = "\x1b[2K"

    assert shown(terminal=True).rstrip().endswith(erase_line)


def test_a_pipe_and_a_terminal_that_cannot_move_its_cursor_get_nothing() -> None:
    assert shown(terminal=False) == ""
    assert shown(terminal=True, kind="dumb") == ""
