"""The shadow's report as a page: whole in itself, and nothing of the data is taken for markup."""

import re
from datetime import timedelta

from cli.shadow_page import page_of
from cli.shadow_story import story_of
from inventory_sync.domain.shadow import Look, PromiseRow, ShadowReport, UnshownUnits
from inventory_sync.use_cases.reconcile.shadow_report import report_of
from tests.builders import DC, HOUR, MINUTE, NOW

EVIL = "<script>alert(1)</script>"


def row(product_id: str = EVIL) -> PromiseRow:
    return PromiseRow(
        product_id=product_id,
        on_hand=10,
        unshown=(UnshownUnits(12, "ff1", NOW - MINUTE, 2),),
        allocations=3,
        shipped=1,
        reservations=1,
        safety_stock=2,
        atp=7,
    )


def report(*rows: PromiseRow) -> ShadowReport:
    looks = [
        Look(location_id=DC, at=NOW, as_of=NOW - MINUTE, rows=1, differing=rows),
        Look(location_id=DC, at=NOW + HOUR, as_of=NOW, rows=1, unchecked=4),
        Look(location_id=EVIL, at=NOW + HOUR, unread="down & out"),
    ]
    return report_of(looks, until=NOW + 2 * HOUR)


def test_a_story_adds_up_as_explain_does() -> None:
    [story] = report(row()).costliest

    lines = story_of(story)

    terms = [int(line.split()[0]) for line in lines[1:-2]]
    assert sum(terms) == int(lines[-2].split()[0]) == story.worst.should_be == 3
    assert "4 too much, 2 of them for certain" in lines[0]
    assert "event 12, request ff1: 2 units gone at" in lines[2]
    assert lines[-1].endswith("would have sent 8.")


def test_the_page_loads_nothing_and_runs_nothing() -> None:
    page = page_of(report(row()), 900)

    assert not re.search(r"<script|<link|<img|src=|https?://|@import|url\((?!#)", page)
    assert "&lt;script&gt;" in page
    assert "down &amp; out" in page


def test_it_says_how_far_it_can_be_trusted() -> None:
    page = page_of(report(row()), 900)

    for words in ("900 seconds", "longest time between two looks was 1 h", "4 times a row"):
        assert words in page


def test_every_bar_of_the_chart_says_in_words_what_it_shows() -> None:
    page = page_of(report(row()), None)

    assert "2026-03-02 09:00Z: 4.00 too much, 2.00 certain, 0.00 too little" in page
    assert page.count("<g><title>") == 1


def test_where_all_was_right_it_says_so() -> None:
    page = page_of(report_of([], until=NOW + timedelta(1)), 900)

    assert "Every promise was as the sum says." in page
    assert "<svg" not in page


def test_the_three_costliest_stories_are_open() -> None:
    page = page_of(report(*(row(f"SKU-{number}") for number in range(5))), 900)

    assert (page.count("<details open>"), page.count("<details>")) == (3, 2)
