"""Debian's Chromium, driven by Playwright; a page that remembers what should not have happened."""

from __future__ import annotations

import shutil
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium")
SECONDS = 60
"""No test waits longer for a page: a page that is slow fails nothing else."""


def needs_chromium() -> Any:
    """The module of Playwright; the tests are skipped, and say why, where it or the browser is not installed."""
    if CHROMIUM is None:
        pytest.skip("chromium is not installed (apt-get install chromium)", allow_module_level=True)
    playwright = pytest.importorskip("playwright.sync_api")
    playwright.expect.set_options(timeout=SECONDS * 1000)
    return playwright


@contextmanager
def browsing() -> Generator[Any]:
    """A browser without a window."""
    playwright = needs_chromium()
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        try:
            yield browser
        finally:
            browser.close()


class Watched:
    """A page, and what went wrong on it: errors of scripts, failed requests, requests to other hosts, dialogs."""

    def __init__(self, browser: Any, url: str, **options: Any) -> None:
        self.url = url
        self.context = browser.new_context(base_url=url, **options)
        self.context.set_default_timeout(SECONDS * 1000)
        self.page = self.context.new_page()
        self.wrong: list[str] = []
        self.page.on("console", lambda message: message.type == "error" and self.wrong.append(message.text))
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("dialog", lambda dialog: self.wrong.append(f"dialog: {dialog.message}"))
        self.page.on("request", self._requested)
        self.page.on("requestfailed", self._failed)

    def _requested(self, request: Any) -> None:
        if not request.url.startswith(self.url):
            self.wrong.append(f"a request to {request.url}")

    def _failed(self, request: Any) -> None:
        if "ERR_ABORTED" not in request.failure:  # the page that wanted it has gone
            self.wrong.append(f"{request.url}: {request.failure}")

    def open(self, path: str) -> Any:
        """Go to an address of the console, and wait for its heading."""
        self.page.goto(f"/console{path}")
        self.page.wait_for_selector("h1")
        return self.page


def watching(browser: Any, url: str, **options: Any) -> Iterator[Watched]:
    """A page for a test; nothing may have gone wrong on it."""
    watched = Watched(browser, url, **options)
    yield watched
    watched.context.close()
    assert watched.wrong == [], watched.wrong
