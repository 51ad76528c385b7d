"""Debian's Chromium under Playwright: pages that may reach one address only, and pictures."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from cli.room.history import History
from cli.room.page import report_page
from cli.room.picture import Picture
from local.template import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

REQUIRED = "BROWSER_REQUIRED"
"""Set by CI, where a missing browser is a failure."""
LOOKS = [("light", 1400), ("dark", 1400), ("light", 390), ("dark", 390)]
"""Colour scheme and width, of a screen and of a telephone."""
PICTURES = ROOT / "build" / "room"
AXE_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def chromium() -> str | None:
    """Its path."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


def axe() -> Path | None:
    """Where tools/get_axe.sh puts it."""
    return next(iter(sorted((ROOT / "build").glob("axe-*/axe.min.js"))), None)


def why_not() -> str:
    """Why no page can be tested here; empty where it can."""
    try:
        import playwright  # noqa: F401
    except ImportError:
        return "the browser driver is not installed: run `make room-test`"
    if chromium() is None:
        return "no Chromium on PATH: on Debian `apt-get install chromium`"
    if axe() is None:
        return "axe-core was not fetched: run `tools/get_axe.sh` where npm is"
    return ""


OBSTACLE = why_not()
NEEDS_BROWSER = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(OBSTACLE) and not os.environ.get(REQUIRED), reason=OBSTACLE),
]
"""The marks of a file of tests."""
LONG = "Outlet-Köln-Ehrenfeld-Venloer-Straße-Hinterhaus-2-Reserve"
"""A location as a retailer may call one."""


@contextmanager
def browser() -> Iterator[Browser]:
    """Headless; in a container of its own, where its sandbox cannot be had, without it."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        sandbox = [] if os.geteuid() else ["--no-sandbox"]
        found = playwright.chromium.launch(executable_path=chromium(), args=sandbox)
        try:
            yield found
        finally:
            found.close()


@contextmanager
def page_in(browser: Browser, width: int = 1400, height: int = 900, **looks: Any) -> Iterator[Page]:
    """A page of its own; whatever went wrong in it, or was asked of elsewhere, fails the test."""
    troubles: list[str] = []
    context = browser.new_context(viewport={"width": width, "height": height}, **looks)
    page = context.new_page()
    page.set_default_timeout(10_000)
    page.on("pageerror", lambda error: troubles.append(f"error: {error}"))
    page.on("console", lambda line: troubles.append(line.text) if line.type == "error" else None)
    page.on("request", lambda request: troubles.extend(_elsewhere(request.url)))
    try:
        yield page
    finally:
        context.close()
    assert troubles == []


def _elsewhere(url: str) -> list[str]:
    parts = urlsplit(url)
    here = parts.scheme in {"data", "file"} or parts.hostname == "127.0.0.1"
    return [] if here else [f"asked elsewhere: {url}"]


def obstacles(page: Page) -> list[str]:
    """What axe finds: rule, what it is about, and where."""
    # By the debugger: the page's policy lets no other script in, and is to stay as it is.
    code = (axe() or Path()).read_text(encoding="utf-8")
    page.evaluate(f"() => {{ {code} ; }}")
    found = page.evaluate(
        "tags => axe.run(document, { runOnly: { type: 'tag', values: tags } })", AXE_RULES
    )
    assert found["passes"], "axe looked at nothing"
    return [
        f"{violation['id']}: {violation['help']}: {node['html'][:160]}"
        for violation in found["violations"]
        for node in violation["nodes"]
    ]


def fits(page: Page) -> bool:
    """Nothing makes the page as a whole scroll sideways."""
    wide: bool = page.evaluate(
        "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    )
    return wide


def picture_of(page: Page, name: str) -> None:
    """The whole page as build/room/NAME.png."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / f"{name}.png", full_page=True, animations="disabled")


def recorded(tmp_path: Path, *pictures: Picture, title: str = "A story") -> str:
    """The address of a report of these moments."""
    history = History()
    for each in pictures:
        history.add(each)
    path = tmp_path / "report.html"
    path.write_text(report_page(title, history.moments()), encoding="utf-8")
    return path.as_uri()


def sees(page: Page, text: str) -> None:
    """The page is drawn with the next frame, not at once."""
    page.get_by_text(text).first.wait_for()


def moment_with(page: Page, text: str) -> None:
    """Go back from the end until the status says it."""
    for _ in range(50):
        if text in page.locator("#status").inner_text():
            return
        page.get_by_role("button", name="Earlier").click()
        page.wait_for_timeout(20)
    pytest.fail(f"no moment says {text!r}")
