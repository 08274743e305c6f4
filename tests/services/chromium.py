"""A real browser for the tests: Chromium, driven by Playwright, without a window."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, expect, sync_playwright

from tests.services.parts import program

# Chromium's engine without the windows of a desktop: to open a page in it costs a fifth of the processor time.
HEADLESS = "chromium-headless-shell"
WHOLE = "chromium"
# It must talk to nobody but the page that the test opens.
FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-sandbox",
)


# How long a page may take on a machine that does much else. Whoever waits, waits for the page, not for this.
PATIENCE_MS = 30_000


@contextmanager
def running_chromium(name: str = WHOLE) -> Iterator[Browser]:
    """A browser that starts once for many tests; each opens a context of its own in it."""
    path = program(name)
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, headless=True, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def whole_chromium(beside: Browser) -> Iterator[Browser]:
    """The browser that people have, for what the one without windows does otherwise: it shows
    notifications, and says whether a page can be installed."""
    browser = beside.browser_type.launch(executable_path=program(WHOLE), headless=True, args=list(FLAGS))
    try:
        yield browser
    finally:
        browser.close()
