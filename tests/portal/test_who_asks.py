"""Card and address together: whoever took somebody's address, or a gateway's credential, is shown nothing of them."""

from __future__ import annotations

import ipaddress
import threading
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.http.client_evidence import seen_behind
from portal.services import Services
from sessions import end, sightings
from sessions.models import AccessSession, ClientObservation, EndReason
from sites.models import Gateway
from tests.clock import NOON, MovingClock
from tests.portal.conftest import ADA, ADA_PIN, Agent, Phone
from tests.portal.test_intruders import seen
from tests.town import ADA_PHONE, ADA_TABLET, BO_PHONE, Town, make_client

OF_SOMEBODY = ("/status", "/yours", "/yours.json", "/pause", "/opening")
BOTH_FAMILIES = pytest.mark.parametrize("address", ["10.68.0.5", "fd68::5"])


def sessions(db: Session) -> list[AccessSession]:
    db.rollback()
    return list(db.scalars(select(AccessSession).order_by(AccessSession.id)))


def sign_in(reader: Phone, agent: Agent) -> None:
    reader.land()
    assert reader.press("/signin", login=ADA, secret=ADA_PIN).status_code == 303
    agent.follow()


def tells_of_ada(page: str) -> bool:
    return any(
        word in page for word in ("You are online", ADA_PHONE, "pseudonym", "Everything held", "/leave")
    )


@pytest.fixture
def owner(reader: Phone, bayle: Agent) -> Callable[[str], Phone]:
    """Ada, online in the library behind this address; the gateway has said that it is her card's."""

    def online(address: str) -> Phone:
        reader.address = address
        sign_in(reader, bayle)
        seen(bayle, ADA_PHONE, address)
        return reader

    return online


# Somebody's address


@BOTH_FAMILIES
@pytest.mark.parametrize("path", OF_SOMEBODY)
def test_an_address_alone_shows_nothing_of_its_owner(
    owner: Callable[[str], Phone], app: Flask, town: Town, address: str, path: str
) -> None:
    """The owner has left, her lease runs on, and the gateway has not seen the other card behind her address yet."""
    owner(address)
    thief = Phone(app, town.pierre_bayle, BO_PHONE, address)
    assert thief.get(path, follow=False).location == "http://10.68.0.1:8081/"
    page = thief.get(path).text
    assert "/signin" in page and not tells_of_ada(page)


@BOTH_FAMILIES
def test_an_address_alone_ends_nobodys_session(
    owner: Callable[[str], Phone], app: Flask, town: Town, db: Session, address: str
) -> None:
    owner(address)
    thief = Phone(app, town.pierre_bayle, BO_PHONE, address)
    thief.post("/leave")
    thief.post("/leave", landing=thief.landing_token())
    thief.post(f"/leave?landing={thief.landing_token()}")
    assert [one.ended_at for one in sessions(db)] == [None]


@BOTH_FAMILIES
@pytest.mark.parametrize("path", OF_SOMEBODY)
def test_where_the_gateway_cannot_be_asked_an_address_has_the_first_page_alone(
    owner: Callable[[str], Phone],
    app: Flask,
    town: Town,
    services: Services,
    db: Session,
    address: str,
    path: str,
) -> None:
    owner(address)
    with services.make_session.begin() as writing:
        writing.get_one(Gateway, town.pierre_bayle.id).redirector_url = ""
    services.places.forget()
    thief = Phone(app, town.pierre_bayle, BO_PHONE, address)
    page = thief.get(path).text
    assert "/signin" in page and not tells_of_ada(page)
    form = thief.form("/signin")
    for action in ("/signin", "/leave", "/resume", "/pause"):
        assert thief.post(action, login=ADA, secret=ADA_PIN, **form).status_code == 403
    assert [one.ended_at for one in sessions(db)] == [None]


@BOTH_FAMILIES
def test_a_page_about_the_site_says_to_an_address_alone_what_it_says_to_strangers(
    owner: Callable[[str], Phone], app: Flask, town: Town, address: str
) -> None:
    """Pages that ask for no proof, and tell whoever is online here so."""
    ada = owner(address)
    thief = Phone(app, town.pierre_bayle, BO_PHONE, address)
    about = f"/info/{town.pierre_bayle.site.slug}"
    assert "You are online" in ada.get(about).text
    assert "You are online" not in thief.get(about).text
    assert "code" in thief.get("/pass", follow=False).text


