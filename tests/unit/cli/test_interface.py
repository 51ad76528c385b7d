"""The words and options of every command are as `interface.txt` has them: scripts rely on them.

Where a change is meant: copy build/interface.txt over it, and read the difference.
"""

from collections.abc import Iterator
from pathlib import Path

import click
from click.testing import CliRunner

from cli.main import main
from local.template import ROOT
from tests.unit.cli.test_command import COMMANDS

WRITTEN = Path(__file__).with_name("interface.txt")
NOW = ROOT / "build" / "interface.txt"
KEPT = (
    "default", "required", "nargs", "multiple", "is_flag", "flag_value", "count", "envvar",
    "prompt", "hidden", "confirmation_prompt", "secondary_opts",
)  # fmt: skip


def interface() -> Iterator[str]:
    yield helped()
    for path, command in sorted(COMMANDS.items()):
        yield helped(*path.split())
        yield "\n".join(f"{parameter.name}: {told(parameter)}" for parameter in command.params)


def helped(*path: str) -> str:
    found = CliRunner().invoke(main, [*path, "--help"], terminal_width=100)
    assert found.exit_code == 0
    return found.output.rstrip()


def told(parameter: click.Parameter) -> str:
    """What is set of it, as far as it is plain."""
    values = {name: getattr(parameter, name, None) for name in KEPT}
    values["type"] = getattr(parameter.type, "choices", None) or parameter.type.name
    words = [f"{name}={value!r}" for name, value in sorted(values.items()) if plain(value)]
    return ", ".join([*parameter.opts, *words])


def plain(value: object) -> bool:
    return bool(value) and isinstance(value, str | int | float | tuple)


def test_every_command_has_the_words_and_options_that_are_written_down() -> None:
    now = "\n\n".join(interface()) + "\n"

    NOW.parent.mkdir(exist_ok=True)
    NOW.write_text(now, "utf-8")
    assert now == WRITTEN.read_text("utf-8"), f"see {NOW.name}"
