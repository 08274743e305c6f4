"""Takes the pictures of docs/session-log.md: ``python -m tests.portal.staff.pictures [FOLDER]``."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from auth.staff.roles import Role
from tests.portal.pages.scene import open_window, running_portal
from tests.portal.pictures import FOLDER, SCHEMES
from tests.portal.staff.test_log_pages import WALK, an_afternoon
from tests.portal.staff.test_pages import Clerk
from tests.services.chromium import running_chromium

PICTURES = ("log-list", "log-session", "log-incident")


def take(folder: Path, names: tuple[str, ...] = PICTURES) -> list[Path]:
    """Take each picture; the files."""
    folder.mkdir(parents=True, exist_ok=True)
    taken: list[Path] = []
    walk: dict[str, Callable[[Clerk], None]] = {name: WALK[name] for name in names}
    with (
        tempfile.TemporaryDirectory() as town,
        running_portal(Path(town)) as portal,
        running_chromium() as browser,
    ):
        an_afternoon(portal, browser)
        for name, go in walk.items():
            for scheme in SCHEMES:
                with open_window(
                    browser, viewport={"width": 1100, "height": 860}, color_scheme=scheme
                ) as window:
                    clerk = Clerk(portal, window.new_page(), "fr", login=f"noor.{scheme}")
                    clerk.hire(Role.NETWORK)
                    clerk.sign_in()
                    go(clerk)
                    path = folder / f"{name}-{scheme}.png"
                    clerk.page.screenshot(path=path, full_page=name != "log-list")
                    taken.append(path)
    return taken


if __name__ == "__main__":
    for picture in take(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER):
        print(f"{picture} {picture.stat().st_size // 1024} kB")