def test_an_address_that_two_gateways_saw_is_nobodys(
    app: Flask, town: Town, services: Services, db: Session
) -> None:
    """Two sites may have the same prefixes: which of the two it is, the address does not say."""
    address = ipaddress.ip_address("10.66.0.5")
    with services.make_session.begin() as writing:
        for gateway, mac in ((town.station, ADA_PHONE), (town.battant, BO_PHONE)):
            writing.add(ClientObservation(gateway_id=gateway.id, address=str(address), mac=mac, seen_at=NOON))
    with app.app_context():
        assert seen_behind([town.station, town.battant], address) is None
        assert seen_behind([town.battant], address) == (town.battant, BO_PHONE)


def test_the_owner_needs_no_cookie_where_the_gateway_answers_for_her(
    owner: Callable[[str], Phone], app: Flask, town: Town
) -> None:
    owner("10.68.0.5")
    elsewhere = Phone(app, town.pierre_bayle, address="10.68.0.5", keeps_cookies=False)
    assert "You are online" in elsewhere.get("/status").text


def test_a_page_of_another_browser_is_worth_nothing_at_another_address(
    owner: Callable[[str], Phone], app: Flask, town: Town, bayle: Agent, db: Session
) -> None:
    """Of the same card even: a window that has a cookie of its own did not make this page."""
    other = Phone(app, town.pierre_bayle, ADA_PHONE, "fd68::5")
    sign_in(other, bayle)
    other.get("/status")
    other.press("/leave")
    ada = owner("10.68.0.5")
    ada.get("/status")
    form = ada.form("/leave")
    seen(bayle, ADA_PHONE, "fd68::5")
    assert other.post("/leave", **form).status_code == 403
    assert sessions(db)[-1].ended_at is None
    # A window without cookies is known by its card.
    bare = Phone(app, town.pierre_bayle, ADA_PHONE, "fd68::5", keeps_cookies=False)
    assert bare.post("/leave", **form).status_code != 403


def test_the_owners_browser_needs_no_word_of_the_gateway(owner: Callable[[str], Phone]) -> None:
    ada = owner("10.68.0.5")
    ada.get("/status")
    assert "You are online" in ada.get("/status", follow=False).text


# A landing token read off the air


@pytest.mark.parametrize("path", ["/", *OF_SOMEBODY])
def test_a_landing_token_over_an_address_that_nobody_knows_shows_the_first_page_alone(
    owner: Callable[[str], Phone], app: Flask, town: Town, path: str
) -> None:
    token = owner("10.68.0.5").landing_token()
    thief = Phone(app, town.pierre_bayle, BO_PHONE, "fd68::b0b")
    assert not tells_of_ada(thief.get(f"{path}?landing={token}").text)


@pytest.mark.parametrize("path", ["/", *OF_SOMEBODY])
@pytest.mark.parametrize("address", ["192.0.2.9", "2001:db8::9", "10.66.0.5", "127.0.0.1"])
def test_a_landing_token_is_worth_nothing_outside_its_gateways_prefixes(
    owner: Callable[[str], Phone], app: Flask, town: Town, db: Session, path: str, address: str
) -> None:
    """Over the Internet, say, from a phone that listened on the open wifi and has a line of its own."""
    token = owner("10.68.0.5").landing_token()
    thief = Phone(app, town.pierre_bayle, BO_PHONE, address)
    assert thief.get(f"{path}?landing={token}").status_code == 403
    assert thief.post(f"/leave?landing={token}").status_code == 403
    assert sessions(db)[0].ended_at is None


def test_a_phone_with_a_new_address_of_the_same_family_is_still_the_same(
    owner: Callable[[str], Phone], bayle: Agent
) -> None:
    """Temporary addresses change (RFC 8981) while a page stands open."""
    ada = owner("fd68::5")
    token = ada.page.location.partition("visit=")[2]
    ada.address = "fd68::6"
    seen(bayle, ADA_PHONE, "fd68::6")
    assert "You are online" in ada.get(f"/status?visit={token}").text


# For as long as somebody is online


@pytest.mark.parametrize("keeps_cookies", [True, False])
@pytest.mark.parametrize("minutes", [31, 3 * 60])
def test_an_open_session_page_works_for_as_long_as_the_session_does(
    app: Flask, town: Town, bayle: Agent, clock: MovingClock, db: Session, keeps_cookies: bool, minutes: int
) -> None:
    ada = Phone(app, town.pierre_bayle, address="10.68.0.5", keeps_cookies=keeps_cookies)
    sign_in(ada, bayle)
    page = ada.get(ada.page.location)
    tablet = Phone(app, town.pierre_bayle, ADA_TABLET, "10.68.0.6")
    sign_in(tablet, bayle)
    page = ada.get(page.request.full_path)
    tab = page.request.full_path
    clock.advance(minutes=minutes)
    assert "You are online" in ada.get(tab, follow=False).text
    assert "Vous êtes en ligne" in ada.get(f"{tab}&lang=fr", follow=False).text
    token = tab.partition("visit=")[2]
    assert "MAC" in ada.get(f"/yours?visit={token}", follow=False).text
    mine, other = sessions(db)
    assert ada.post("/leave", visit=token, device=str(other.id)).status_code == 303
    assert ada.post("/leave", visit=token).status_code == 303
    assert all(one.ended_at for one in sessions(db)) and mine.id != other.id


