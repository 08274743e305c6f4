"""A blocked device, and a blocked patron, at every way in: told why, until when, and by no door let in."""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import urlsplit

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from ads.demo import load_announcements
from ads.models import Impression
from auth.blocks import service as blocks
from auth.blocks.models import BlockCause, BlockKind
from auth.blocks.service import BlockRequest
from portal.services import Services
from sessions import blocking
from sessions.models import AccessSession, Decision
from tests.actors import TESTER
from tests.clock import MovingClock
from tests.portal.conftest import ADA, ADA_PIN, Agent, Phone
from tests.portal.visitors import issue, use, vouchers
from tests.town import ADA_PHONE, ADA_TABLET, Town

TITLE = "This device is blocked on this wifi."


def block(services: Services, target: str = ADA_PHONE, kind: BlockKind = BlockKind.DEVICE) -> None:
    now = services.clock()
    wish = BlockRequest(kind, target, None, BlockCause.MISUSE, "", now + timedelta(days=7))
    with services.make_session.begin() as db:
        blocking.place(db, wish, actor=TESTER, now=now)


def open_ones(db: Session) -> list[str]:
    db.rollback()
    return list(db.scalars(select(AccessSession.mac).where(AccessSession.ended_at.is_(None))))


def refusals(db: Session) -> list[str]:
    db.rollback()
    return list(db.scalars(select(Decision.rule).order_by(Decision.id)))


def test_a_card_is_told_after_the_pin_and_may_be_shown_again(
    reader: Phone, services: Services, db: Session
) -> None:
    block(services)
    for _ in range(7):
        reader.land()
        page = reader.press("/signin", login=ADA, secret=ADA_PIN)
        # Not one of these counts as a guess.
        assert page.status_code == 403 and TITLE in page.text
    assert "The terms of use were not kept." in page.text and "Incident" in page.text
    assert "This holds until" in page.text
    assert reader.press("/signin", login=ADA, secret="wrong-pin-1").text.count(TITLE) == 0
    assert open_ones(db) == []
    assert refusals(db)[0] == "blocked_device"


def test_a_blocked_person_is_told_so_only_with_the_right_pin(
    app: Flask, reader: Phone, town: Town, services: Services, db: Session
) -> None:
    reader.land()
    reader.press("/signin", login=ADA, secret=ADA_PIN)
    library = Agent(app, town.pierre_bayle)
    library.follow()
    assert library.macs == {ADA_PHONE}
    found = services.directory.find(ADA)
    assert found.stable_id is not None
    block(services, services.pseudonyms.of("patron", found.stable_id), BlockKind.PERSON)
    library.follow()
    assert library.macs == set()
    tablet = Phone(app, town.pierre_bayle, ADA_TABLET, "10.68.0.6")
    tablet.land()
    assert "Your card is blocked" not in tablet.press("/signin", login=ADA, secret="wrong-pin-1").text
    page = tablet.press("/signin", login=ADA, secret=ADA_PIN)
    assert "Your card is blocked on this wifi." in page.text
    assert open_ones(db) == []


def test_a_pass_is_told_and_not_used(reader: Phone, services: Services, db: Session) -> None:
    code = issue(services).codes[0]
    block(services)
    page = use(reader, code)
    assert page.status_code == 403 and TITLE in page.text
    assert vouchers(db)[0].used_at is None and open_ones(db) == []


def test_the_free_network_is_told_and_the_message_counts_for_nobody(
    phone: Phone, services: Services, clock: MovingClock, db: Session
) -> None:
    with services.make_session.begin() as writing:
        load_announcements(writing, now=clock())
    block(services)
    phone.land()
    clock.advance(seconds=6)
    page = phone.press("/pause")
    assert page.status_code == 403 and TITLE in page.text
    assert open_ones(db) == [] and db.scalars(select(Impression.id)).all() == []


def test_a_renewal_is_refused_to_whom_the_block_has_not_reached_yet(
    phone: Phone, services: Services, clock: MovingClock, db: Session, station: Agent
) -> None:
    """A sign-in that was on its way while the block was placed: its renewal is refused, the sweep ends it."""
    phone.land()
    clock.advance(seconds=6)
    phone.press("/pause")
    station.follow()
    clock.advance(minutes=28)
    phone.get(f"/pause?{urlsplit(phone.land().request.url).query}")
    now = clock()
    with services.make_session.begin() as writing:
        wish = BlockRequest(BlockKind.DEVICE, ADA_PHONE, None, BlockCause.LOST, "", now + timedelta(days=1))
        blocks.place(writing, wish, actor=TESTER, now=now)
    clock.advance(seconds=6)
    page = phone.press("/pause")
    assert page.status_code == 403 and TITLE in page.text
    assert "reported lost or stolen" in page.text
    assert until(db) < clock() + timedelta(minutes=5)


def until(db: Session) -> datetime:
    db.rollback()
    return db.scalars(select(AccessSession.until)).one()


@pytest.fixture
def station(app: Flask, town: Town) -> Agent:
    return Agent(app, town.station)


@pytest.mark.parametrize(
    ("language", "title", "why"),
    [
        ("fr", "Cet appareil est bloqué sur ce wifi.", "conditions d’utilisation"),
        ("de", "Dieses Gerät ist in diesem WLAN gesperrt.", "Nutzungsbedingungen"),
    ],
)
def test_it_is_told_in_the_guests_language(
    reader: Phone, services: Services, language: str, title: str, why: str
) -> None:
    block(services)
    reader.headers = {"Accept-Language": language}
    reader.land()
    page = reader.press("/signin", login=ADA, secret=ADA_PIN)
    assert title in page.text and why in page.text


def test_by_no_link_and_no_cookie_does_the_rest_of_the_time_go_there(
    app: Flask, reader: Phone, town: Town, services: Services, db: Session
) -> None:
    reader.land()
    reader.press("/signin", login=ADA, secret=ADA_PIN)
    block(services, ADA_TABLET)
    renamed = Phone(app, town.pierre_bayle, ADA_TABLET, "10.68.0.6")
    renamed.browser = reader.browser
    renamed.land()
    page = renamed.press("/resume")
    assert page.status_code == 403 and TITLE in page.text
    assert open_ones(db) == [ADA_PHONE]
