"""Takes the pictures of README, desk's guide and guests' journeys: ``python -m tests.portal.pictures [FOLDER]``.

By default into ``docs/pictures``.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import ViewportSize

from ads.demo import read_announcements
from ads.loading import Wanted
from auth.staff.roles import Role
from auth.vouchers.plans import add_first_plans
from tests.portal.pages.people import PEOPLE
from tests.portal.pages.scene import (
    Guest,
    landing_free,
    landing_library,
    new_guest,
    open_window,
    running_portal,
    status_free_late,
)
from tests.portal.staff.window import Clerk
from tests.services.chromium import running_chromium

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
ADDRESS = "http://wifi.besancon.example"
LAPTOP = ViewportSize(width=960, height=720)
PICTURES: dict[str, Callable[[Guest], None]] = {
    "library": landing_library,
    "free": landing_free,
    "status": status_free_late,
}
# The same in a laptop's window.
WIDE = ViewportSize(width=1280, height=760)
WIDE_PICTURES: dict[str, Callable[[Guest], None]] = {
    "wide-free": landing_free,
    "wide-library": landing_library,
    "wide-status": status_free_late,
}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


def take_desk(folder: Path) -> list[Path]:
    """A clerk's first day, in the light theme, at the width of a laptop's window."""
    folder.mkdir(parents=True, exist_ok=True)
    taken: list[Path] = []
    with (
        tempfile.TemporaryDirectory() as town,
        running_portal(Path(town), portal_url=ADDRESS, prepare=add_first_plans) as portal,
        running_chromium() as browser,
        open_window(
            browser,
            viewport=LAPTOP,
            java_script_enabled=False,
            proxy={"server": f"http://127.0.0.1:{portal.port}"},
        ) as window,
    ):
        clerk = Clerk(portal, window.new_page(), "fr")
        clerk.hire(Role.DESK)
        clerk.sign_in()
        for name, show in DESK.items():
            show(clerk)
            path = folder / f"{name}.png"
            clerk.page.screenshot(path=path)
            _shrink(path)
            taken.append(path)
    return taken


def desk(clerk: Clerk) -> None:
    clerk.goto("/staff/desk")
    clerk.page.select_option("#desk", "pierre-bayle")


def desk_sheet(clerk: Clerk) -> None:
    clerk.issue("30", event="Fête du livre")
    clerk.preview()
    clerk.page.set_viewport_size({**LAPTOP, "height": 1240})


def desk_spoiled(clerk: Clerk) -> None:
    clerk.page.set_viewport_size(LAPTOP)
    clerk.goto("/staff/desk")
    clerk.page.fill("#wanted", "2-7")
    clerk.enter("#wanted")


def desk_balanced(clerk: Clerk) -> None:
    with clerk.page.expect_navigation():
        clerk.page.click('form[action*="/replace"] button')
    clerk.goto("/staff/batches/2")


def _shrink(path: Path, *, colours: int = 64) -> None:
    """Pages have few colours: a palette of them makes a file a third as large."""
    with Image.open(path) as picture:
        picture.convert("RGB").quantize(colours, dither=Image.Dither.NONE).save(path, optimize=True)


# At the desk's computer, one after the other.
DESK: dict[str, Callable[[Clerk], None]] = {
    "desk": desk,
    "desk-pass": lambda clerk: clerk.enter("#count"),
    "desk-sheet": desk_sheet,
    "desk-spoiled": desk_spoiled,
    "desk-balanced": desk_balanced,
}


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
                    _shrink(path)
                    taken.append(path)
    return taken


def take_wide(folder: Path) -> list[Path]:
    """Pages as a laptop shows them."""
    folder.mkdir(parents=True, exist_ok=True)
    taken: list[Path] = []
    with (
        tempfile.TemporaryDirectory() as town,
        running_portal(Path(town), portal_url=ADDRESS) as portal,
        running_chromium() as browser,
    ):
        proxy = {"server": f"http://127.0.0.1:{portal.port}"}
        for name, show in WIDE_PICTURES.items():
            with open_window(browser, viewport=WIDE, proxy=proxy) as window:
                show(guest := new_guest(portal, window, "fr"))
                path = folder / f"{name}.png"
                guest.page.screenshot(path=path)
                _shrink(path)
                taken.append(path)
    return taken


def take_message(folder: Path) -> list[Path]:
    """The first page with the message of the demo town that has a picture, as long as the page's form is."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "message-picture.png"
    with (
        tempfile.TemporaryDirectory() as town,
        running_portal(Path(town), portal_url=ADDRESS, wanted=_citadel()) as portal,
        running_chromium() as browser,
        open_window(browser, proxy={"server": f"http://127.0.0.1:{portal.port}"}) as window,
    ):
        landing_free(guest := new_guest(portal, window, "fr"))
        guest.page.wait_for_load_state("load")
        button = guest.page.locator("main .go").first.bounding_box()
        assert button is not None
        height = int(button["y"] + button["height"]) + 16
        guest.page.screenshot(
            path=path, full_page=True, clip={"x": 0, "y": 0, "width": 360, "height": height}
        )
    _shrink(path, colours=256)
    return [path]


def _citadel() -> Wanted:
    nothing: frozenset[str] = frozenset()
    known = dict.fromkeys(("campaigns", "networks", "sites", "site_kinds"), nothing)
    found = read_announcements(known)
    (fields, messages), *_ = found.campaigns
    return Wanted(found.advertisers, [(fields, [one for one in messages if "picture" in one])])


def take_people(folder: Path) -> list[Path]:
    """Each step of the four journeys, as long as its page is."""
    folder.mkdir(parents=True, exist_ok=True)
    taken: list[Path] = []
    with (
        tempfile.TemporaryDirectory() as town,
        running_portal(Path(town), portal_url=ADDRESS) as portal,
        running_chromium() as browser,
    ):
        for name, person in PEOPLE.items():
            proxy = {"server": f"http://127.0.0.1:{portal.port}"}
            with open_window(browser, proxy=proxy, **person.window) as window:
                guest = new_guest(portal, window, person.lang)
                for step in person.walk(guest):
                    path = folder / f"{name}-{step}.png"
                    guest.page.screenshot(path=path, full_page=True)
                    _shrink(path)
                    taken.append(path)
    return taken


if __name__ == "__main__":
    chosen = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    for picture in [
        *take(chosen),
        *take_wide(chosen),
        *take_message(chosen),
        *take_desk(chosen),
        *take_people(chosen),
    ]:
        print(f"{picture} {picture.stat().st_size // 1024} kB")
