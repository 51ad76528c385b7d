"""Numbers in sentences: a noun agrees with its number."""

import pytest

from inventory_sync.domain.wording import counted


@pytest.mark.parametrize(
    ("count", "noun", "said"),
    [
        (0, "row", "0 rows"),
        (1, "row", "1 row"),
        (2, "row", "2 rows"),
        (1, "entry/entries", "1 entry"),
        (3, "entry/entries", "3 entries"),
        (1.0, "event", "1 event"),
        (1200.4, "event", "1200 events"),
    ],
)
def test_a_noun_agrees_with_its_number(count: float, noun: str, said: str) -> None:
    assert counted(count, noun) == said
