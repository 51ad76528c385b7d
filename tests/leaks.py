"""A pytest plugin: no secret may show in what a test run leaves behind.

Every secret of the tests and the local stack is made up, and looks like one of PLANTED. A test
fails that lets one into a log record (the functions' own included), into its output, or, whatever
the test, the run fails that leaves one in a file under build/.
"""

import logging
import re
import time
import traceback
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

PLANTED = re.compile(
    r"inbound-key-\w+|client-secret\S*|erp-token\S*|access-token-\w+|Bearer [\w-]+"
    r"|X-Amz-(?:Signature|Credential)=\w+"
)
FILE_BYTES_MAX = 200_000_000
PROGRAM = b"\x7fELF"
STARTED = pytest.StashKey[float]()
LEFT = pytest.StashKey[list[str]]()


class Watch(logging.Handler):
    """Keeps what log records should not have had, with all their fields and traces."""

    def __init__(self) -> None:
        super().__init__(logging.NOTSET)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        trace = "".join(traceback.format_exception(record.exc_info[1])) if record.exc_info else ""
        text = f"{record.getMessage()} {vars(record)} {trace}"
        self.found += [f"logger {record.name}: {secret}" for secret in secrets_in(text)]

    def take(self) -> list[str]:
        """What was found since the last look."""
        found, self.found = self.found, []
        return found


WATCH = Watch()


def secrets_in(text: str) -> list[str]:
    return sorted(set(PLANTED.findall(text)))


def pytest_configure(config: pytest.Config) -> None:
    config.stash[STARTED] = time.time()
    logging.getLogger().addHandler(WATCH)


def pytest_unconfigure() -> None:
    logging.getLogger().removeHandler(WATCH)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[Any]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    found = WATCH.take()
    for name, text in report.sections:
        if name.endswith(report.when):
            found += [f"{name}: {secret}" for secret in secrets_in(text)]
    if found and not report.failed:
        report.outcome = "failed"
        report.longrepr = "\n".join(["secrets can be seen here:", *sorted(set(found))])
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    config = session.config
    if hasattr(config, "workerinput"):
        return  # the run is not over before its other workers are
    config.stash[LEFT] = list(left_in(config.rootpath / "build", config.stash[STARTED]))
    if config.stash[LEFT] and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    for line in config.stash.get(LEFT, []):
        terminalreporter.write_line(f"FAILED: secrets can be seen in {line}", red=True)


def left_in(folder: Path, since: float) -> Iterator[str]:
    """Files that were written since, with the secrets in them."""
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.stat().st_mtime < since or is_program(path):
            continue
        if path.stat().st_size > FILE_BYTES_MAX:
            yield f"{path}: too large to be looked through"
            continue
        if found := secrets_in(path.read_text("utf-8", errors="replace")):
            yield f"{path}: {', '.join(found[:5])}"


def is_program(path: Path) -> bool:
    """Whether it is a fetched engine's or emulator's: it has texts of its own, and none of ours."""
    with path.open("rb") as file:
        return file.read(len(PROGRAM)) == PROGRAM
