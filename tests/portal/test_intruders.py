"""Clever neighbours: tokens read off the air, one browser on many devices, messages saved up for later."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from config import Secret, Settings
from portal.app import create_app, make_services
from portal.services import Services
from sessions import end
from sessions.models import AccessSession, EndReason
from tests.clock import MovingClock
from tests.portal.conftest import ADA, ADA_PIN, PORTAL, SECRET, Agent, Phone
from tests.town import ADA_PHONE, ADA_TABLET, BO_PHONE, Town


def seen(agent: Agent, mac: str, *addresses: str) -> None:
    """The gateway tells whom it sees."""
    clients = {"clients": [{"client": mac, "addresses": list(addresses)}]}
    assert agent.call("POST", "/gateways/nftables/arrivals", json=clients).status_code == 204


def sessions(db: Session) -> list[AccessSession]:
    db.rollback()
    return list(db.scalars(select(AccessSession).order_by(AccessSession.id)))


def test_a_landing_token_read_off_the_air_is_refused_over_the_other_family(
    reader: Phone, app: Flask, town: Town, bayle: Agent, db: Session
) -> None:
    """The redirector answers in clear, so a neighbour may read the token; over IPv6 she is no more its owner."""
    reader.land()
    reader.press("/signin", login=ADA, secret=ADA_PIN)
    bayle.follow()
    token = reader.landing_token()
    thief = Phone(app, town.pierre_bayle, BO_PHONE, "fd68::b0b")
    for _ in range(2):
        assert thief.post(f"/leave?landing={token}").status_code == 403
        seen(bayle, BO_PHONE, "fd68::b0b")
    assert thief.get(f"/?landing={token}").status_code == 403
    assert sessions(db)[0].ended_at is None


def test_a_phone_of_both_families_may_use_either(reader: Phone, bayle: Agent, db: Session) -> None:
    token = reader.landing_token()
    reader.address = "fd68::ada"
    assert reader.get(f"/?landing={token}").status_code == 200
    seen(bayle, ADA_PHONE, "fd68::ada")
    assert reader.press("/signin", login=ADA, secret=ADA_PIN).status_code == 303
    assert len(sessions(db)) == 1


def test_a_token_of_one_gateway_is_refused_from_behind_another(
    phone: Phone, app: Flask, town: Town, db: Session
) -> None:
    neighbour = Phone(app, town.battant, BO_PHONE, "10.67.0.9")
    assert neighbour.get(f"/?landing={phone.landing_token()}").status_code == 403
    phone.land()
    assert neighbour.post("/pause", **phone.form("/pause")).status_code == 403
    assert not sessions(db)


def test_one_browser_resumed_on_two_devices_is_online_on_one(
    phone: Phone, app: Flask, town: Town, clock: MovingClock, services: Services, db: Session
) -> None:
    phone.land()
    clock.advance(seconds=6)
    phone.press("/pause")
    held = sessions(db)[0].id
    cookies = list((phone.browser._cookies or {}).values())
    copies = [Phone(app, town.station, f"02:00:00:00:0d:{n:02x}", f"10.66.0.{20 + n}") for n in range(4)]
    for copy in copies:
        for cookie in cookies:
            copy.browser.set_cookie(cookie.key, cookie.value, domain=cookie.domain, secure=True)
        copy.land()
    barrier = threading.Barrier(len(copies))

    def rush(copy: Phone) -> None:
        barrier.wait()
        copy.press("/resume")

    threads = [threading.Thread(target=rush, args=(copy,)) for copy in copies]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    online = [one for one in sessions(db) if one.ended_at is None]
    assert len(online) == 1
    assert online[0].previous_id == held
    assert all(copy.page.status_code in (303, 409) for copy in copies)


def test_a_message_seen_before_the_renewal_was_due_renews_nothing(
    phone: Phone, clock: MovingClock, db: Session, station: Agent
) -> None:
    """Two pages opened side by side are one lease now, not one now and one for later."""
    phone.land()
    phone.land()
    saved = phone.form("/pause")
    phone.land()
    clock.advance(seconds=6)
    phone.press("/pause")
    station.follow()
    until = sessions(db)[0].until
    clock.advance(minutes=26)
    assert phone.post("/pause", **saved).location.startswith("/status")
    assert sessions(db)[0].until == until
    phone.get("/pause")
    clock.advance(seconds=6)
    phone.press("/pause")
    assert sessions(db)[0].until == until + timedelta(minutes=30)


def test_a_session_that_staff_ended_cannot_be_taken_along(
    phone: Phone, clock: MovingClock, services: Services, db: Session, station: Agent
) -> None:
    phone.land()
    clock.advance(seconds=6)
    phone.press("/pause")
    station.follow()
    with services.make_session.begin() as writing:
        end.end(writing, sessions(db)[0].id, reason=EndReason.STAFF, now=clock())
    phone.mac, phone.address = ADA_TABLET, "10.66.0.30"
    phone.land()
    assert 'action="/resume"' not in phone.page.text
    phone.post("/resume", landing=phone.landing_token())
    assert [one.end_reason for one in sessions(db)] == [EndReason.STAFF]


def test_until_a_renewal_is_confirmed_the_client_is_online_until_its_old_end(
    phone: Phone, clock: MovingClock, station: Agent, db: Session
) -> None:
    phone.land()
    clock.advance(seconds=6)
    phone.press("/pause")
    station.follow()
    clock.advance(minutes=26)
    phone.get("/pause")
    clock.advance(seconds=6)
    phone.press("/pause")
    answer = phone.get("/capport/gw-viotte", Accept="application/captive+json").get_json()
    assert answer["captive"] is False
    assert answer["seconds-remaining"] == 234
    station.follow()
    answer = phone.get("/capport/gw-viotte", Accept="application/captive+json").get_json()
    assert answer["seconds-remaining"] == 234 + 1800


@pytest.mark.parametrize("path", ["/healthz", "/metrics", "/gateways/nftables/feed"])
@pytest.mark.parametrize("host", ["a" * 300, "a..b", "."])
def test_a_host_that_is_none_is_no_fault_of_ours(app: Flask, town: Town, path: str, host: str) -> None:
    answer = app.test_client().get(path, headers={"Host": host})
    assert answer.status_code in (400, 421)
    assert host not in answer.text or host == "."


@pytest.mark.parametrize("path", ["/privacy", "/accessibilite"])
def test_pages_that_need_no_database_are_there_without_one(path: str) -> None:
    settings = Settings(
        secret_key=Secret(SECRET), portal_url=PORTAL, database_url="sqlite:////nowhere/at/all.sqlite3"
    )
    alone = create_app(make_services(settings, clock=MovingClock()))
    assert alone.test_client().get("/", base_url=PORTAL).status_code == 503
    assert alone.test_client().get(path, base_url=PORTAL).status_code == 200
