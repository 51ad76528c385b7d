"""`audit list`: who changed what, when and why, the newest first."""

import json
from collections.abc import Callable

from click.testing import Result

from tests.unit.cli.conftest import Shell


def changed(shell: Shell, load: Callable[..., Result]) -> None:
    load("location_id", "DC01", "NYC", "BER")
    shell.run("hold", "DC01", "--who", "Bob", "--why", "stock-take")
    shell.run("resume", "DC01", "--who", "Ada", "--why", "done")


def test_changes_are_listed_with_what_was_there_before(
    shell: Shell, load: Callable[..., Result]
) -> None:
    changed(shell, load)

    records = json.loads(shell.run("audit", "list", "--json").stdout)["records"]
    text = shell.run("audit", "list").output

    assert [r["command"].split()[0] for r in records] == ["resume", "hold", "locations"]
    assert [len(r["changes"]) for r in records] == [1, 1, 3]
    assert records[0]["changes"][0]["before"] == records[1]["changes"][0]["after"]
    assert "operator_hold location DC01" in text
    assert "and 2 more" in text


def test_they_can_be_narrowed_down(shell: Shell, load: Callable[..., Result]) -> None:
    changed(shell, load)

    def commands(*words: str) -> list[str]:
        found = json.loads(shell.run("audit", "list", "--json", *words).stdout)["records"]
        return [record["command"] for record in found]

    assert commands("--who", "Bob") == ["hold"]
    assert commands("--limit", "1") == ["resume"]
    assert commands("--since", "2026-01-15T10:31") == ["resume", "hold"]
    assert commands("--since", "2027-01-01") == []


def test_before_any_change_it_says_so(shell: Shell) -> None:
    assert "Nothing has been changed." in shell.run("audit", "list").output
