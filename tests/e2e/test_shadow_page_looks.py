"""The shadow's report in both colour schemes, wide and narrow; each picture is kept in build/room.

Skipped, with the reason, where there is no Chromium or no driver; `make room-test` runs it.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cli.shadow_page import page_of
from inventory_sync.domain.shadow import Look, PromiseRow, ShadowReport, UnshownUnits
from inventory_sync.use_cases.reconcile.shadow_report import report_of
from tests.builders import HOUR, MINUTE, NOW
from tests.e2e.browser import LONG, LOOKS, NEEDS_BROWSER, fits, obstacles, page_in, picture_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = NEEDS_BROWSER
PLACES = ("DC01", LONG, *(f"STORE-{number:03}" for number in range(70)))
DAYS = 14


def row(product: str, atp: int, hour: int) -> PromiseRow:
    """Eight units, of which two may not be booked yet."""
    gone_at = NOW + hour * HOUR - 10 * MINUTE
    return PromiseRow(
        product_id=product,
        on_hand=8,
        unshown=(UnshownUnits(1_764_000_000_000 + hour, f"request-{hour}-{product}", gone_at, 2),),
        allocations=2,
        shipped=1,
        reservations=1,
        safety_stock=1,
        atp=atp,
    )


def two_weeks() -> ShadowReport:
    """Looks each hour at many locations: most is right, at day more is wrong than at night."""
    looks = [
        Look(
            location_id=place,
            at=NOW + hour * HOUR,
            as_of=NOW + hour * HOUR - 5 * MINUTE,
            rows=400,
            unchecked=number % 3,
            differing=tuple(
                row(f"Women's-Merino-Cardigan-Very-Long-{n}" if n == 0 else f"SKU-{n}", atp, hour)
                for n, atp in enumerate((5, 9, 0)[: (number + hour) % 4])
            )
            if 8 <= hour % 24 <= 20
            else (),
        )
        for hour in range(24 * DAYS)
        for number, place in enumerate(PLACES)
    ]
    failed = Look(location_id="CLOSED", at=NOW + HOUR, unread="the ERP answered 503 " * 12)
    return report_of([*looks, failed], until=NOW + timedelta(days=DAYS))


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of the page."""
    path = tmp_path_factory.mktemp("shadow") / "report.html"
    path.write_text(page_of(two_weeks(), 1200), encoding="utf-8")
    return path.as_uri()


@pytest.mark.parametrize(("scheme", "width"), LOOKS)
def test_two_weeks_in_every_look(chromium: Browser, report: str, scheme: str, width: int) -> None:
    with page_in(chromium, width, color_scheme=scheme) as page:
        page.goto(report)
        assert page.get_by_role("heading", level=1).inner_text().startswith("What the present")
        assert page.locator("details").count() == 50
        assert obstacles(page) == []
        assert fits(page)
        picture_of(page, f"shadow-report-{scheme}-{width}")


@pytest.mark.parametrize(("scheme", "width"), LOOKS)
def test_where_all_was_right_in_every_look(
    chromium: Browser, tmp_path: Path, scheme: str, width: int
) -> None:
    right = report_of([Look(location_id="DC01", at=NOW, rows=9)], until=NOW + HOUR)
    path = tmp_path / "right.html"
    path.write_text(page_of(right, None), encoding="utf-8")
    with page_in(chromium, width, color_scheme=scheme) as page:
        page.goto(path.as_uri())
        page.get_by_text("Every promise was as the sum says.").wait_for()
        assert obstacles(page) == []
        assert fits(page)


def test_whatever_scrolls_can_be_reached_by_key_and_has_a_name(
    chromium: Browser, report: str
) -> None:
    with page_in(chromium, 390) as page:
        page.goto(report)
        unreachable = page.evaluate(
            "[...document.querySelectorAll('*')].filter(each => each.scrollWidth > each.clientWidth"
            " && ['auto', 'scroll'].includes(getComputedStyle(each).overflowX)"
            " && !(each.tabIndex === 0 && each.getAttribute('aria-label')))"
            ".map(each => each.outerHTML.slice(0, 80))"
        )
        assert unreachable == []