def test_an_open_session_page_needs_neither_cookie_nor_sighting(
    app: Flask, town: Town, bayle: Agent, clock: MovingClock, services: Services, db: Session
) -> None:
    ada = Phone(app, town.pierre_bayle, address="10.68.0.5", keeps_cookies=False)
    sign_in(ada, bayle)
    token = ada.get(ada.page.location).request.full_path.partition("visit=")[2]
    clock.advance(hours=3)
    with services.make_session.begin() as writing:
        sightings.forget(writing, before=clock())
    assert ada.post("/leave", visit=token).status_code == 303
    assert sessions(db)[0].ended_at is not None


def test_who_fell_silent_is_told_so_in_the_same_browser(
    reader: Phone, bayle: Agent, services: Services, clock: MovingClock, db: Session
) -> None:
    sign_in(reader, bayle)
    reader.get("/status")
    with services.make_session.begin() as writing:
        end.end(writing, sessions(db)[0].id, reason=EndReason.IDLE, now=clock.advance(minutes=40))
    assert "inactive for a long time" in reader.get("/status").text


@pytest.mark.parametrize("keeps_cookies", [True, False])
def test_a_page_of_the_free_network_renews_after_many_renewals(
    app: Flask, town: Town, station: Agent, clock: MovingClock, db: Session, keeps_cookies: bool
) -> None:
    phone = Phone(app, town.station, keeps_cookies=keeps_cookies)
    phone.land()
    clock.advance(seconds=6)
    phone.press("/pause")
    station.follow()
    tab = phone.get(phone.page.location).request.full_path
    token = tab.partition("visit=")[2]
    for minutes in (26, 30, 30):
        clock.advance(minutes=minutes)
        assert "Stay online until" in phone.get(tab, follow=False).text
        assert phone.get(f"/pause?visit={token}", follow=False).status_code == 200
        clock.advance(seconds=6)
        assert phone.press("/pause").status_code == 303
        station.follow()
    assert len(sessions(db)) == 1


def test_the_token_of_a_page_is_worth_nothing_once_its_session_is_over(
    reader: Phone, bayle: Agent, app: Flask, town: Town, clock: MovingClock, db: Session
) -> None:
    sign_in(reader, bayle)
    old = reader.page.location.partition("visit=")[2]
    clock.advance(hours=1)
    reader.post("/leave", visit=old)
    clock.advance(hours=25)
    reader.browser = app.test_client()
    assert reader.post("/leave", visit=old).status_code == 410


@pytest.mark.parametrize("keeps_cookies", [True, False])
def test_a_form_that_was_open_for_an_hour_still_lets_in(
    app: Flask, town: Town, bayle: Agent, clock: MovingClock, keeps_cookies: bool
) -> None:
    reader = Phone(app, town.pierre_bayle, address="10.68.0.5", keeps_cookies=keeps_cookies)
    seen(bayle, ADA_PHONE, "10.68.0.5")
    reader.land()
    clock.advance(hours=1)
    assert reader.press("/signin", login=ADA, secret=ADA_PIN).status_code == 303


def test_a_form_that_was_open_for_an_hour_keeps_what_was_typed(
    reader: Phone, bayle: Agent, clock: MovingClock
) -> None:
    reader.land()
    clock.advance(hours=1)
    page = reader.press("/signin", login=ADA, secret="not-her-pin-at-all")
    assert page.status_code == 403 and ADA in page.text


def test_an_old_form_of_an_unknown_phone_is_too_old(
    app: Flask, town: Town, clock: MovingClock, db: Session
) -> None:
    reader = Phone(app, town.pierre_bayle, address="10.68.0.5", keeps_cookies=False)
    reader.land()
    clock.advance(hours=1)
    assert reader.press("/signin", login=ADA, secret=ADA_PIN).status_code == 410
    assert not sessions(db)


def test_a_message_that_was_open_for_an_hour_is_shown_once_more_and_then_counts(
    phone: Phone, clock: MovingClock, db: Session
) -> None:
    phone.land()
    clock.advance(hours=1)
    page = phone.press("/pause")
    assert page.status_code == 410 and "open for too long" in page.text
    clock.advance(seconds=6)
    assert phone.press("/pause").status_code == 303
    assert len(sessions(db)) == 1


