"""The control room in both colour schemes, wide and narrow; each picture is kept in build/room.

Skipped, with the reason, where there is no Chromium or no driver; `make room-test` runs it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cli.room.history import History
from cli.room.picture import Picture, picture
from cli.room.reading import Drift, Promise, Tile, Truth
from cli.room.server import room_server
from cli.room.shadow import shadow_row, shadow_tiles
from cli.shadow_now import ShadowNow
from inventory_sync.domain.errors import RejectedError
from inventory_sync.domain.guards import HoldKind
from inventory_sync.domain.import_run import JobError, RunState
from inventory_sync.domain.inbound import QuarantinedCompletion, UnstoredCompletion
from inventory_sync.domain.stock import StockKey
from tests.builders import NOW, event, forwarded, open_event, run
from tests.e2e.browser import (
    LONG,
    LOOKS,
    NEEDS_BROWSER,
    fits,
    moment_with,
    obstacles,
    page_in,
    picture_of,
    recorded,
    sees,
)
from tests.unit.cli.room.readings import held, reading, shadow, truth

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = NEEDS_BROWSER


def large() -> Picture:
    """Fifty products at ten locations with long names, some off, two locations held."""
    places = [f"{LONG}-{number}" if number % 3 == 0 else f"DC{number:02}" for number in range(10)]
    products = [
        f"Women's-Merino-Cardigan-{'Very-' * 6}Long-{number}"
        if number % 7 == 0
        else f"SKU-{number}"
        for number in range(50)
    ]
    keys = [StockKey(place, product) for place in places for product in products]
    promises = {
        key: Promise(
            atp_units=1_000 * n,
            on_hand_units=1_000 * n + 2,
            open_allocations=1,
            completed_unreleased=1,
        )
        for n, key in enumerate(keys)
    }
    shelf = {key: 1_000 * n + 1 + (n % 40 == 0) * 12_345 for n, key in enumerate(keys)}
    events = tuple(
        open_event(1_764_000_000_000 + n * 977, *products[:2], at=places[n % 10]) for n in range(60)
    )
    return picture(
        reading(
            promises=promises,
            erp_units=shelf,
            truth=Truth(shelf_units=shelf, under_way=(event(1_764_000_100_000),)),
            open_events=events,
            watermark=1_764_000_010_000,
            quarantined=1_234,
            holds={**held(places[0], HoldKind.UNITS_FELL, "3 now, 9 before"), **held(places[3])},
            runs=(run(state=RunState.FINALIZED, rows=500, left_out={LONG: "no time " * 20}),) * 9,
        ),
        "A story with " + "a very long sentence that goes on, " * 12,
    )


def wrong() -> Picture:
    """Three units too many, an event refused, an import failed."""
    errors = (JobError("unknown product", "availabilities", "SKU-9"),) * 5
    failed = run(state=RunState.FAILED, failure="NewStore failed the job", job_errors=errors)
    return picture(
        reading(
            truth=replace(truth(7), closed=(open_event(3),)),
            open_events=(open_event(4, rejected_reason="unknown product SKU-9"),),
            runs=(failed, run(state=RunState.STARTED), run(state=RunState.HELD)),
            watermark=3,
        )
    )


@pytest.mark.parametrize(("scheme", "width"), LOOKS)
def test_the_failing_story_in_every_look(
    chromium: Browser, report: str, scheme: str, width: int
) -> None:
    with page_in(chromium, width, color_scheme=scheme, reduced_motion="reduce") as page:
        page.goto(report)
        page.get_by_role("heading", name="Stock is flowing").wait_for()
        for name, text in (("held", "NYC is held"), ("erp_down", "The ERP does not answer")):
            moment_with(page, text)
            assert page.get_by_role("heading", name="Some stock is stuck").is_visible()
            assert obstacles(page) == []
            assert fits(page)
            picture_of(page, f"{name}-{scheme}-{width}")


@pytest.mark.parametrize(("scheme", "width"), LOOKS)
@pytest.mark.parametrize("made", [large, wrong])
def test_extremes_in_every_look(
    chromium: Browser, tmp_path: Path, made: object, scheme: str, width: int
) -> None:
    shown = large() if made is large else wrong()
    before = replace(shown, told="", rows=tuple(replace(r, atp_units=0) for r in shown.rows))
    with page_in(chromium, width, color_scheme=scheme, reduced_motion="reduce") as page:
        page.goto(recorded(tmp_path, before, shown, title=f"A story at {LONG}" * 2))
        sees(page, "Moment 2 of 2")
        # Five thousand cells take axe many seconds, and are the same in every look.
        if made is wrong or (scheme, width) == LOOKS[0]:
            assert obstacles(page) == []
        assert fits(page)
        picture_of(page, f"{'large' if made is large else 'wrong'}-{scheme}-{width}")


ROW = {
    "headline": "SKU-1 at DC01: NewStore was told 17",
    "base": 16,
    "quantity": 17,
    "terms": [
        {"logical_timestamp": 10, "units": 0, "part": "in_base"},
        {"logical_timestamp": 11, "units": -2, "part": "subtracted"},
        {"logical_timestamp": 12, "units": 3, "part": "added_back"},
    ],
    "lines": ["Held: units fell since 2 Mar: 3 now, 9 before; see `holds list`"],
    "timeline": [
        {"at": "2026-03-02T09:06:00+00:00", "kind": "booked", "what": "the ERP booked event 10"},
        {"at": "2026-03-02T09:28:10+00:00", "kind": "read", "what": "the ERP had 16"},
    ],
}


class OneRow:
    """Knows one row, and no other."""

    def row(self, location_id: str, product_id: str) -> dict[str, object]:
        if product_id != "SKU-1":
            raise RejectedError(f"no import on record has sent {product_id}")
        return ROW

    def suggestions(self, text: str) -> list[str]:
        return ["DC01"] if text else []


def deployed() -> Picture:
    """A stack of thousands of locations that needs a person."""
    drifts = (("DC01", "SKU-1", 9, 4), (LONG, "SKU-2", 0, -3))
    return picture(
        reading(
            truth=None,
            promises={},
            erp_units={},
            holds={
                key: hold
                for number in range(40)
                for key, hold in held(f"DC{number:02}", HoldKind.UNITS_FELL, "3 now").items()
            },
            runs=(
                run(state=RunState.FINALIZED, rows=0, snapshots=0, left_out={"DC01": "503"}),
                run(state=RunState.FINALIZED, rows=500, snapshots=9_999),
            ),
            concerns=("held: 1 location, see `holds list`",),
            open_count=1_204,
            quarantined=None,
            unstored=tuple(
                QuarantinedCompletion(
                    entry_id=f"{number:064}",
                    completion=UnstoredCompletion(
                        location_id=LONG if number else "", logical_timestamp=number or None
                    ),
                    received_at=NOW,
                )
                for number in range(13)
            ),
            refresh="every row of 9,120 of 10,000 locations sent anew, about 1 h left",
            tiles=(
                Tile(name="Promised too many", value=4, unit="units", goal=0, since="of a day"),
                Tile(name="Promised too few", value=None, unit="units", goal=0, since="of a day"),
                Tile(name="Oldest stock", value=9_000, unit="seconds", goal=7_200, since="read"),
                Tile(name="Shipment to ERP", value=4, unit="seconds", goal=300, since="of a day"),
            ),
            drifts=tuple(
                Drift(
                    location=place,
                    product=product,
                    atp_units=atp,
                    drift_units=units,
                    causes=("unexplained",),
                )
                for place, product, atp, units in drifts
            ),
        )
    )


@pytest.mark.parametrize(("scheme", "width"), LOOKS)
def test_a_deployed_stack_in_every_look(chromium: Browser, scheme: str, width: int) -> None:
    history = History()
    history.add(deployed())
    with (
        room_server(history, "Stack inventory-sync-production", OneRow()) as server,
        page_in(chromium, width, color_scheme=scheme, reduced_motion="reduce") as page,
    ):
        page.goto(server.base_url)
        page.get_by_role("heading", name="A figure is wrong").wait_for()
        assert not page.locator("#stock").is_visible()
        assert not page.locator("#promise").is_visible()
        assert page.locator("#holds h3").count() == 5
        sees(page, "and 35 more locations: holds list")
        sees(page, "no readable location")
        sees(page, "and 8 more: quarantine list")
        page.get_by_role("button", name="SKU-1").click()
        page.get_by_text("NewStore was told 17").wait_for()
        assert page.locator("#look-up-location").input_value() == "DC01"
        assert page.locator("#look-up-answer .bar").count() == 4
        assert page.locator(".timeline li").count() == 2
        assert obstacles(page) == []
        assert fits(page)
        picture_of(page, f"deployed-{scheme}-{width}")
        history.close()


@pytest.mark.parametrize(("scheme", "width"), LOOKS)
def test_a_shadow_in_every_look(chromium: Browser, scheme: str, width: int) -> None:
    now = shadow(10, rows=60)
    tiles = tuple(shadow_tiles(NOW, now))
    events = (open_event(7, at="DC01"),)
    shown = reading(
        truth=None, promises={}, erp_units={}, concerns=(), shadow=now, tiles=tiles,
        open_events=events, open_count=1,
    )  # fmt: skip
    history = History()
    history.add(picture(shown))
    with (
        room_server(history, "Stack inventory-sync-shadow", ShadowRows(now)) as server,
        page_in(chromium, width, color_scheme=scheme, reduced_motion="reduce") as page,
    ):
        page.goto(server.base_url)
        page.get_by_role("heading", name="A shadow: nothing is posted").wait_for()
        assert "flowing" not in page.locator("main").inner_text()
        for hidden in ("#charts", "#stock", "#drift"):
            assert not page.locator(hidden).is_visible()
        page.get_by_role("button", name="SKU-1-0").click()
        page.get_by_text("8 would have been sent").wait_for()
        assert page.locator("#shadow-rows tr").count() == 60
        assert obstacles(page) == []
        assert fits(page)
        picture_of(page, f"shadow-{scheme}-{width}")
        history.close()


class ShadowRows:
    """Any row of what a shadow sees."""

    def __init__(self, now: ShadowNow) -> None:
        self.now = now

    def row(self, location_id: str, product_id: str) -> dict[str, object]:
        return shadow_row(self.now, location_id, product_id)

    def suggestions(self, text: str) -> list[str]:
        return list(self.now.looks)


def test_a_row_that_was_never_sent_says_why(chromium: Browser) -> None:
    history = History()
    history.add(deployed())
    with (
        room_server(history, "Stack", OneRow()) as server,
        page_in(chromium) as page,
    ):
        page.goto(server.base_url)
        page.locator("#look-up-location").fill("DC")
        page.locator("#look-up-locations option[value='DC01']").wait_for(state="attached")
        page.locator("#look-up-product").fill("SKU-9")
        page.locator("#look-up-product").press("Enter")
        page.get_by_text("no import on record has sent SKU-9").wait_for()
        history.close()


def test_an_empty_stack_says_so_everywhere(chromium: Browser, tmp_path: Path) -> None:
    empty = picture(reading(promises={}, erp_units={}, truth=None))
    with page_in(chromium) as page:
        page.goto(recorded(tmp_path, empty))
        for text in (
            "Nothing waits.", "No system lists any stock yet.", "No import has run yet.",
            "No location is held.", "none yet",
        ):  # fmt: skip
            assert page.get_by_text(text).first.is_visible(), text
        assert obstacles(page) == []
        picture_of(page, "empty")


def test_without_truth_the_page_claims_none(chromium: Browser, tmp_path: Path) -> None:
    real = reading(truth=None, promises={StockKey("DC01", "SKU-1"): Promise(atp_units=9)})
    with page_in(chromium) as page:
        page.goto(recorded(tmp_path, picture(real)))
        heads = page.locator("#stock-head th").all_inner_texts()
        assert heads == [
            "Location", "Product", "Promise (ATP)", "ERP shows", "Imported", "Allocated",
            "Shipped, not released",
        ]  # fmt: skip
        assert page.locator("#stages > li h3").count() == 2
        assert "Truth" not in page.locator("#readout").inner_text()
        picture_of(page, "without_truth")


def test_motion_is_left_out_for_those_who_want_none(chromium: Browser, tmp_path: Path) -> None:
    shown = picture(reading(open_events=(forwarded(5, applied_at=NOW - timedelta(minutes=1)),)))
    for wish, name in (("reduce", "none"), ("no-preference", "arrive")):
        with page_in(chromium, reduced_motion=wish) as page:
            page.goto(recorded(tmp_path, shown))
            chip = page.locator(".chip").first
            assert chip.evaluate("chip => getComputedStyle(chip).animationName") == name
