"""What a check says mends it is there: every command, every page and its section."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from local.template import ROOT
from tests.unit.cli.test_command import COMMANDS

PAGE = re.compile(r"(docs/[\w-]+\.md)(?:, (.*))?")
COMMAND = re.compile(r"`([a-z ]+?)(?: --[a-z-]+)?`")


NO_COMMANDS = {"range", "create"}
"""A reading of release, and a column of the map."""


def texts() -> Iterator[str]:
    """What the package's code may say; its docstrings are not said to anybody."""
    for path in sorted((ROOT / "cli" / "preflight").glob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        silent = {id(one.value) for one in ast.walk(tree) if isinstance(one, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and id(node) not in silent:
                yield str(node.value)


def headings(page: Path) -> list[str]:
    return re.findall(r"^##+ (?:\d+\. )?(.+)$", page.read_text("utf-8"), re.MULTILINE)


def test_every_page_is_there_with_the_section_that_is_named() -> None:
    named = [found for text in texts() for found in PAGE.findall(text)]
    wrong = [
        (page, section)
        for page, section in named
        if not (ROOT / page).is_file()
        or (section[:1].isupper() and not section.startswith(tuple(headings(ROOT / page))))
    ]

    assert len(named) > 10
    assert not wrong


def test_every_command_is_there() -> None:
    named = {command for text in texts() for command in COMMAND.findall(text)}

    assert {"stream register", "locations check"} <= named
    assert named - NO_COMMANDS <= COMMANDS.keys()
