"""Everything held about a connection, for the one who has it, and for nobody else."""

from __future__ import annotations

import json

from flask import Flask
from sqlalchemy.orm import Session

from sessions.models import AccessSession
from tests.clock import MovingClock
from tests.portal.conftest import Agent, Phone
from tests.town import BO_PHONE, Town


def online(app: Flask, town: Town, clock: MovingClock, **who: str) -> Phone:
    phone = Phone(app, town.station, **who)
    phone.land()
    clock.advance(seconds=6)
    phone.press("/pause")
    Agent(app, town.station).follow()
    return phone


def token_of(phone: Phone) -> str:
    return phone.page.location.partition("visit=")[2].partition("&")[0]


def test_a_device_takes_along_all_about_its_own_session_and_nothing_else(
    app: Flask, town: Town, clock: MovingClock, db: Session
) -> None:
    bo = online(app, town, clock, mac=BO_PHONE, address="10.66.0.9")
    ada = online(app, town, clock)
    document = json.loads(ada.get(f"/yours.json?visit={token_of(ada)}").text)
    mine = db.query(AccessSession).filter_by(mac=ada.mac).one()
    assert [one["session"] for one in document["connection"]] == [mine.id]
    assert document["connection"][0]["leases"][0]["address"] == "10.66.0.5"
    assert document["terms"]["connection"] == {
        "amount": 1,
        "unit": "years",
        "basis": document["terms"]["connection"]["basis"],
    }
    assert len(document["acceptance"]) == 1
    assert BO_PHONE not in json.dumps(document) and bo.mac == BO_PHONE


def test_the_page_says_it_in_words_and_why_it_cannot_be_deleted(
    app: Flask, town: Town, clock: MovingClock
) -> None:
    ada = online(app, town, clock)
    page = ada.get(f"/yours?visit={token_of(ada)}").text
    assert ada.mac in page and "1 year" in page and "17.3.b" in page
    assert "/yours.json" in page


def test_who_is_not_online_is_shown_nothing(app: Flask, town: Town) -> None:
    stranger = Phone(app, town.station)
    stranger.land()
    assert stranger.get("/yours").status_code in (200, 404)
    assert "pseudonym" not in stranger.page.text


def test_where_a_captive_window_may_read_it_the_address_for_help_is_text(
    app: Flask, town: Town, clock: MovingClock
) -> None:
    """Such a window writes no mail; a browser's script makes it a link. Off our wifi there is no such window."""
    ada = online(app, town, clock)
    for page in (ada.get(f"/yours?visit={token_of(ada)}").text, ada.land().text):
        assert 'href="mailto:' not in page and 'data-mail="mailto:wifi@example.org"' in page
    ada.address = "203.0.113.7"
    assert 'href="mailto:wifi@example.org"' in ada.get("/hotspots").text
