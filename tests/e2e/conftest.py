"""The browser, and the stories it is shown; which suites are collected."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from cli.room.history import History
from cli.room.page import report_page
from local.demo import GUIDE_EXAMPLE
from local.room.recording import local_reader, recorder
from local.scenario import read_scenario
from local.stack import local_stack
from local.story import Story, plan_of
from tests.e2e.browser import browser, why_not

if TYPE_CHECKING:
    from playwright.sync_api import Browser

HELD_STORY = GUIDE_EXAMPLE.parent / "erp_down_and_location_held.json"


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    obstacle = why_not()
    assert not obstacle, obstacle
    with browser() as found:
        yield found


@pytest.fixture(scope="session")
def story() -> History:
    """The failing story, from its first to its last moment."""
    scenario = read_scenario(HELD_STORY)
    history = History()
    with local_stack(plan_of(scenario)) as stack:
        watch = recorder(local_reader(stack), history)
        Story(stack, scenario, lambda _: None, watch).play()
    return history


@pytest.fixture(scope="session")
def report(story: History, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of the failing story's report."""
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(report_page(read_scenario(HELD_STORY).title, story.moments()), "utf-8")
    return path.as_uri()


collect_ignore = [] if os.environ.get("E2E") else ["deployed"]
"""The deployed stack takes minutes: `make e2e` asks for it."""
