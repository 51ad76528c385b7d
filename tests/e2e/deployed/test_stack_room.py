"""The control room and `status` as an operator runs them against the deployed stack.

By somebody whose rights are to read: whatever else they called would be refused.
"""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import requests

from local.deployed import DeployedStack
from local.deployed_keys import User
from local.template import ROOT
from tests.e2e.deployed.operating import operate, reader, registered, shell

SECONDS = 30
FOLLOW_MINUTES = 3
ROW = {"location": "DC01", "product": "SKU-1"}


@pytest.fixture(scope="module")
def stocked(stack: DeployedStack) -> Iterator[DeployedStack]:
    with registered(stack):
        yield stack


@pytest.fixture(scope="module")
def watcher(stocked: DeployedStack) -> User:
    """`status` counts what is open and in quarantine by reading the whole table."""
    return reader(stocked, "watcher", "dynamodb:Scan")


@pytest.fixture(scope="module")
def looker(stocked: DeployedStack) -> User:
    """May read no table whole."""
    return reader(stocked, "looker")


def test_status_waits_for_the_first_import_and_is_quiet_in_a_pipe(
    stocked: DeployedStack, watcher: User
) -> None:
    words = ("status", "--follow", str(FOLLOW_MINUTES), "--json")

    done = operate(stocked, *words, user=watcher, seconds=60 * FOLLOW_MINUTES + SECONDS)

    assert (done.returncode in {0, 4}, done.stderr) == (True, ""), done
    found = json.loads(done.stdout)
    assert found["refresh"]["never_imported"] == 0
    assert found["stream"]["faults"] == []
    assert found["mode"] == "live"


def test_who_may_only_read_changes_nothing(stocked: DeployedStack, looker: User) -> None:
    """Else what the next test passes with would say nothing."""
    refused = operate(
        stocked, "hold", "DC01", "--who", "ada", "--why", "no rights", "--json", user=looker
    )

    assert refused.returncode == 3
    assert "AccessDenied" in refused.stdout


def test_the_room_opens_says_how_it_stands_and_finds_a_row_with_its_sum(
    stocked: DeployedStack, looker: User
) -> None:
    with room(stocked, looker) as url:
        assert "Control room" in requests.get(url, timeout=SECONDS).text
        moment = first_moment(url)
        places = requests.get(f"{url}/locations?find=dc", timeout=SECONDS).json()
        row = requests.get(f"{url}/row", params=ROW, timeout=SECONDS).json()

    assert moment["status"]["level"] in {"flowing", "stuck", "wrong"}
    assert moment["by_search"]
    assert moment["runs"]
    assert places == ["DC01"]
    assert row["base"] + sum(term["units"] for term in row["terms"]) == row["quantity"], row
    assert row["quantity"] == row["sent"]
    assert {"read", "import"} <= {one["kind"] for one in row["timeline"]}


@contextmanager
def room(stack: DeployedStack, user: User) -> Iterator[str]:
    """Its address, until Ctrl-C ends it."""
    process = subprocess.Popen(  # our own command
        [sys.executable, "-m", "cli", "room", "--port", "0", "--json", "--stack", stack.name],
        cwd=ROOT,
        env=shell(stack, user),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    told = ""
    while not told.rstrip().endswith("}"):
        line = process.stdout.readline()
        if not line:
            raise AssertionError(process.communicate()[1])
        told += line
    try:
        yield json.loads(told)["url"]
    finally:
        process.send_signal(signal.SIGINT)
        _, troubles = process.communicate(timeout=SECONDS)
    assert (process.returncode, troubles) == (0, "")


def first_moment(url: str) -> dict[str, Any]:
    with requests.get(f"{url}/moments", stream=True, timeout=SECONDS) as answer:
        for line in answer.iter_lines(decode_unicode=True):
            if line.startswith("data: {"):
                found: dict[str, Any] = json.loads(line.removeprefix("data: "))
                return found
    raise AssertionError("no moment came")
