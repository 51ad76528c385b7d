"""`holds` and `approve`: only what is held, and only what may be approved."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import Result

from inventory_sync.adapters.dynamodb.location_changes import LocationChanges
from inventory_sync.domain.guards import APPROVABLE, FALLS, Hold, HoldKind
from inventory_sync.domain.holds import LocationHold
from tests.builders import OPERATOR, approval, location
from tests.unit.cli.conftest import NOW, Shell


def hold(shell: Shell, *kinds: HoldKind, product_id: str = "") -> None:
    shell.store.set_hold(
        LocationHold(
            location_id="DC01",
            holds=tuple(Hold(kind, f"figures of {kind}", 500, product_id) for kind in kinds),
            since=NOW - timedelta(hours=1),
            run_id="run",
        )
    )


def approve(shell: Shell, *kinds: str, who: str = "Ada", why: str = "counted") -> Result:
    words = [word for kind in kinds for word in ("--kind", kind)]
    return shell.run("approve", "DC01", *words, "--who", who, "--why", why)


def test_what_is_held_can_be_approved(shell: Shell) -> None:
    hold(shell, HoldKind.UNITS_FELL, HoldKind.PRODUCTS_VANISHED)

    result = approve(shell, "units_fell", "products_vanished")

    assert result.exit_code == 0, result.output
    vanished, fell = shell.store.approvals()["DC01"]
    assert (vanished.kind, fell.kind) == (HoldKind.PRODUCTS_VANISHED, HoldKind.UNITS_FELL)
    assert fell == approval(
        figures="figures of units_fell", bound_units=450, who="Ada", why="counted", at=NOW
    )
    (record,) = shell.audit
    assert (record.author.who, record.author.why) == ("Ada", "counted")


def test_a_later_approval_of_the_same_replaces_the_earlier_and_both_are_on_record(
    shell: Shell,
) -> None:
    hold(shell, HoldKind.UNITS_FELL, HoldKind.PRODUCTS_VANISHED)
    approve(shell, "products_vanished")
    approve(shell, "units_fell", why="counted once")

    approve(shell, "units_fell", why="counted twice")

    given = [(a.kind.value, a.why) for a in shell.store.approvals()["DC01"]]
    assert given == [("products_vanished", "counted"), ("units_fell", "counted twice")]
    assert "counted once" in (shell.audit[-1].changes[0].before or "")


def test_a_row_is_approved_by_its_name(shell: Shell) -> None:
    hold(shell, HoldKind.ROW_ROSE, product_id="SKU-1")

    unnamed = approve(shell, "row_rose")
    named = shell.run(
        "approve", "DC01", "--kind", "row_rose", "--product", "SKU-1", "--who", "A", "--why", "b"
    )

    assert (unnamed.exit_code, "rows: SKU-1 (--product)" in unnamed.output) == (1, True)
    assert named.exit_code == 0, named.output
    [given] = shell.store.approvals()["DC01"]
    assert (given.named, given.bound_units) == ((HoldKind.ROW_ROSE, "SKU-1"), 550)


LASTS = ("--until", "2026-01-16T06:00:00", "--who", "Ada", "--why", "the shop closes")


def test_a_location_may_fall_to_a_limit_until_an_instant(shell: Shell) -> None:
    LocationChanges(shell.state).put_locations([location()], OPERATOR)

    result = shell.run("approve", "DC01", "--may-fall-to", "0", *LASTS)

    assert result.exit_code == 0, result.output
    given = shell.store.approvals()["DC01"]
    assert {a.kind for a in given} == FALLS
    assert {(a.bound_units, a.until) for a in given} == {(0, datetime(2026, 1, 16, 6, tzinfo=UTC))}


def test_a_row_may_rise_to_a_limit_until_an_instant(shell: Shell) -> None:
    LocationChanges(shell.state).put_locations([location()], OPERATOR)
    args = ("--product", "SKU-1", "--may-rise-to", "9000")
    result = shell.run("approve", "DC01", *args, *LASTS)

    assert result.exit_code == 0, result.output
    given = {(a.kind, a.product_id, a.bound_units) for a in shell.store.approvals()["DC01"]}
    assert given == {
        (HoldKind.ROW_ROSE, "SKU-1", 9000),
        (HoldKind.ABSURD, "SKU-1", 9000),
    }


@pytest.mark.parametrize(
    "args",
    [
        (),
        ("--may-fall-to", "0"),
        ("--until", "2026-01-16T06:00:00"),
        ("--kind", "units_fell", "--until", "2026-01-16T06:00:00"),
        ("--kind", "units_fell", "--may-fall-to", "0", "--until", "2026-01-16T06:00:00"),
        ("--product", "A", "--may-fall-to", "0", "--until", "2026-01-16T06:00:00"),
        ("--may-fall-to", "0", "--until", "2026-01-15T06:00:00"),
    ],
)
def test_an_approval_is_for_one_import_or_has_a_limit_and_an_end(
    shell: Shell, args: tuple[str, ...]
) -> None:
    hold(shell, HoldKind.UNITS_FELL)

    assert shell.run("approve", "DC01", *args, "--who", "A", "--why", "b").exit_code == 1
    assert not shell.store.approvals()


def test_pending_approvals_are_listed_with_the_figures_they_were_given_for(shell: Shell) -> None:
    hold(shell, HoldKind.UNITS_FELL)
    approve(shell, "units_fell")
    shell.store.clear_hold("DC01")

    [listed] = json.loads(shell.run("holds", "approvals", "--json").stdout)["approvals"]

    assert listed == {
        "location_id": "DC01",
        "product_id": None,
        "kind": "units_fell",
        "units": 450,
        "ends_at": "2026-01-16T10:30:00+00:00",
        "lasts": False,
        "who": "Ada",
        "why": "counted",
        "figures": "figures of units_fell",
    }


def test_an_approval_that_is_over_is_not_listed(shell: Shell) -> None:
    given = approval(at=NOW - timedelta(hours=25))
    LocationChanges(shell.state).approve([given], OPERATOR)

    assert json.loads(shell.run("holds", "approvals", "--json").stdout)["approvals"] == []


def test_an_approval_can_be_revoked_and_that_is_on_record(shell: Shell) -> None:
    hold(shell, HoldKind.UNITS_FELL, HoldKind.PRODUCTS_VANISHED)
    approve(shell, "units_fell", "products_vanished")
    who = ("--who", "Ada", "--why", "the ERP was wrong")

    one = shell.run("revoke", "DC01", "--kind", "units_fell", *who)
    assert one.exit_code == 0, one.output
    assert [a.kind for a in shell.store.approvals()["DC01"]] == ["products_vanished"]
    assert (shell.audit[-1].author.command, shell.audit[-1].author.why) == (
        "revoke",
        "the ERP was wrong",
    )
    assert shell.audit[-1].changes[0].after is None

    assert shell.run("revoke", "DC01", *who).exit_code == 0
    assert shell.store.approvals() == {}


def test_what_was_never_approved_cannot_be_revoked(shell: Shell) -> None:
    result = shell.run("revoke", "DC01", "--who", "Ada", "--why", "b")

    assert result.exit_code == 1
    assert "no such approval" in result.output


@pytest.mark.parametrize("kind", sorted(frozenset(HoldKind) - APPROVABLE))
def test_what_has_to_be_put_right_cannot_be_approved(shell: Shell, kind: HoldKind) -> None:
    hold(shell, kind)

    result = approve(shell, kind.value)

    assert result.exit_code == 1
    assert f"{kind} cannot be approved" in result.output
    assert not shell.store.approvals()


def test_what_is_not_held_cannot_be_approved(shell: Shell) -> None:
    hold(shell, HoldKind.ABSURD)

    result = approve(shell, "absurd", "units_fell")

    assert result.exit_code == 1
    assert "not held for units_fell; held is: absurd" in result.output
    assert not shell.store.approvals()


def test_a_location_that_is_not_held_needs_no_approval(shell: Shell) -> None:
    result = approve(shell, "absurd")

    assert result.exit_code == 1
    assert "held is: nothing" in result.output


@pytest.mark.parametrize(("who", "why"), [(" ", "counted"), ("Ada", "")])
def test_nobody_approves_without_name_and_reason(shell: Shell, who: str, why: str) -> None:
    hold(shell, HoldKind.ABSURD)

    assert approve(shell, "absurd", who=who, why=why).exit_code == 1
    assert not shell.store.approvals()


def test_an_unknown_kind_is_wrong_usage(shell: Shell) -> None:
    assert approve(shell, "luck").exit_code == 2


def test_holds_are_listed_with_their_figures(shell: Shell) -> None:
    hold(shell, HoldKind.UNITS_FELL, HoldKind.PRODUCTS_VANISHED)
    approve(shell, "units_fell")

    listed = json.loads(shell.run("holds", "list", "--json").stdout)["holds"]

    assert listed[0] == {
        "location_id": "DC01",
        "product_id": None,
        "kind": "units_fell",
        "since": "2026-01-15T09:30:00+00:00",
        "approved": "Ada",
        "figures": "figures of units_fell",
    }
    assert listed[1]["approved"] is None


def test_text_has_a_line_for_each_hold(shell: Shell) -> None:
    hold(shell, HoldKind.ABSURD)

    lines = shell.run("holds", "list").output.splitlines()

    assert lines[0].split() == ["location", "product", "kind", "since", "approved", "figures"]
    assert lines[1].startswith("DC01")
