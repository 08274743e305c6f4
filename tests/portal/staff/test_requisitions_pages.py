"""A requisition answered in Chromium, as the privacy officer does it: registered, weighed, downloaded, verified."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.staff.roles import Role
from sessions.legal_requests.package import check_package
from sessions.port_blocks import PortBlock
from sites.models import Gateway
from tests.clock import NOON
from tests.portal.pages.scene import FREE, Portal, open_window, running_portal
from tests.portal.staff.test_pages import DESKTOP, Clerk, look
from tests.sessions.legal_requests.rows import PUBLIC, add_first_bases, online

pytestmark = pytest.mark.browser
TYPED = {
    "authority": "Commissariat de police, Besançon",
    "signer": "Capitaine A. Martin, OPJ",
    "reference": "PV 2026/4711",
    "public_address": PUBLIC,
    "port": "5200",
    "at": "2026-11-24T12:01:00",
}


def prepare(db: Session) -> None:
    add_first_bases(db)
    gateway = db.scalars(select(Gateway).where(Gateway.identity == FREE)).one()
    online(db, gateway, 1, PortBlock(PUBLIC, 5120, 6127), begins=NOON)
    online(db, gateway, 2, PortBlock(PUBLIC, 6128, 7135), begins=NOON)


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    with running_portal(tmp_path_factory.mktemp("requisitions"), prepare=prepare) as portal:
        portal.clock.advance(hours=1)
        yield portal


def fill(clerk: Clerk, **typed: str) -> None:
    clerk.goto("/staff/requisitions/new")
    for name, text in (TYPED | typed).items():
        clerk.page.fill(f"#{name}", text)
    clerk.page.select_option("#basis", "CPP 77-1-1")
    # Nobody guesses a zone: it is chosen as the letter has it.
    clerk.page.select_option("#zone", "Europe/Paris")
    clerk.enter("#at")


@pytest.mark.parametrize("lang", ["fr", pytest.param("en", marks=pytest.mark.release)])
def test_a_requisition_is_answered_downloaded_and_verified(
    portal: Portal, chromium: Browser, tmp_path: Path, lang: str
) -> None:
    with open_window(chromium, viewport=DESKTOP, java_script_enabled=False) as window:
        clerk = Clerk(portal, window.new_page(), lang, login=f"pat.{lang}")
        clerk.hire(Role.PRIVACY)
        clerk.sign_in()
        fill(clerk)
        expect(clerk.page.locator(".lead")).to_contain_text(f"{PUBLIC}:5200")
        clerk.page.locator("a.go").click()
        with clerk.page.expect_download() as download:
            clerk.page.locator("button.go").click()
        path = tmp_path / download.value.suggested_filename
        download.value.save_as(path)
        assert check_package(path.read_bytes(), portal.services.signer.public_key()).is_good
        number = path.name.split("-")[1]
        clerk.goto(f"/staff/requisitions/{number}")
        trail = clerk.page.locator("table")
        for deed in DEEDS[lang]:
            expect(trail).to_contain_text(deed)


DEEDS = {
    "fr": ["a inscrit une réquisition", "a commencé à répondre", "a remis le dossier"],
    "en": ["registered a requisition", "began to answer", "gave the package"],
}


@pytest.mark.parametrize("lang", ["fr", pytest.param("en", marks=pytest.mark.release)])
def test_its_pages_are_open_to_all(portal: Portal, chromium: Browser, lang: str) -> None:
    with open_window(chromium, viewport=DESKTOP) as window:
        clerk = Clerk(portal, window.new_page(), lang, login=f"open.{lang}")
        clerk.hire(Role.PRIVACY)
        clerk.sign_in()
        clerk.goto("/staff/requisitions/new")
        look(clerk, f"new-{lang}")
        fill(clerk, port="lots")
        look(clerk, f"refused-{lang}")
        # Just before they were online: nobody, and a doubt.
        fill(clerk, at="2026-11-24T11:59:30")
        look(clerk, f"entry-{lang}")
        clerk.page.locator("a.go").click()
        expect(clerk.page.locator("button.go")).to_be_visible()
        look(clerk, f"package-{lang}")
        clerk.goto("/staff/requisitions")
        look(clerk, f"list-{lang}")
