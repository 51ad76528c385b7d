"""One local AWS; in it one stack that schedules drive, and beside it one for each story.

The stories are played while the tests of the first stack wait for its schedules. All logs are left
below build/e2e.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from local.deployed import DeployedStack, deployed_stack
from local.deployed_keys import Keys
from local.deployed_logs import group_lines, stack_groups
from local.invoke import LOCATIONS
from local.ministack import LocalAws, ministack
from local.scenario import read_scenario
from local.stack import FORWARD, RECONCILE, WATCH, StackPlan
from local.story import Difference, Story, plan_of
from local.template import ROOT
from tests.e2e.deployed.hurried import ONE_ATTEMPT, hurried

FOLDER = ROOT / "build" / "e2e" / os.environ["E2E"]
SCENARIOS = ROOT / "local" / "scenarios"
STORIES = ("guide_example", "delivered_twice_out_of_order", "import_fails_and_repeats")
AT_ONCE = 2
BY_THE_MINUTE = (f"{FORWARD}Sweep", f"{RECONCILE}Daily", f"{WATCH}Look")


@dataclass(frozen=True)
class Played:
    """What came of a story: its text, what was not as expected, its secrets and all its logs."""

    told: list[str]
    differences: list[Difference]
    keys: Keys
    log: list[str]


@pytest.fixture(scope="session")
def local_aws() -> Iterator[LocalAws]:
    shutil.rmtree(FOLDER, ignore_errors=True)
    with ministack(FOLDER) as aws:
        yield aws


@pytest.fixture(scope="session")
def stack(local_aws: LocalAws) -> Iterator[DeployedStack]:
    """Two locations, schedules at their fastest, files by signed URL."""
    plan = StackPlan(
        locations=LOCATIONS,
        parameters={
            "ImportSchedule": "rate(1 minute)",
            "SettleWindowSeconds": "0",
        },
        settings=ONE_ATTEMPT,
        schedules=dict.fromkeys(BY_THE_MINUTE, "rate(1 minute)"),
        signed_urls=True,
    )
    with deployed_stack(local_aws, "main", plan) as stack:
        yield stack


@pytest.fixture(scope="session")
def left_running(local_aws: LocalAws) -> Iterator[subprocess.Popen[str]]:
    """`make local`, which starts while other tests run."""
    with (FOLDER / "local.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "local.up"],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT / "layers" / "inventory_sync")},
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    yield process
    process.terminate()
    process.communicate()


@pytest.fixture(scope="session")
def stories(
    local_aws: LocalAws, stack: DeployedStack, left_running: object
) -> Iterator[Mapping[str, Future[Played]]]:
    """Under way; each in a stack of its own, as stages of one account are."""
    with ThreadPoolExecutor(AT_ONCE) as threads:
        yield {name: threads.submit(play, local_aws, name) for name in STORIES}


def play(aws: LocalAws, name: str) -> Played:
    scenario = hurried(read_scenario(SCENARIOS / f"{name}.json"))
    told: list[str] = []
    stack_name = name.replace("_", "-")
    with deployed_stack(aws, stack_name, plan_of(scenario)) as stack:
        story = Story(stack, scenario, told.append)
        story.play()
        log = [line for group in stack_groups(aws, stack_name) for line in group_lines(aws, group)]
        return Played(told, story.differences, stack.keys, log)
