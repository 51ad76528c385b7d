"""What holds for every test, whichever suite it is in."""

import pytest

from tests import leaks, sampling


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(leaks)
    config.pluginmanager.register(sampling)
