"""What the page of the connection says beside the time: where there is more to read, and the town's crisis message."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import update

from ads import overrides
from ads.models import Creative
from portal.services import Services
from tests.ads.campaigns import AUTHOR
from tests.clock import MovingClock
from tests.portal.conftest import ADA, ADA_PIN, Agent, Phone
from tests.portal.test_pause import announcements, get_on
from tests.town import Town

__all__ = ["announcements"]
TEXTS = {
    "fr": {"title": "Crue du Doubs", "text": "Quittez les quais."},
    "en": {"title": "Flood", "text": "Leave."},
}


def test_more_is_an_address_and_a_code_once_the_access_is_given(
    phone: Phone, station: Agent, clock: MovingClock, services: Services
) -> None:
    with services.make_session.begin() as db:
        db.execute(update(Creative).values(more="ville.example/velo"))
    services.stage.forget()
    assert "ville.example" not in phone.land().text
    early = phone.press("/pause", follow=True).text
    assert "more second" in early and "ville.example" not in early
    get_on(phone, clock, station)
    page = phone.get("/status").text
    assert 'href="https://ville.example/velo" rel="noreferrer"' in page
    assert 'aria-label="Code for ville.example/velo"' in page
    # It is the session's: another window, which keeps nothing, has it as well.
    other = Phone(phone.app, phone.gateway, keeps_cookies=False)
    assert "ville.example/velo" in other.land().text
    clock.advance(minutes=26)
    renewal = phone.get("/status").text
    assert 'action="/pause' in renewal and "ville.example" not in renewal
    clock.advance(minutes=10)
    assert "ville.example" not in phone.get("/status").text


def test_a_crisis_message_is_said_to_whoever_is_online_and_ends_with_itself(
    phone: Phone, station: Agent, reader: Phone, bayle: Agent, clock: MovingClock, services: Services
) -> None:
    get_on(phone, clock, station)
    reader.land()
    reader.press("/signin", login=ADA, secret=ADA_PIN)
    bayle.follow()
    before = phone.get("/status.json").json
    with services.make_session.begin() as db:
        ends = clock.now + timedelta(minutes=10)
        number = overrides.start(
            db, TEXTS, sites=["gare-viotte"], ends_at=ends, actor=AUTHOR, now=clock.now
        ).id
    services.stage.forget()
    said = phone.get("/status.json").json
    # The script renews the page for another key; without it the page asks when the message ends.
    assert said["key"] != before["key"] and said["changes_in"] == 600
    page = phone.get("/status")
    assert "Flood" in page.text and 'data-said="Flood. You are online"' in page.text
    assert page.headers["Refresh"] == "601"
    assert "Flood" not in reader.get("/status").text
    clock.advance(seconds=601)
    assert "Flood" not in phone.get("/status").text
    assert phone.get("/status.json").json["key"] == before["key"]
    with services.make_session.begin() as db:
        later = clock.now + timedelta(hours=1)
        number = overrides.start(db, TEXTS, ends_at=later, actor=AUTHOR, now=clock.now).id
    services.stage.forget()
    assert "Flood" in reader.get("/status").text
    with services.make_session.begin() as db:
        overrides.stop(db, number, actor=AUTHOR, now=clock.now)
    services.stage.forget()
    assert "Flood" not in reader.get("/status").text


def test_a_crisis_message_reaches_a_page_that_says_that_the_time_is_over(
    phone: Phone, town: Town, station: Agent, clock: MovingClock, services: Services
) -> None:
    get_on(phone, clock, station)
    clock.advance(minutes=31)
    before = phone.get("/status.json").json["key"]
    with services.make_session.begin() as db:
        overrides.start(db, TEXTS, ends_at=clock.now + timedelta(hours=1), actor=AUTHOR, now=clock.now)
    services.stage.forget()
    assert phone.get("/status.json").json["key"] != before
    assert "Flood" in phone.get("/status").text
