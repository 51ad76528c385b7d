"""`status` says in one sentence how far a first import or a full refresh has come."""

from datetime import timedelta

import pytest

from cli.status import progress_in_words
from inventory_sync.domain.refresh import RefreshProgress
from tests.builders import HOUR, NOW

NOTHING_LEFT = timedelta(0)


@pytest.mark.parametrize(
    ("refreshed", "first", "left", "said"),
    [
        (2, 8, 3 * HOUR, "first import: 2 of 10 locations are in, about 3 h left"),
        (2, 8, None, "first import: 2 of 10 locations are in, time left not known yet"),
        (4, 0, HOUR, "every row of 4 of 10 locations sent anew, about 1 h left"),
        (10, 0, NOTHING_LEFT, "every row of 10 locations sent since 2026-03-02 09:00:00Z"),
    ],
)
def test_progress_in_one_sentence(
    refreshed: int, first: int, left: timedelta | None, said: str
) -> None:
    progress = RefreshProgress(
        since=NOW,
        locations=10,
        refreshed=refreshed,
        first=first,
        rows_waiting=100,
        oldest_at=None,
        time_left=left,
    )

    assert progress_in_words(progress) == said
