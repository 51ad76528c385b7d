"""`hold`, `pause` and `resume`: signed, seen at once, and gone only when they are resumed."""

import json
from collections.abc import Callable

import pytest
from click.testing import Result

from tests.unit.cli.conftest import NOW, Shell

Load = Callable[..., Result]
SIGNED = ("--who", "Ada", "--why", "stock-take")


@pytest.fixture(autouse=True)
def _mapped(load: Load) -> None:
    assert load("location_id", "DC01", "NYC").exit_code == 0


def listed(shell: Shell) -> list[tuple[str, str, str]]:
    rows = json.loads(shell.run("holds", "list", "--json").stdout)["holds"]
    return [(row["location_id"], row["kind"], row["figures"]) for row in rows]


def test_a_hold_is_recorded_and_shown_before_any_run_has_come_by(shell: Shell) -> None:
    assert shell.run("hold", "DC01", *SIGNED).exit_code == 0

    (held,) = shell.store.operator_holds().values()
    assert (held.location_id, held.who, held.why) == ("DC01", "Ada", "stock-take")
    assert held.at > NOW
    assert listed(shell) == [("DC01", "operator", "Ada: stock-take")]


def test_a_pause_of_all_stands_beside_the_holds_of_locations(shell: Shell) -> None:
    shell.run("pause", "--all", *SIGNED)
    shell.run("pause", "NYC", *SIGNED)

    assert listed(shell) == [
        ("imports", "operator", "Ada: stock-take"),
        ("NYC", "operator", "Ada: stock-take"),
    ]
    assert shell.run("resume", "--all", *SIGNED).exit_code == 0
    assert [row[0] for row in listed(shell)] == ["NYC"]


def test_what_is_resumed_is_gone_and_both_are_in_the_audit(shell: Shell) -> None:
    shell.run("hold", "DC01", *SIGNED)
    shell.run("resume", "DC01", "--who", "Bob", "--why", "counted")

    held, resumed = shell.audit[-2:]

    assert listed(shell) == []
    assert (held.author.command, resumed.author.command) == ("hold", "resume")
    assert (resumed.author.who, resumed.author.why) == ("Bob", "counted")
    assert resumed.changes[0].before == held.changes[0].after
    assert resumed.changes[0].after is None


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("hold", "nowhere", *SIGNED), "no nowhere"),
        (("hold", "DC01", "--who", "Ada"), "--why"),
        (("hold", "DC01", "--who", " ", "--why", "x"), "nobody signs"),
        (("pause", *SIGNED), "--all"),
        (("pause", "DC01", "--all", *SIGNED), "not both"),
        (("resume", "DC01", *SIGNED), "no operator holds DC01"),
        (("resume", "--all", *SIGNED), "no operator holds imports"),
    ],
)
def test_what_is_not_clear_is_refused(shell: Shell, words: tuple[str, ...], told: str) -> None:
    before = len(shell.audit)

    result = shell.run(*words)

    assert result.exit_code == 1
    assert told in result.output
    assert shell.store.operator_holds() == {}
    assert len(shell.audit) == before
