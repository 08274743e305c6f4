"""Takes the pictures of the README: ``python -m tests.portal.pictures [FOLDER]``, by default ``docs/pictures``."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from tests.portal.pages.scene import (
    Guest,
    landing_free,
    landing_library,
    new_guest,
    open_window,
    running_portal,
    status_free_late,
)
from tests.services.chromium import running_chromium

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
ADDRESS = "http://wifi.besancon.example"
PICTURES: dict[str, Callable[[Guest], None]] = {
    "library": landing_library,
    "free": landing_free,
    "status": status_free_late,
}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


def take(folder: Path) -> list[Path]:
    """Take each picture in each theme; the files."""
    folder.mkdir(parents=True, exist_ok=True)
    taken: list[Path] = []
    with (
        tempfile.TemporaryDirectory() as town,
        running_portal(Path(town), portal_url=ADDRESS) as portal,
        running_chromium() as browser,
    ):
        # The browser believes that the portal has the address of a town's.
        proxy = {"server": f"http://127.0.0.1:{portal.port}"}
        for name, show in PICTURES.items():
            for scheme in SCHEMES:
                with open_window(
                    browser, color_scheme=scheme, device_scale_factor=1.15, proxy=proxy
                ) as window:
                    show(guest := new_guest(portal, window, "fr"))
                    path = folder / f"{name}-{scheme}.png"
                    guest.page.screenshot(path=path)
                    taken.append(path)
    return taken


if __name__ == "__main__":
    for picture in take(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER):
        print(f"{picture} {picture.stat().st_size // 1024} kB")
