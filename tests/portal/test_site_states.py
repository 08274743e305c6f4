"""How the wifi is at each place, as the public reads it: working, slowed, out of order, and since when."""

from __future__ import annotations

from datetime import timedelta

import pytest

from portal.services import Services
from sessions.troubles import kinds
from sessions.troubles.service import Found, record
from sites.models import Site, SiteState
from tests.clock import MovingClock
from tests.portal.conftest import Phone
from tests.town import Town

KINDS = (kinds.GATEWAY_SILENT, kinds.GATEWAY_DRIFTING)


def say_of(services: Services, clock: MovingClock, *found: tuple[kinds.TroubleKind, str, str]) -> None:
    since = clock() - timedelta(minutes=10)
    with services.make_session.begin() as db:
        troubles = [Found(kind, subject, since, (), {"site_slug": site}) for kind, subject, site in found]
        record(db, KINDS, troubles, now=clock())


def test_every_page_says_the_same_of_a_place(
    phone: Phone, services: Services, town: Town, clock: MovingClock
) -> None:
    assert "It works everywhere." in phone.get("/hotspots/status").text
    say_of(
        services,
        clock,
        (kinds.GATEWAY_SILENT, "gw-battant", "battant"),
        (kinds.GATEWAY_DRIFTING, "gw-viotte", "gare-viotte"),
    )
    for path in ("/hotspots/status", "/hotspots", "/info/battant"):
        assert "Out of order since 11:50" in phone.get(path).text, path
    for path in ("/hotspots/status", "/hotspots", "/info/gare-viotte"):
        assert "Slowed since 11:50" in phone.get(path).text, path
    assert "It works in 1 place." in phone.get("/hotspots/status").text
    features = phone.get("/hotspots.geojson").get_json(force=True)["features"]
    told = {one["properties"]["slug"]: one["properties"] for one in features}
    assert (told["battant"]["state"], told["battant"]["slowed_since"]) == ("outage", None)
    assert told["gare-viotte"]["state"] == "live"
    assert told["gare-viotte"]["slowed_since"] == "2026-11-24T10:50:00+00:00"
    # "Open now" leaves out what is out of order, and not what is slowed.
    shown = phone.get("/hotspots?open=1").text
    assert "Gare Viotte" in shown and "/info/battant" not in shown
    say_of(services, clock)
    info = phone.get("/info/battant").text
    assert "<strong>Working</strong>" in info and "from 11:50 to 12:00" in info
    assert "from 11:50" not in phone.get("/info/gare-viotte").text


def test_what_people_have_planned_goes_before_what_is_measured(
    phone: Phone, services: Services, town: Town, clock: MovingClock
) -> None:
    say_of(services, clock, (kinds.GATEWAY_SILENT, "gw-battant", "battant"))
    with services.make_session.begin() as db:
        site = db.query(Site).filter_by(slug="battant").one()
        site.state, site.state_since = SiteState.CLOSED, clock() - timedelta(days=1)
        site.state_until = clock() + timedelta(days=1)
    assert "Closed until" in phone.get("/info/battant").text


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("fr", "Ralenti depuis"),
        ("de", "Verlangsamt seit"),
        ("it", "Rallentato dalle"),
        ("es", "Ralentizado desde"),
        ("ar", "بطيء منذ"),
    ],
)
def test_it_is_told_in_the_languages_of_the_town(
    phone: Phone, services: Services, town: Town, clock: MovingClock, language: str, words: str
) -> None:
    say_of(services, clock, (kinds.GATEWAY_DRIFTING, "gw-viotte", "gare-viotte"))
    page = phone.get(f"/hotspots/status?lang={language}").text
    assert words in page and "What the words mean" not in page