# Somebody with a gateway's credential


def test_another_gateways_word_opens_nothing_of_somebody_who_is_active_elsewhere(
    phone: Phone, app: Flask, town: Town, station: Agent, clock: MovingClock, db: Session
) -> None:
    phone.land()
    clock.advance(seconds=6)
    phone.press("/pause")
    station.follow()
    thief = Phone(app, town.battant, ADA_PHONE, "10.67.0.66")
    battant = Agent(app, town.battant)
    # When a renewal is due, the button does something: even then it gives the thief's browser nothing.
    clock.advance(minutes=26)
    for arrived in (False, True):
        if arrived:
            seen(battant, ADA_PHONE, "10.67.0.66")
            battant.follow()
        for path in ("/yours", "/yours.json"):
            page = thief.get(f"{path}?landing={thief.landing_token()}").text
            assert phone.mac not in page and "pseudonym" not in page
        assert "/leave" not in thief.get(f"/status?landing={thief.landing_token()}").text
        thief.post(f"/leave?landing={thief.landing_token()}")
        thief.land()
        if not arrived:
            # Its word is an arrival: the card may pass there too, and no more.
            assert thief.page.request.path == "/opening"
            thief.get(f"/pause?landing={thief.landing_token()}")
            clock.advance(seconds=6)
            thief.press("/pause")
    thief.post(f"/leave?landing={thief.landing_token()}")
    [access] = sessions(db)
    assert access.ended_at is None and access.gateway_id == town.station.id


def test_who_has_just_walked_in_is_told_how_long_and_sees_the_rest_once_the_move_is_certain(
    phone: Phone, app: Flask, town: Town, station: Agent, clock: MovingClock, services: Services
) -> None:
    phone.land()
    clock.advance(seconds=6)
    phone.press("/pause")
    station.follow()
    walked = Phone(app, town.battant, ADA_PHONE, "10.67.0.5", keeps_cookies=False)
    battant = Agent(app, town.battant)
    seen(battant, ADA_PHONE, "10.67.0.5")
    battant.follow()
    page = walked.land().text
    assert "You are online" in page and "/yours" not in page
    with services.make_session.begin() as db:
        access = db.scalars(select(AccessSession)).one()
        access.gateway_id, access.site_id = town.battant.id, town.battant.site_id
    assert "/yours" in walked.land().text


def test_the_browser_of_the_session_sees_everything_where_it_walked(
    phone: Phone, app: Flask, town: Town, station: Agent, clock: MovingClock
) -> None:
    phone.land()
    clock.advance(seconds=6)
    phone.press("/pause", follow=True)
    station.follow()
    phone.get("/status")
    battant = Agent(app, town.battant)
    seen(battant, ADA_PHONE, "10.67.0.5")
    battant.follow()
    phone.gateway, phone.address = town.battant, "10.67.0.5"
    assert "/leave" in phone.get("/status").text


# RFC 8908, while a gateway's word is on its way


def online_over_ipv4(phone: Phone, station: Agent, clock: MovingClock) -> None:
    phone.land()
    clock.advance(seconds=6)
    phone.press("/pause")
    station.follow()


def test_a_new_address_of_somebody_online_is_never_called_captive(
    phone: Phone, station: Agent, clock: MovingClock, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    online_over_ipv4(phone, station, clock)
    monkeypatch.setattr("portal.http.client_evidence.WAIT_SECONDS", 30.0)
    looked = threading.Event()
    result = sightings_after(looked, services, phone, clock, monkeypatch)
    phone.address = "fd66::77"
    answer = phone.get("/capport/gw-viotte", Accept="application/captive+json").get_json()
    result.join()
    assert answer["captive"] is False


def sightings_after(
    looked: threading.Event,
    services: Services,
    phone: Phone,
    clock: MovingClock,
    monkeypatch: pytest.MonkeyPatch,
) -> threading.Thread:
    """Tell of the phone's new address as soon as the portal has looked for it in vain."""
    import portal.guest.capport as capport

    look = capport._stay_of

    def noticed(*asked: object) -> object:
        found = look(*asked)  # type: ignore[arg-type]
        looked.set()
        return found

    monkeypatch.setattr(capport, "_stay_of", noticed)

    def tell() -> None:
        looked.wait(20)
        with services.make_session.begin() as db:
            client = make_client(phone.mac, "fd66::77")
            sightings.see(db, gateway_id=phone.gateway.id, client=client, now=clock())

    thread = threading.Thread(target=tell)
    thread.start()
    return thread
