"""What holds for every test, whichever suite it is in."""

import pytest

from tests import leaks


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(leaks)
