"""Where a page promises a time, it says what ends a stay before."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.services import Services
from sessions.models import Decision
from sites.models import Network
from tests.clock import MovingClock
from tests.portal.conftest import ADA, ADA_PIN, Agent, Phone
from tests.portal.test_pause import announcements
from tests.town import BO_PHONE, Town

__all__ = ["announcements"]

RULE = "A device that is inactive for 30 minutes is disconnected sooner."


def test_the_idle_rule_is_told_by_the_button_the_session_page_and_the_rules(
    reader: Phone, bayle: Agent
) -> None:
    assert RULE in reader.land().text
    reader.press("/signin", login=ADA, secret=ADA_PIN)
    bayle.follow()
    assert RULE in reader.get("/status").text
    assert RULE in reader.get("/pass").text
    assert RULE in reader.get("/terms/bibliotheques").text


@pytest.mark.parametrize("idle_seconds", [0, 1800])
def test_where_it_ends_no_stay_it_is_not_told(
    phone: Phone, town: Town, services: Services, idle_seconds: int
) -> None:
    """On a network of half an hour the end comes first; and where the rule is off there is none."""
    with services.make_session.begin() as db:
        db.get_one(Network, town.free.id).idle_seconds = idle_seconds
    services.places.forget()
    assert "silent" not in phone.land().text


def test_an_open_page_asks_again_for_the_warning_and_for_the_end(
    reader: Phone, bayle: Agent, clock: MovingClock
) -> None:
    """With no script: whoever looks at it reads that the session ended, soon after it did."""
    reader.land()
    reader.press("/signin", login=ADA, secret=ADA_PIN)
    bayle.follow()
    first = reader.get("/status")
    assert "Your time online ends" not in first.text
    assert first.headers["Cache-Control"] == "no-store"
    clock.advance(seconds=int(first.headers["Refresh"]))
    warned = reader.get("/status")
    assert "Your time online ends at" in warned.text
    assert 290 <= int(warned.headers["Refresh"]) <= 302
    clock.advance(seconds=int(warned.headers["Refresh"]))
    over = reader.get("/status")
    assert "You are not online" in over.text
    assert "Refresh" not in over.headers


@pytest.mark.parametrize(
    ("asked", "spoken"),
    [
        *(("nl-NL,nl;q=0.9", "en"), ("zh", "en"), ("nl,fr;q=0.5", "fr"), ("fr-CH", "fr"), ("", "fr")),
        *(("de-AT", "de"), ("ar-DZ,fr;q=0.5", "ar"), ("it,en;q=0.9", "it"), ("*", "fr"), ("ar;q=0,es", "es")),
    ],
)
def test_a_browser_reads_what_it_lists_or_english(phone: Phone, asked: str, spoken: str) -> None:
    phone.headers["Accept-Language"] = asked
    assert f'<html lang="{spoken}"' in phone.get("/privacy").text


def test_the_script_is_told_what_the_page_says(reader: Phone, bayle: Agent, clock: MovingClock) -> None:
    reader.land()
    reader.press("/signin", login=ADA, secret=ADA_PIN)
    assert reader.get("/status.json").json == {"state": "connecting", "key": "connecting"}
    bayle.follow()
    first = reader.get("/status.json")
    assert first.headers["Cache-Control"] == "no-store"
    assert first.json["state"] == "online"
    assert first.json["seconds_left"] == 4 * 3600
    assert first.json["changes_in"] == 4 * 3600 - 300
    assert f'data-key="{first.json["key"]}"' in reader.get("/status").text
    clock.advance(hours=3, minutes=56)
    warned = reader.get("/status.json").json
    assert warned["key"] != first.json["key"]
    assert warned["changes_in"] == warned["seconds_left"] == 240
    clock.advance(minutes=4)
    over = reader.get("/status.json").json
    assert over == {"state": "ended", "key": "ended", "reason": "Your time was over at 16:00."}


def test_the_script_of_somebody_else_is_told_nothing_and_nothing_is_noted(
    reader: Phone, bayle: Agent, db: Session, app: Flask, town: Town
) -> None:
    reader.land()
    reader.press("/signin", login=ADA, secret=ADA_PIN)
    bayle.follow()
    visit = reader.form("/leave")["visit"] if "/leave" in reader.page.text else ""
    stranger = Phone(app, town.pierre_bayle, BO_PHONE, "192.0.2.7")
    for path in ("/status.json", f"/status.json?visit={visit}", "/status.json?visit=forged"):
        assert stranger.get(path).json == {"state": "unknown", "key": "unknown"}
    assert db.scalars(select(Decision)).all() == []


def test_whoever_is_online_may_go_on_to_where_the_network_says(
    phone: Phone, station: Agent, clock: MovingClock, services: Services, town: Town
) -> None:
    with services.make_session.begin() as db:
        db.get_one(Network, town.free.id).look = {"onward": "https://www.besancon.example/"}
    services.places.forget()
    assert "besancon.example" not in phone.land().text
    clock.advance(seconds=6)
    phone.press("/pause")
    station.follow()
    page = phone.get("/status").text
    assert '<a class="go" href="https://www.besancon.example/">Continue to besancon.example</a>' in page


def test_a_message_that_can_be_accepted_stands_where_the_time_is_shown(
    phone: Phone, station: Agent, clock: MovingClock
) -> None:
    """One tap from the warning, and one from the end: the message is on the page that says so."""
    phone.land()
    clock.advance(seconds=6)
    phone.press("/pause")
    station.follow()
    assert "/pause" not in phone.get("/status").text
    clock.advance(minutes=26)
    assert phone.get("/status").text.count('<form method="post" action="/pause') == 1
    clock.advance(seconds=6)
    assert phone.press("/pause").location.startswith("/opening")
    station.follow()
    clock.advance(hours=1)
    over = phone.get("/status")
    assert "You are not online" in over.text
    clock.advance(seconds=6)
    assert phone.press("/pause").location.startswith("/opening")
