"""A plugin of pytest for tools/mutation_sample.py: times each test, or runs a chosen few.

TIMES_TO names the file that gets the seconds of every test that passed; CHOSEN one with the tests
to run, by their ids, a line each: their files run in the order in which they are first named.
"""

import json
import os
from collections import defaultdict
from pathlib import Path

import pytest

_seconds: dict[str, float] = defaultdict(float)
_failed: set[str] = set()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Setup and teardown count too."""
    _seconds[report.nodeid] += report.duration
    if not report.passed:
        _failed.add(report.nodeid)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker's reports come to the session that started it too."""
    if (file := os.environ.get("TIMES_TO")) and not hasattr(session.config, "workerinput"):
        passed = {test: taken for test, taken in _seconds.items() if test not in _failed}
        Path(file).write_text(json.dumps(passed))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Others are not run; within a file the order stays, so that what tests share is made once."""
    if file := os.environ.get("CHOSEN"):
        chosen = set(Path(file).read_text("utf-8").split("\n"))
        left = [item for item in items if item.nodeid not in chosen]
        items[:] = [item for item in items if item.nodeid in chosen]
        config.hook.pytest_deselected(items=left)
