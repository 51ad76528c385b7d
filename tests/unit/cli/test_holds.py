"""`holds` and `approve`: only what is held, and only what may be approved."""

import json
from datetime import timedelta

import pytest
from click.testing import Result

from inventory_sync.domain.guards import APPROVABLE, Hold, HoldKind
from inventory_sync.domain.holds import Approval, LocationHold
from tests.unit.cli.conftest import NOW, Shell


def hold(shell: Shell, *kinds: HoldKind) -> None:
    shell.store.set_hold(
        LocationHold(
            location_id="DC01",
            holds=tuple(Hold(kind, f"figures of {kind}") for kind in kinds),
            since=NOW - timedelta(hours=1),
            run_id="run",
        )
    )


def approve(shell: Shell, *kinds: str, who: str = "Ada", why: str = "counted") -> Result:
    words = [word for kind in kinds for word in ("--kind", kind)]
    return shell.run("approve", "DC01", *words, "--who", who, "--why", why)


def test_what_is_held_can_be_approved(shell: Shell) -> None:
    hold(shell, HoldKind.UNITS_FELL, HoldKind.ROWS_FELL)

    result = approve(shell, "units_fell", "rows_fell")

    assert result.exit_code == 0, result.output
    assert shell.store.approvals()["DC01"] == Approval(
        location_id="DC01", kinds=("rows_fell", "units_fell"), who="Ada", why="counted", at=NOW
    )
    (record,) = shell.audit
    assert (record.author.who, record.author.why) == ("Ada", "counted")


def test_a_later_approval_replaces_the_earlier_and_both_are_on_record(shell: Shell) -> None:
    hold(shell, HoldKind.UNITS_FELL, HoldKind.ROWS_FELL)
    approve(shell, "units_fell")

    approve(shell, "rows_fell")

    assert shell.store.approvals()["DC01"].kinds == ("rows_fell",)
    assert "units_fell" in (shell.audit[-1].changes[0].before or "")


@pytest.mark.parametrize("kind", sorted(frozenset(HoldKind) - APPROVABLE))
def test_what_has_to_be_put_right_cannot_be_approved(shell: Shell, kind: HoldKind) -> None:
    hold(shell, kind)

    result = approve(shell, kind.value)

    assert result.exit_code == 1
    assert f"{kind} cannot be approved" in result.output
    assert not shell.store.approvals()


def test_what_is_not_held_cannot_be_approved(shell: Shell) -> None:
    hold(shell, HoldKind.NEGATIVE)

    result = approve(shell, "negative", "absurd")

    assert result.exit_code == 1
    assert "not held for absurd; held is: negative" in result.output
    assert not shell.store.approvals()


def test_a_location_that_is_not_held_needs_no_approval(shell: Shell) -> None:
    result = approve(shell, "negative")

    assert result.exit_code == 1
    assert "held is: nothing" in result.output


@pytest.mark.parametrize(("who", "why"), [(" ", "counted"), ("Ada", "")])
def test_nobody_approves_without_name_and_reason(shell: Shell, who: str, why: str) -> None:
    hold(shell, HoldKind.NEGATIVE)

    assert approve(shell, "negative", who=who, why=why).exit_code == 1
    assert not shell.store.approvals()


def test_an_unknown_kind_is_wrong_usage(shell: Shell) -> None:
    assert approve(shell, "luck").exit_code == 2


def test_holds_are_listed_with_their_figures(shell: Shell) -> None:
    hold(shell, HoldKind.UNITS_FELL, HoldKind.ROWS_FELL)
    approve(shell, "units_fell")

    listed = json.loads(shell.run("holds", "list", "--json").stdout)["holds"]

    assert listed[0] == {
        "location_id": "DC01",
        "kind": "units_fell",
        "since": "2026-01-15T09:30:00+00:00",
        "approved": "Ada",
        "figures": "figures of units_fell",
    }
    assert listed[1]["approved"] is None


def test_text_has_a_line_for_each_hold(shell: Shell) -> None:
    hold(shell, HoldKind.NEGATIVE)

    lines = shell.run("holds", "list").output.splitlines()

    assert lines[0].split() == ["location", "kind", "since", "approved", "figures"]
    assert lines[1].startswith("DC01")
