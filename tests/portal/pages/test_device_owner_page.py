"""The page of a device's owner: accessible, and fitting in narrow and wide windows, without script."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser
from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.fixed_devices.models import FixedDevice
from tests.actors import TESTER
from tests.auth.fixed_devices.devices import admit_devices, register_device
from tests.clock import NOON
from tests.portal.pages.axe import broken_in_both_themes
from tests.portal.pages.geometry import layout_faults
from tests.portal.pages.scene import Portal, open_window, running_portal

pytestmark = pytest.mark.browser


def with_a_camera(db: Session) -> None:
    admit_devices(db)
    register_device(db).last_seen_at = NOON


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    with running_portal(tmp_path_factory.mktemp("owner"), prepare=with_a_camera) as portal:
        with portal.services.make_session.begin() as db:
            device = db.scalars(select(FixedDevice)).one()
            portal.services.owner_links.make(db, device, actor=TESTER, now=NOON)
        yield portal


@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_the_page_keeps_the_rules_of_pages(portal: Portal, chromium: Browser, lang: str) -> None:
    with portal.services.make_session() as db:
        secret = portal.services.owner_links.secret_of(db.scalars(select(FixedDevice)).one())
    with open_window(chromium) as window:
        page = window.new_page()
        for path, status in ((f"/devices/{secret}", 200), ("/devices/nothing", 404)):
            answer = page.goto(f"{portal.url}{path}?lang={lang}")
            assert answer is not None and answer.status == status
            assert page.locator("html").get_attribute("lang") == lang
            assert page.locator("h1").count() == 1
            assert page.locator("main form, main button").count() == 0
            broken = broken_in_both_themes(page)
            for width, height in ((320, 568), (1280, 800)):
                page.set_viewport_size({"width": width, "height": height})
                broken += [f"{width}: {fault}" for fault in layout_faults(page)]
            assert broken == []
