"""Takes the pictures of docs/report.md: ``python -m tests.portal.report_pictures [FOLDER]``; needs pdftoppm.

A made-up past of two months is written into the demo town first.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path

from PIL import Image
from playwright.sync_api import ViewportSize

from auth.staff.roles import Role
from db.engine import make_engine
from lab.history.wish import Wish
from lab.history.writing import write
from portal import statistics
from tests.portal.pages.scene import Portal, open_window, running_portal
from tests.portal.pictures import FOLDER
from tests.portal.staff.window import Clerk
from tests.services.chromium import running_chromium

MONTH = "first=2026-10-01&last=2026-10-31"
PAGE, SHEETS = ViewportSize(width=780, height=1170), 3


def take(folder: Path) -> list[Path]:
    """The page of October and the first sheets of its print; the files."""
    folder.mkdir(parents=True, exist_ok=True)
    page, sheets = folder / "report-page.png", folder / "report-print.png"
    with (
        tempfile.TemporaryDirectory() as town,
        running_portal(Path(town)) as portal,
        running_chromium() as browser,
        open_window(browser, viewport=PAGE, java_script_enabled=False) as window,
    ):
        live_through(portal, Path(town))
        clerk = Clerk(portal, window.new_page(), "fr", login="maire")
        clerk.hire(Role.REPORT)
        clerk.sign_in()
        clerk.goto(f"/staff/reports?{MONTH}")
        clerk.page.screenshot(path=page)
        found = clerk.page.request.get(f"{portal.url}/staff/reports/pdf?{MONTH}&lang=fr")
        assert found.ok, found.status
        draw(found.body(), sheets)
    return [page, sheets]


def live_through(portal: Portal, town: Path) -> None:
    """September to November as they may have been, and their figures."""
    engine = make_engine(f"sqlite:///{town / 'town.sqlite3'}")
    write(engine, Wish(24_000, date(2026, 9, 1), portal.clock(), 1), tell=lambda sessions: None)
    engine.dispose()
    while statistics.make_next(portal.services) is not None:
        pass


def draw(print_out: bytes, path: Path) -> None:
    """The first sheets side by side."""
    with tempfile.TemporaryDirectory() as desk:
        command = ("pdftoppm", "-r", "60", "-png", "-l", str(SHEETS), "-", f"{desk}/sheet")
        subprocess.run(command, input=print_out, check=True)
        drawn = [Image.open(one).convert("RGB") for one in sorted(Path(desk).glob("*.png"))]
        width, height = drawn[0].size
        whole = Image.new("RGB", ((width + 8) * len(drawn) + 8, height + 16), "#c8c8c8")
        for number, one in enumerate(drawn):
            whole.paste(one, (8 + number * (width + 8), 8))
        whole.quantize(64, dither=Image.Dither.NONE).save(path, optimize=True)


if __name__ == "__main__":
    for picture in take(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER):
        print(f"{picture} {picture.stat().st_size // 1024} kB")
