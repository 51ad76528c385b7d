"""The control room as a person meets it: in a real browser, by key and by assistive tool.

Skipped, with the reason, where there is no Chromium or no driver; `make room-test` runs it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cli.room.history import History
from cli.room.picture import picture
from cli.room.server import room_server
from inventory_sync.domain.import_run import RunState
from inventory_sync.domain.stock import StockKey
from tests.builders import MINUTE, NOW, open_event, run
from tests.e2e.browser import (
    NEEDS_BROWSER,
    moment_with,
    page_in,
    picture_of,
    recorded,
    sees,
)
from tests.unit.cli.room.readings import held, promise, reading, truth

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = NEEDS_BROWSER


def test_the_page_follows_the_story_as_it_happens(chromium: Browser) -> None:
    history = History()
    history.add(picture(reading(), "At first."))
    with room_server(history, "A story") as server, page_in(chromium) as page:
        page.goto(server.base_url)
        page.get_by_text("Stock is flowing").wait_for()
        page.get_by_text("Live", exact=True).wait_for()

        history.add(picture(reading(truth=truth(7)), "Three are gone."))

        page.get_by_text("A figure is wrong").wait_for()
        sees(page, "Moment 2 of 2")
        assert "3 too many" in page.get_by_role("row", name="SKU-1").inner_text()
        history.close()


def test_a_lost_connection_is_said_and_mended_without_a_moment_twice(chromium: Browser) -> None:
    history = History()
    history.add(picture(reading(), "At first."))
    server = room_server(history, "A story").start()
    port = int(server.base_url.rpartition(":")[2])
    context = chromium.new_context()
    try:
        page = context.new_page()
        page.goto(server.base_url)
        page.get_by_text("Live", exact=True).wait_for()
        history.close()
        server.stop()
        page.get_by_text("Connection lost, trying again").wait_for()

        again = History()
        again.add(picture(reading(), "Anew."))
        server = room_server(again, "A story").start(port)
        page.get_by_text("Live", exact=True).wait_for(timeout=20_000)
        page.get_by_text("Anew.").first.wait_for()
        sees(page, "Moment 1 of 1")
        again.close()
    finally:
        context.close()
        server.stop()


def test_everything_can_be_done_by_key(chromium: Browser, report: str) -> None:
    with page_in(chromium) as page:
        page.goto(report)
        sees(page, "Moment 21 of 21")
        press = page.keyboard.press

        press("Tab")
        assert focused(page) == "Skip to the status"
        press("Enter")
        press("Tab")
        assert focused(page) == "Earlier"
        press("Enter")
        sees(page, "Moment 20 of 21")
        press("Tab")
        press("ArrowLeft")
        sees(page, "Moment 19 of 21")
        press("Home")
        sees(page, "Moment 1 of 21")
        press("End")
        sees(page, "Moment 21 of 21")
        assert not page.get_by_role("button", name="Follow the latest").is_visible()

        page.get_by_role("searchbox", name="Find").focus()
        page.keyboard.type("nyc")
        page.get_by_text("1 of 3 rows").wait_for()
        assert page.locator("#stock-rows tr").count() == 1
        press("Tab")
        press("Space")
        page.get_by_text("No row is like that.").wait_for()
        press("Space")
        page.get_by_text("1 of 3 rows").wait_for()
        press("Tab")  # the table scrolls, so it can be stood on
        press("Tab")
        assert focused(page) == "SKU-1"
        press("Enter")
        page.locator(".choose[aria-pressed=true]").wait_for()
        assert page.locator("#row").input_value() == '["NYC","SKU-1"]'
        assert focused(page) == "SKU-1", "the focus stays where it was"


def focused(page: Page) -> str:
    text: str = page.evaluate("document.activeElement.textContent")
    return text


def test_whatever_has_the_focus_shows_it(chromium: Browser, report: str) -> None:
    with page_in(chromium) as page:
        page.goto(report)
        sees(page, "Moment 21 of 21")
        seen: list[str] = []
        for _ in range(40):
            page.keyboard.press("Tab")
            name, outline = page.evaluate(
                "[document.activeElement.id || document.activeElement.textContent,"
                " getComputedStyle(document.activeElement).outlineStyle]"
            )
            if page.evaluate("document.activeElement === document.body"):
                break
            seen.append(name)
            assert outline == "solid", name
        assert len(seen) >= 12


def test_a_moment_gone_back_to_stays_while_new_ones_come(chromium: Browser) -> None:
    history = History()
    history.add(picture(reading(), "one"))
    history.add(picture(reading(at=NOW + MINUTE), "two"))
    with room_server(history, "A story") as server, page_in(chromium) as page:
        page.goto(server.base_url)
        sees(page, "Moment 2 of 2")
        page.get_by_role("button", name="Earlier").click()
        history.add(picture(reading(at=NOW + 2 * MINUTE), "three"))

        sees(page, "Moment 1 of 3")
        follow = page.get_by_role("button", name="Follow the latest")
        assert follow.get_attribute("aria-pressed") == "false"
        follow.click()
        sees(page, "Moment 3 of 3")
        history.close()


def test_who_types_in_the_filter_keeps_the_focus_while_figures_change(chromium: Browser) -> None:
    history = History()
    history.add(picture(reading(), "one"))
    with room_server(history, "A story") as server, page_in(chromium) as page:
        page.goto(server.base_url)
        button = page.get_by_role("button", name="SKU-1")
        button.focus()
        history.add(picture(reading(erp_units={StockKey("DC01", "SKU-1"): 77}), "two"))

        page.get_by_role("cell", name="77").wait_for()
        assert focused(page) == "SKU-1"
        history.close()


def test_the_charts_say_in_words_what_they_show(chromium: Browser, report: str) -> None:
    with page_in(chromium) as page:
        page.goto(report)
        moment_with(page, "NYC is held")
        labels = [image.get_attribute("aria-label") for image in page.get_by_role("img").all()]
        assert "promise 93, truth 99" in str(labels[0])
        assert "above the truth at 0 of them" in str(labels[0])
        assert "the watermark is 6" in str(labels[1])
        page.get_by_text("Both charts as a table").click()
        page.locator("#history-rows tr").nth(20).wait_for()
        picture_of(page, "charts_as_a_table")


def test_moments_are_as_wide_as_they_lasted_and_a_long_quiet_one_is_marked(
    chromium: Browser, tmp_path: Path
) -> None:
    minutes = (0, 10, 20, 40, 40, 50, 3000, 3010)
    moments = [picture(reading(at=NOW + each * MINUTE), f"after {each}") for each in minutes]
    with page_in(chromium) as page:
        page.goto(recorded(tmp_path, *moments))
        sees(page, "Moment 8 of 8")
        widths = []
        page.locator("#moment").focus()
        page.keyboard.press("Home")
        for number in range(1, 9):
            sees(page, f"Moment {number} of 8")
            shown = page.locator("#watermark-chart .shown")
            widths.append(float(shown.get_attribute("width") or 0))
            page.keyboard.press("ArrowRight")
        assert page.locator("#watermark-chart .break").count() == 1
        assert widths[0] == pytest.approx(widths[1], rel=0.01)
        assert widths[2] == pytest.approx(2 * widths[1], rel=0.01)
        assert widths[5] > widths[2] > widths[3] > 5


def test_a_click_in_a_chart_chooses_the_moment_that_lies_there(
    chromium: Browser, tmp_path: Path
) -> None:
    moments = [picture(reading(at=NOW + each * MINUTE)) for each in (0, 30, 40, 50)]
    with page_in(chromium) as page:
        page.goto(recorded(tmp_path, *moments))
        sees(page, "Moment 4 of 4")
        page.locator("#watermark-chart svg[role=img]").click(position={"x": 60, "y": 40})
        sees(page, "Moment 1 of 4")


def test_texts_from_outside_stay_text(chromium: Browser, tmp_path: Path) -> None:
    hostile = "<img src=x onerror=alert(1)>"
    shown = picture(
        reading(
            promises={StockKey(hostile, hostile): promise()},
            holds=held(hostile, figures=hostile),
            open_events=(open_event(1, at=hostile, rejected_reason=hostile),),
            runs=(run(state=RunState.FAILED, failure=hostile),),
        ),
        hostile,
    )
    with page_in(chromium) as page:
        page.goto(recorded(tmp_path, shown, title=hostile))
        sees(page, "Moment 1 of 1")
        assert page.locator("img").count() == 0
        assert page.get_by_text(hostile).count() >= 6
