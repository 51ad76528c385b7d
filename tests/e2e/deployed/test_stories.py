"""The demo's stories over deployed stacks, with the expectations of their files."""

from collections.abc import Mapping
from concurrent.futures import Future

import pytest

from tests.e2e.deployed.conftest import STORIES, Played

SECONDS_MAX = 240


@pytest.mark.parametrize("name", STORIES)
def test_a_story_ends_as_its_file_says(name: str, stories: Mapping[str, Future[Played]]) -> None:
    played = stories[name].result(SECONDS_MAX)

    assert not played.differences, "\n".join(played.told)
