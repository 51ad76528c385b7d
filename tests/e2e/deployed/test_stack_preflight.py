"""Preflight as an operator runs it against the deployed stack, after test_stack.py has used it."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import Any

import pytest

from local.deployed import DeployedStack
from local.newstore.locations import store
from tests.e2e.deployed.operating import operate, registered

SIX = {
    "locations: inventory master": "mend",
    "locations: missing": "look",
    "stream: filters": "mend",
    "ERP: credential": "mend",
    "clock: ERP": "mend",
    "clock: NewStore": "look",
}
BEFORE_GO_LIVE = {"alarms: page": "look", "alarms: ticket": "look"}
"""The local AWS knows no composite alarms, so no topic can be given to the stack."""
FOLLOWS = {"ERP: stock": "not_checked", "NewStore: products": "not_checked"}
"""What cannot be looked at while the ERP refuses the credential."""


def preflight(stack: DeployedStack) -> subprocess.CompletedProcess[str]:
    return operate(stack, "preflight", "--json", "--url", stack.event_url)


@pytest.fixture(scope="module")
def set_up(stack: DeployedStack) -> Iterator[DeployedStack]:
    with registered(stack):
        yield stack


def not_passed(found: subprocess.CompletedProcess[str]) -> dict[str, str]:
    """The state of each check that did not pass."""
    assert found.stderr == ""
    checks: list[dict[str, Any]] = json.loads(found.stdout)["checks"]
    assert all(c["remedy"] for c in checks if c["state"] in {"look", "mend"})
    return {c["check"]: c["state"] for c in checks if c["state"] != "passed"}


def test_a_stack_that_is_set_up_passes_but_for_the_alarms_of_go_live(
    set_up: DeployedStack,
) -> None:
    assert not_passed(preflight(set_up)) == BEFORE_GO_LIVE


def test_all_six_things_that_are_wrong_are_named(set_up: DeployedStack) -> None:
    with six_things_wrong(set_up):
        found = preflight(set_up)

    assert found.returncode == 4
    assert not_passed(found) == SIX | FOLLOWS | BEFORE_GO_LIVE
    assert set_up.keys.erp_token not in found.stdout


@contextmanager
def six_things_wrong(stack: DeployedStack) -> Iterator[None]:
    """Put right at the end; the ERP refuses the credential while its clock is wrong."""
    newstore, erp = stack.newstore, stack.erp
    registration = newstore.integrations.of(stack.name).body
    token, filters = erp.token, registration.get("filter_conditions")
    with ExitStack() as exits:
        exits.callback(setattr, newstore, "clock_ahead", timedelta(0))
        newstore.clock_ahead = timedelta(seconds=-30)
        exits.callback(setattr, newstore.locations.by_id["NYC"], "is_inventory_master", False)
        newstore.locations.by_id["NYC"].is_inventory_master = True
        exits.callback(newstore.locations.by_id.pop, "BERLIN")
        newstore.locations.add(store("BERLIN"))
        exits.callback(registration.update, {"filter_conditions": filters})
        registration["filter_conditions"] = {"event_filter": ["fulfillment_request.assigned"]}
        exits.callback(setattr, erp, "token", token)
        erp.token = "changed in the ERP"
        exits.callback(setattr, erp, "clock_ahead", timedelta(0))
        erp.clock_ahead = timedelta(minutes=20)
        yield
