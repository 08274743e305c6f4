"""The pages of terms and holds in Chromium: open to all, in both themes, at 320 pixels."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser

from auth.staff.roles import Role
from sessions.data_classes import DataClass
from sessions.retention import holds, periods
from sessions.retention.law import Term
from sessions.retention.models import PurgeRun, TermChange, TermUnit
from tests.actors import person
from tests.portal.pages.axe import broken_rules, themes
from tests.portal.pages.scene import Portal, open_window, running_portal
from tests.portal.staff.test_pages import Clerk

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    with running_portal(tmp_path_factory.mktemp("keeping-pages")) as portal:
        now = portal.services.clock()
        with portal.services.make_session.begin() as db:
            periods.seed(db, now=now)
            db.flush()
            db.add(
                PurgeRun(
                    as_of=now,
                    finished_at=now,
                    refused="runaway",
                    detail={"decisions": "1001 of 1001"},
                    position=0,
                )
            )
            for rule in periods.current(db):
                if rule.data_class is DataClass.SECURITY:
                    month = Term(1, TermUnit.MONTHS)
                    asked = periods.change(
                        db, rule.id, term=month, basis="Moins suffit", actor=person("pia"), now=now
                    )
                    assert isinstance(asked, TermChange)
            holds.place(
                db,
                holds.HoldScope(mac="02:00:00:00:0b:01"),
                reference="Réq. 12",
                reason="Enquête",
                expires_at=now + timedelta(days=60),
                actor=person("pia"),
                now=now,
            )
        yield portal


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_terms_and_holds_are_open_to_all(portal: Portal, chromium: Browser, lang: str) -> None:
    with open_window(chromium) as window:
        clerk = Clerk(portal, window.new_page(), lang, f"quentin.{lang}")
        clerk.hire(Role.PRIVACY)
        clerk.sign_in()
        for name in ("retention", "holds"):
            for theme in themes(lang):
                clerk.page.emulate_media(color_scheme=theme)
                clerk.page.set_viewport_size({"width": 320, "height": 700})
                clerk.goto(f"/staff/{name}")
                assert clerk.page.evaluate("document.documentElement.scrollWidth") <= 320, name
                assert broken_rules(clerk.page) == [], (name, theme)
                if folder := os.environ.get("PICTURES"):
                    clerk.page.set_viewport_size({"width": 1000, "height": 800})
                    clerk.page.screenshot(path=f"{folder}/{name}-{theme}-{lang}.png", full_page=True)
