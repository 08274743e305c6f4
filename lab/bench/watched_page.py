"""A browser before the page of its connection, left alone: ``python -m lab.bench.watched_page ADDRESS MODE WORDS``.

MODE is "script" or "plain". Prints the time, in seconds since the epoch, when the page is there, and when its heading
says WORDS.
"""

from __future__ import annotations

import sys
import time

from playwright.sync_api import sync_playwright

from lab.hotspot import PORTAL_HOST, PORTAL_URL
from tests.services.chromium import FLAGS
from tests.services.parts import program

PATIENCE_MS = 60_000


def main() -> None:
    address, mode, words = sys.argv[1:]
    resolver = f"--host-resolver-rules=MAP {PORTAL_HOST} {address}"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program("chromium"), headless=True, args=[*FLAGS, resolver]
        )
        # The lab's own authority is known to the lab alone.
        page = browser.new_page(
            java_script_enabled=mode == "script", ignore_https_errors=True, locale="fr-FR"
        )
        page.goto(f"{PORTAL_URL}/status", timeout=PATIENCE_MS)
        page.wait_for_selector("#left", timeout=PATIENCE_MS)
        print(time.time(), flush=True)
        page.wait_for_selector(f"main h1:visible:text-is('{words}')", timeout=PATIENCE_MS)
        print(time.time(), flush=True)
        browser.close()


if __name__ == "__main__":
    main()
