"""The page of figures under an advertiser's link: accessible, and fitting in narrow and wide windows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser
from sqlalchemy import select
from sqlalchemy.orm import Session

from ads.ledger import links
from sites.models import Gateway
from tests.ads.campaigns import AUTHOR, accept, make_advertiser, run_campaign
from tests.clock import NOON
from tests.portal.pages.axe import broken_in_both_themes
from tests.portal.pages.geometry import layout_faults
from tests.portal.pages.scene import FREE, LIBRARY, Portal, open_window, running_portal

pytestmark = pytest.mark.browser


def with_figures(db: Session) -> None:
    """A bakery whose campaign with a price was accepted at two places, and one without figures."""
    bread = run_campaign(db, "bread", name="Le pain de Noël des boulangeries", price_cents=1250)
    run_campaign(db, "cake")
    make_advertiser(db, "new", name="Nobody Yet")
    gateways = {one.identity: one for one in db.scalars(select(Gateway))}
    for number in range(60):
        place = gateways[FREE if number < 45 else LIBRARY]
        accept(db, place, bread.creatives[0].id, number)


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    with running_portal(tmp_path_factory.mktemp("figures"), prepare=with_figures) as portal:
        yield portal


@pytest.mark.parametrize(("advertiser", "lang"), [("bakery", "fr"), ("bakery", "en"), ("new", "fr")])
def test_the_page_keeps_the_rules_of_pages(
    portal: Portal, chromium: Browser, advertiser: str, lang: str
) -> None:
    with portal.services.make_session.begin() as db:
        secret, _ = links.make(db, advertiser, life=timedelta(days=30), actor=AUTHOR, now=NOON)
    with open_window(chromium) as window:
        page = window.new_page()
        answer = page.goto(f"{portal.url}/figures/{secret}?lang={lang}")
        assert answer is not None and answer.status == 200
        assert page.locator("html").get_attribute("lang") == lang
        assert page.locator("h1").count() == 1
        assert page.locator("table").count() >= (4 if advertiser == "bakery" else 0)
        assert page.locator(".wide[tabindex='0'][role=region]").count() == page.locator("table").count()
        broken = broken_in_both_themes(page)
        for width, height in ((320, 568), (1280, 800)):
            page.set_viewport_size({"width": width, "height": height})
            broken += [f"{width}: {fault}" for fault in layout_faults(page)]
        page.set_viewport_size({"width": 320, "height": 568})
        page.evaluate("document.documentElement.style.fontSize = '225%'")
        broken += [one for one in layout_faults(page) if "edge" in one or "sideways" in one]
    # A table of figures is moved within its own region (WCAG 2.2, 1.4.10); the page is not.
    assert [one for one in broken if not re.search("outside of the window: <(th|td)", one)] == []
