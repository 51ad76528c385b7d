"""The control room's page as Debian's Chromium shows it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

WIDTH, HEIGHT = 1200, 780
"""Down to the end of the first chart."""


class NoBrowserError(Exception):
    """There is nothing to show a page with."""


def take_pictures(report: Path, targets: dict[str, Path]) -> None:
    """The end of a story's report, as PNG by colour scheme; NoBrowserError without a browser."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        chromium = None
    if chromium is None:
        raise NoBrowserError(
            "the page needs Chromium (tools/get_chromium.sh) and its driver (make .venv/.browser)"
        )
    sandbox = [] if os.geteuid() else ["--no-sandbox"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=sandbox)
        for scheme, target in targets.items():
            looks: dict[str, Any] = {"color_scheme": scheme, "reduced_motion": "reduce"}
            page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, **looks)
            page.goto(report.resolve().as_uri())
            page.locator("#status h2").wait_for()
            page.screenshot(path=target, animations="disabled")
            page.close()
        browser.close()
