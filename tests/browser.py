"""A real browser for tests of pages: Debian's chromium, driven by Playwright.

The fixture `browser` is every test's through tests/conftest.py (Playwright runs once per process).
Where there is no chromium, or no Playwright, its tests are skipped and say so.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A running headless browser; `open_page` opens pages in it."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    named = os.environ.get("CLEARCOAT_CHROMIUM")
    found = named or next(filter(None, map(shutil.which, CHROMIUM)), None)
    if found is None:
        pytest.skip("no chromium on this machine; CLEARCOAT_CHROMIUM may name one")
    with sync_api.sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=found, args=["--no-sandbox", "--disable-gpu"]
        )
        yield running
        running.close()


def open_page(browser: Any, file: Path, **options: Any) -> Any:
    """Open a file; the page fails the test on any error of a script or request to elsewhere."""
    page = browser.new_page(**options)
    # The browser leaves the test's session, and may get far less of a busy machine.
    page.set_default_timeout(60_000)
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(f"script: {error}"))
    page.on(
        "console",
        lambda message: problems.append(message.text) if message.type == "error" else None,
    )
    page.on("requestfailed", lambda request: problems.append(f"failed: {request.url[:200]}"))
    page.on(
        "request",
        lambda request: (
            None
            if request.url.startswith(("data:", "file:", "blob:"))
            else problems.append(f"network: {request.url[:200]}")
        ),
    )
    page.goto(file.resolve().as_uri())
    page.problems = problems
    return page
