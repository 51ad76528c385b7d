"""What a command shows of data: all of it, and nothing that a terminal obeys."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from cli.audit import LINE_CHARACTERS_MAX
from cli.output import Output, columns, refusal
from cli.text import heading, visible
from inventory_sync.domain.guards import Hold, HoldKind
from inventory_sync.domain.holds import LocationHold
from tests.unit.cli.conftest import NOW, Shell

HOSTILE = "\x1b[2J\u202ecod\u202c\r\nforged\x00\u2028\u200b"
SEEN = r"\x1b[2J\u202ecod\u202c\r\nforged\x00\u2028\u200b"
ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:inventory:key:x[bold]"


def told(capsys: pytest.CaptureFixture[str]) -> str:
    said = capsys.readouterr()
    return said.out + said.err


@pytest.mark.parametrize(
    "say",
    [
        lambda out: out.result({}, HOSTILE),
        lambda out: out.note(HOSTILE),
        lambda out: out.report({}, HOSTILE),
        lambda out: out.report({}, columns([{"reason": HOSTILE}])),
        lambda out: out.table("rows", [{"reason": HOSTILE}], "none"),
        lambda out: out.failed(HOSTILE),
        lambda out: out.refused(refusal(HOSTILE).problems),
    ],
)
def test_control_and_bidi_characters_of_data_are_escaped(
    say: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    say(Output(as_json=False))

    shown = told(capsys)
    assert SEEN in shown
    assert all(line.isprintable() for line in shown.splitlines())


def test_what_can_be_read_is_left_alone() -> None:
    assert visible("Köln 東京 🙂 'a' \\x1b") == "Köln 東京 🙂 'a' \\x1b"


def test_an_arn_is_shown_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    out = Output(as_json=False)
    out.report({}, ARN, columns([{"arn": ARN}]))
    out.failed(ARN)

    assert told(capsys).count(ARN) == 3


def test_json_has_types(capsys: pytest.CaptureFixture[str]) -> None:
    row = {
        "units": 3,
        "fraction": Decimal("0.5"),
        "whole": Decimal(3),
        "enabled": True,
        "reason": None,
        "at": datetime(2026, 3, 2, 9, 30, tzinfo=UTC),
        "took_seconds": timedelta(minutes=2),
        "text": HOSTILE,
    }

    Output(as_json=True).table("rows", [row], "none")

    assert json.loads(told(capsys))["rows"] == [
        {
            "units": 3,
            "fraction": 0.5,
            "whole": 3,
            "enabled": True,
            "reason": None,
            "at": "2026-03-02T09:30:00+00:00",
            "took_seconds": 120,
            "text": HOSTILE,
        }
    ]


def test_a_text_has_no_bytes_of_its_own_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    Output(as_json=True).result({"reason": HOSTILE})

    assert told(capsys).isascii()


def test_people_see_the_same_row_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    row = {
        "location_id": "DC01",
        "units": {"SKU-1": 2},
        "rows": 3,
        "enabled": True,
        "reason": None,
        "received_at": datetime(2026, 3, 2, 9, 30, tzinfo=UTC),
        "took_seconds": timedelta(minutes=2),
    }

    Output(as_json=False).table("rows", [row], "none")

    header, line = told(capsys).splitlines()
    assert header.split() == ["location", "units", "rows", "enabled", "reason", "received", "took"]
    assert line.split("  ")[0] == "DC01"
    for shown in ("2 SKU-1", "true", "2026-03-02 09:30:00Z", "2 min"):
        assert shown in line


def test_headings_are_short() -> None:
    assert heading("logical_timestamp") == "event"
    assert heading("cut_end") == "cut end"


def test_a_hold_s_figures_cannot_forge_a_line(shell: Shell) -> None:
    held = LocationHold(
        location_id="DC01", holds=(Hold(HoldKind.ABSURD, HOSTILE),), since=NOW, run_id="run"
    )
    shell.store.set_hold(held)

    lines = shell.run("holds", "list").output.splitlines()

    assert len(lines) == 2
    assert SEEN in lines[1]


def test_a_list_of_changes_fits_a_screen(shell: Shell) -> None:
    name = "N" * 190
    rows = [f"L{number},{name}{number}" for number in range(10)]
    path = shell.file("location_id,fulfillment_node_id", *rows)
    shell.run("locations", "load", path, "--who", "Ada" * 50, "--why", "because " * 50)

    lines = shell.run("audit", "list").output.splitlines()

    assert len(lines) == 3
    assert all(len(line) <= LINE_CHARACTERS_MAX for line in lines)
    (record,) = json.loads(shell.run("audit", "list", "--json").stdout)["records"]
    assert record["changes"][0]["after"]["fulfillment_node_id"] == f"{name}0"
    assert record["changes"][0]["before"] is None


def test_a_change_is_told_by_what_differs(shell: Shell) -> None:
    shell.run("locations", "load", shell.file("location_id", "A"), "--who", "Ada")
    shell.run("locations", "load", shell.file("location_id,enabled", "A,no"), "--who", "Ada")

    newest = shell.run("audit", "list", "--limit", "1").output.splitlines()

    assert newest[1] == "    location A: enabled true -> false"
