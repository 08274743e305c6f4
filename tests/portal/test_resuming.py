"""Coming back with another address and no cookie: the code gives the rest of the time, once, and cannot be guessed."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from auth import resume_codes
from auth.managed import Managed
from auth.resume_codes import OF_CLIENT, OF_NETWORK
from gateways.types import parse_mac
from portal.services import Services
from sessions.managed.reconcile import fit
from sessions.models import AccessSession, EndReason
from sites.models import Network
from tests.clock import MovingClock
from tests.portal.conftest import ADA, ADA_PIN, Agent, Phone
from tests.portal.test_pause import announcements
from tests.town import Town

__all__ = ["announcements"]
NEW_CARD, NEW_ADDRESS = "02:00:00:00:0c:07", "10.66.0.77"


@pytest.fixture
def code(phone: Phone, clock: MovingClock, station: Agent) -> str:
    """Shown before the grant, and the same on the page of the connection."""
    before = shown(phone.land().text)
    clock.advance(seconds=6)
    phone.press("/pause")
    station.follow()
    page = phone.get("/status").text
    assert f"/resume/{before}" in page
    return before


def shown(page: str) -> str:
    return re.findall(r"code: (\w{4}\u2011\w{4})", page)[0].replace("\u2011", "-")


def newcomer(app: Flask, town: Town, mac: str = NEW_CARD, address: str = NEW_ADDRESS) -> Phone:
    other = Phone(app, town.station, mac, address)
    other.land()
    return other


def form_of(phone: Phone) -> dict[str, str]:
    """The form that the first page leads to."""
    if '<form id="resume"' not in phone.page.text:
        (link,) = re.findall(r'href="(/resume[^"]*)"', phone.page.text)
        phone.get(link.replace("&amp;", "&"))
    return phone.form("/resume")


def try_code(phone: Phone, code: str) -> int:
    form = form_of(phone)
    return phone.post("/resume", **{**form, "code": code}).status_code


def sessions(db: Session) -> list[AccessSession]:
    db.rollback()
    return list(db.scalars(select(AccessSession).order_by(AccessSession.id)))


def test_one_tap_from_the_link_gives_the_rest_of_the_time(
    app: Flask, town: Town, db: Session, clock: MovingClock, code: str, station: Agent
) -> None:
    until = sessions(db)[0].until
    clock.advance(minutes=10)
    other = newcomer(app, town)
    page = other.get(f"/resume/{code}?visit={form_of(other)['visit']}")
    assert f'value="{code}"' in page.text
    assert other.press("/resume", code=code).location.startswith("/opening")
    old, new = sessions(db)
    assert (old.end_reason, new.until, new.previous_id) == (EndReason.MOVED, until, old.id)
    assert new.mac == NEW_CARD
    assert new.resume_digest not in (None, old.resume_digest)
    station.follow()
    assert "You are online" in other.get("/status").text


def test_opening_the_link_says_nothing_of_the_code_and_uses_nothing(
    app: Flask, town: Town, db: Session, code: str
) -> None:
    other = newcomer(app, town)
    wrong = "2" * 7
    wrong += resume_codes.check_symbol(wrong)
    visit = form_of(other)["visit"]
    pages = [other.get(f"/resume/{one}?visit={visit}") for one in (code, wrong)]
    assert [page.status_code for page in pages] == [200, 200]
    assert all('<form id="resume"' in page.text for page in pages)
    assert len(sessions(db)) == 1


def test_a_code_is_good_once(app: Flask, town: Town, db: Session, code: str) -> None:
    assert try_code(newcomer(app, town), code) == 303
    assert try_code(newcomer(app, town, "02:00:00:00:0c:08", "10.66.0.78"), code) == 403
    assert len([one for one in sessions(db) if one.ended_at is None]) == 1


def test_ten_devices_at_once_and_one_of_them_goes_on(app: Flask, town: Town, db: Session, code: str) -> None:
    others = [newcomer(app, town, f"02:00:00:00:0c:{n:02x}", f"10.66.0.{80 + n}") for n in range(10)]
    forms = [form_of(other) for other in others]
    with ThreadPoolExecutor(10) as pool:
        answers = list(
            pool.map(lambda one, form: one.post("/resume", **{**form, "code": code}), others, forms)
        )
    assert sorted(one.status_code for one in answers) == [303] + [403] * 9
    assert len([one for one in sessions(db) if one.ended_at is None]) == 1


def test_it_ends_with_the_session(app: Flask, town: Town, clock: MovingClock, code: str) -> None:
    clock.advance(minutes=31)
    assert try_code(newcomer(app, town), code) == 403


def test_it_is_of_no_use_on_another_network(app: Flask, town: Town, code: str) -> None:
    reader = Phone(app, town.pierre_bayle, NEW_CARD, "10.68.0.77")
    reader.land()
    assert try_code(reader, code) == 403


def test_a_patron_comes_back_without_card_and_password(
    reader: Phone, bayle: Agent, app: Flask, town: Town, db: Session
) -> None:
    reader.land()
    reader.press("/signin", login=ADA, secret=ADA_PIN)
    bayle.follow()
    code = re.findall(r"/resume/(\w{4}-\w{4})", reader.get("/status").text)[0]
    other = Phone(app, town.pierre_bayle, NEW_CARD, "10.68.0.77")
    other.land()
    assert try_code(other, code) == 303
    old, new = sessions(db)
    assert (new.subject, new.method) == (old.subject, old.method)


def wrong_codes() -> list[str]:
    bodies = [f"{2 + n // 64 % 8}{2 + n // 8 % 8}{2 + n % 8}2222" for n in range(OF_NETWORK + 10)]
    return [body + resume_codes.check_symbol(body) for body in bodies]


def test_a_device_that_guesses_is_stopped_and_the_right_code_too(app: Flask, town: Town, code: str) -> None:
    other = newcomer(app, town)
    answers = [try_code(other, wrong) for wrong in wrong_codes()[: OF_CLIENT + 1]]
    assert answers == [403] * OF_CLIENT + [429]
    assert try_code(other, code) == 429
    assert try_code(newcomer(app, town, "02:00:00:00:0c:08", "10.66.0.78"), code) == 303


def test_a_mistyped_code_is_told_and_counts_as_no_guess(app: Flask, town: Town, code: str) -> None:
    other = newcomer(app, town)
    slipped = code[:-1] + ("2" if code[-1] != "2" else "3")
    for _ in range(OF_CLIENT + 3):
        assert try_code(other, slipped) == 422
    assert "A character is wrong or missing." in other.page.text
    assert f'value="{slipped}"' in other.page.text
    assert try_code(other, "") == 422
    assert try_code(other, code) == 303


def test_a_crowd_of_guessing_devices_is_stopped_by_their_network(
    app: Flask, town: Town, services: Services, db: Session, code: str
) -> None:
    codes = iter(wrong_codes())
    for number in range(OF_NETWORK // OF_CLIENT):
        other = newcomer(app, town, f"02:00:00:01:0c:{number:02x}", f"10.66.1.{number + 1}")
        assert [try_code(other, next(codes)) for _ in range(OF_CLIENT)] == [403] * OF_CLIENT
    assert try_code(newcomer(app, town), code) == 429


def test_who_is_online_cannot_try_codes_nor_take_anothers_time(
    app: Flask, town: Town, db: Session, clock: MovingClock, code: str
) -> None:
    third, other = newcomer(app, town, "02:00:00:00:0c:08", "10.66.0.78"), newcomer(app, town)
    form = form_of(other)
    for phone in (third, other):
        phone.land()
        clock.advance(seconds=6)
        phone.press("/pause")
    before = sorted(one.id for one in sessions(db) if one.ended_at is None)
    for tried in (code, *wrong_codes()[: OF_CLIENT * 2]):
        assert other.post("/resume", **{**form, "code": tried}).location.startswith("/opening")
    assert sorted(one.id for one in sessions(db) if one.ended_at is None) == before


def test_a_code_opens_nothing_on_a_device_of_the_town(
    app: Flask, town: Town, services: Services, db: Session, code: str
) -> None:
    with services.make_session.begin() as writing:
        writing.get_one(Network, town.free.id).signin_methods = ["free", "managed"]
        camera = Managed("device:1", parse_mac(NEW_CARD), frozenset({town.station.id}))
        fit(writing, [camera], now=services.clock())
    assert try_code(newcomer(app, town), code) == 409
    assert [one.ended_at for one in sessions(db)] == [None, None]


def test_somebody_elsewhere_is_told_where_to_go(app: Flask, town: Town, code: str) -> None:
    stranger = Phone(app, town.station, NEW_CARD, "192.0.2.7")
    assert "value=" not in stranger.get(f"/resume/{code}").text
