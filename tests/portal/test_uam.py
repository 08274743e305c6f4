"""Browsers that gateways send by UAM, to the first page, to the gateway and back; what is believed of what they say."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from auth.gateway_secrets import GatewaySecrets
from config import Secret
from gateways.radius import credentials
from gateways.radius.credentials import Credentials
from gateways.types import MacAddress
from gateways.uam.encodings import uam_chap
from gateways.uam.signature import sign
from portal.gateway_api.confirmation import confirm_some
from portal.gateway_api.radius_credentials import PURPOSE
from portal.gateway_api.uam import UAMSECRET
from portal.services import Services
from sessions import end
from sessions.models import AccessSession, ClientLanding, EndReason, GatewayDialogue
from sites.gateways import rotate_credential
from sites.models import Gateway
from tests.clock import MovingClock
from tests.portal.conftest import ADA, ADA_PIN, PORTAL, SECRET, Phone, shows_session
from tests.town import ADA_PHONE, BO_PHONE, Town, make_gateway

CHALLENGE, OTHER = "a36efe71071911703438859a4fc7976e", "603f8f7c9a0f5f1f8a1d6ae0c4f6b7d2"
HERE, ELSEWHERE = "10.70.0.5", "10.70.0.66"
NAS = {"nas_address": "192.0.2.7"}
ROUTER = "http://10.70.0.1/login"


def add(services: Services, town: Town, identity: str, kind: str, **options: str) -> Gateway:
    with services.make_session.begin() as db:
        library = db.get_one(Gateway, town.pierre_bayle.id)
        db.add(
            make_gateway(
                identity,
                library.site,
                library.network,
                kind=kind,
                client_prefixes=["10.70.0.0/24"],
                public_addresses=["203.0.113.7"],
                redirector_url="",
                options=NAS | options,
            )
        )
    services.places.forget()
    found = services.places.by_identity(identity)
    assert found is not None
    return found


@pytest.fixture
def chilli(services: Services, town: Town) -> Gateway:
    return add(services, town, "chilli", "coovachilli")


@pytest.fixture
def router(services: Services, town: Town) -> Gateway:
    return add(services, town, "router", "mikrotik", login_hosts="10.70.0.1")


def secret_of(gateway: Gateway, purpose: str = UAMSECRET) -> str:
    return GatewaySecrets(Secret(SECRET)).typed(gateway.credential_digest, purpose)


def credentials_of(gateway: Gateway, access: AccessSession) -> Credentials:
    return credentials.credentials_of(secret_of(gateway, PURPOSE), access.id, MacAddress(access.mac))


def chilli_query(gateway: Gateway, *, secret: str | None = None, **changed: str) -> str:
    """What CoovaChilli would send the browser with, signed."""
    said = {"res": "notyet", "uamip": "10.70.0.1", "uamport": "3990", "challenge": CHALLENGE}
    said |= {"mac": "02-00-00-00-0A-01", "ip": HERE} | changed
    path = f"/gateways/coovachilli/{gateway.identity}/"
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in said.items())
    key = secret_of(gateway) if secret is None else secret
    return f"{path}?{query}&md={sign(f'{PORTAL}{path}?{query}'.encode(), uamsecret=key)}"


def router_query(gateway: Gateway, **changed: str) -> str:
    said = {"mac": "02:00:00:00:0A:01", "ip": HERE, "login": ROUTER} | changed
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in said.items())
    return f"/gateways/mikrotik/{gateway.identity}/?{query}"


def phone_at(
    app: Flask, gateway: Gateway, mac: str = ADA_PHONE, address: str = HERE, **fields: bool
) -> Phone:
    return Phone(app, gateway, mac, address, **fields)


def sign_in(phone: Phone) -> TestResponse:
    """Sign in on the page that the phone shows, and follow to the page that leads to the gateway."""
    answer = phone.press("/signin", login=ADA, secret=ADA_PIN)
    return phone.get(answer.location, follow=False)


def carried(page: TestResponse) -> tuple[str, dict[str, str]]:
    """Where the page leads the browser to by itself."""
    seconds, _, address = page.headers["Refresh"].partition(";url=")
    assert seconds == "0"
    parts = urlsplit(address)
    fields = {name: values[0] for name, values in parse_qs(parts.query).items()}
    return address.partition("?")[0], fields


def session_of(db: Session, mac: str = ADA_PHONE) -> AccessSession | None:
    db.rollback()
    return db.scalars(select(AccessSession).where(AccessSession.mac == mac)).one_or_none()


def let_pass(services: Services, gateway: Gateway, access: AccessSession) -> None:
    """What the gateway's Access-Request does."""
    with services.make_session.begin() as db:
        confirm_some(db, gateway_id=gateway.id, numbers=[access.id], now=services.clock())


@pytest.mark.parametrize("keeps_cookies", [True, False])
def test_a_guest_is_carried_to_coovachilli_and_back(
    app: Flask,
    services: Services,
    chilli: Gateway,
    db: Session,
    keeps_cookies: bool,
) -> None:
    phone = phone_at(app, chilli, keeps_cookies=keeps_cookies)
    assert "/signin" in phone.get(chilli_query(chilli)).text
    page = sign_in(phone)
    access = session_of(db)
    assert access is not None and page.status_code == 200
    url, fields = carried(page)
    made = credentials_of(chilli, access)
    secret = secret_of(chilli)
    assert url == "http://10.70.0.1:3990/logon"
    assert fields["username"] == made.user
    assert fields["response"] == uam_chap(made.secret, challenge=CHALLENGE, uamsecret=secret)
    assert made.secret not in page.text and secret not in page.text
    let_pass(services, chilli, access)
    back = phone.get(chilli_query(chilli, res="success", challenge=OTHER))
    assert back.status_code == 200 and shows_session(back)
    # The page that the gateway would have been asked to lead to, too.
    assert shows_session(phone.get(fields["userurl"]))


def test_a_login_that_the_gateway_refused_is_told_and_tried_again(
    app: Flask, chilli: Gateway, db: Session
) -> None:
    phone = phone_at(app, chilli)
    phone.get(chilli_query(chilli))
    sign_in(phone)
    page = phone.get(
        chilli_query(chilli, res="failed", reason="reject", reply="Please sign in", challenge=OTHER)
    )
    assert "did not let you through" in page.text and "Try once more" in page.text
    assert "Refresh" not in page.headers
    assert re.search(r"Incident [0-9A-Z-]+", page.text)
    again = re.search(r'<a class="go" href="([^"]+)"', page.text)
    assert again is not None and "response=" in again[1]
    page = phone.get(chilli_query(chilli, res="failed", reason="timeout", challenge=CHALLENGE[::-1]))
    assert "no answer in time" in page.text
    said = [f"{one.said}: {one.answered}" for one in db.scalars(select(GatewayDialogue))]
    assert any("refused: Please sign in" in one for one in said) and any("unanswered" in one for one in said)


def test_a_challenge_that_was_answered_or_is_old_is_fetched_anew(
    app: Flask, chilli: Gateway, clock: MovingClock
) -> None:
    phone = phone_at(app, chilli)
    phone.get(chilli_query(chilli))
    clock.advance(minutes=10)
    phone.get("/", follow=True)
    phone.get(phone.page.request.full_path)
    phone.get(chilli_query(chilli))
    clock.advance(minutes=10)
    page = sign_in(phone)
    assert carried(page) == ("http://10.70.0.1:3990/prelogin", {})
    # It comes back with a new one, which is carried at once.
    page = phone.get(chilli_query(chilli, challenge=OTHER))
    assert carried(page)[0] == "http://10.70.0.1:3990/logon"
    # The gateway has answered upon this one: from an old page it is not carried again.
    clock.advance(minutes=2)
    phone.get(chilli_query(chilli, res="failed", reason="other", challenge=CHALLENGE[::-1]))
    clock.advance(minutes=2)
    page = phone.get(chilli_query(chilli, challenge=OTHER))
    assert carried(page)[0] == "http://10.70.0.1:3990/prelogin"


def test_a_gateway_that_sends_the_browser_in_a_circle_is_told_of(app: Flask, router: Gateway) -> None:
    phone = phone_at(app, router)
    phone.get(router_query(router))
    sign_in(phone)
    page = phone.get(router_query(router))
    assert carried(page)[0] == ROUTER
    page = phone.get(router_query(router))
    assert "did not let you through" in page.text and "Refresh" not in page.headers


def test_what_the_gateway_did_not_sign_is_not_believed(
    app: Flask, chilli: Gateway, router: Gateway, db: Session
) -> None:
    phone = phone_at(app, chilli)
    for url in (
        chilli_query(chilli, secret="another-secret-than-ours"),
        chilli_query(chilli).replace("0A-01", "0B-01"),
        chilli_query(chilli).partition("&md=")[0],
        # Of another gateway of ours.
        chilli_query(router).replace("/router/", "/chilli/"),
    ):
        answer = phone.get(url)
        assert answer.status_code == 400 and "set up" in answer.text
    assert db.scalars(select(ClientLanding)).all() == []
    assert "md does not fit" in db.scalars(select(GatewayDialogue.answered)).first()
    assert phone.get("/gateways/coovachilli/router/").status_code == 404
    assert phone.get("/gateways/coovachilli/nobody/").status_code == 404


def test_a_uamsecret_of_before_a_rotation_holds_while_that_overlaps(
    app: Flask, services: Services, chilli: Gateway, clock: MovingClock
) -> None:
    old = secret_of(chilli)
    phone = phone_at(app, chilli)
    before = chilli_query(chilli)
    with services.make_session.begin() as db:
        record = db.get_one(Gateway, chilli.id)
        rotate_credential(db, record, keep_old_until=clock() + timedelta(hours=1))
    services.places.forget()
    phone.get(before)
    page = sign_in(phone)
    response = carried(page)[1]["response"]
    with services.make_session() as db:
        access = db.scalars(select(AccessSession)).one()
        record = db.get_one(Gateway, chilli.id)
        made = credentials_of(record, access)
    assert response == uam_chap(made.secret, challenge=CHALLENGE, uamsecret=old)
    clock.advance(hours=2)
    assert phone.get(before).status_code == 400


@pytest.mark.parametrize(
    ("login", "why"),
    [
        ("http://192.0.2.66/login", "none of its login_hosts"),
        ("http://10.70.0.1.evil.example/login", "none of its login_hosts"),
        ("http://10.70.0.1:8080/login", "none of its login_hosts"),
        ("http://10.70.0.1@192.0.2.66/login", "no login address"),
        ("javascript:alert(1)", "no login address"),
    ],
)
def test_a_secret_is_carried_to_a_registered_host_alone(
    app: Flask, router: Gateway, db: Session, login: str, why: str
) -> None:
    phone = phone_at(app, router)
    assert phone.get(router_query(router, login=login)).status_code == 400
    assert why in db.scalars(select(GatewayDialogue.answered)).one()
    assert db.scalars(select(ClientLanding)).all() == []


def test_addresses_are_those_of_the_gateways_clients(app: Flask, router: Gateway, chilli: Gateway) -> None:
    phone = phone_at(app, router)
    assert phone.get(router_query(router, ip=ELSEWHERE)).status_code == 400
    assert phone.get(router_query(router, ip="10.66.0.5")).status_code == 400
    far = phone_at(app, chilli, address="203.0.113.9")
    assert far.get(chilli_query(chilli)).status_code == 400
    # All of them come from one address, where the gateway translates.
    translated = phone_at(app, chilli, address="203.0.113.7")
    assert "/signin" in translated.get(chilli_query(chilli)).text
    assert carried(sign_in(translated))[0] == "http://10.70.0.1:3990/logon"


def test_a_forged_redirect_shows_and_changes_nothing_of_its_victim(
    app: Flask, services: Services, router: Gateway, db: Session
) -> None:
    victim = phone_at(app, router)
    victim.get(router_query(router))
    sign_in(victim)
    access = session_of(db)
    assert access is not None
    let_pass(services, router, access)
    assert shows_session(victim.get("/status"))
    told = dict(db.scalars(select(ClientLanding)).one().told["by"][HERE])
    forger = phone_at(app, router, BO_PHONE, ELSEWHERE)
    # By itself the victim's device would be let in with what is carried here: nothing else of it is said.
    page = forger.get(router_query(router, ip=ELSEWHERE))
    until = f"{access.until:%H:%M}"
    assert ADA not in page.text and until not in page.text and 'action="/leave' not in page.text
    token = re.findall(r"[?&](?:visit|landing)=([^\"&]+)", page.request.full_path)[0]
    for path in ("/status", "/yours", "/opening", "/"):
        shown = forger.get(f"{path}?landing={token}")
        assert until not in shown.text and 'action="/leave' not in shown.text
    assert forger.post("/leave", landing=token, visit=token).status_code in (403, 410)
    assert forger.post(f"/leave?landing={token}").status_code == 403
    assert forger.post(f"/signin?landing={token}", login=ADA, secret=ADA_PIN).status_code == 403
    db.rollback()
    assert db.scalars(select(ClientLanding)).one().told["by"][HERE] == told
    after = session_of(db)
    assert after is not None and after.ended_at is None and after.until == access.until
    assert shows_session(victim.get("/status"))


def test_a_device_that_its_gateway_forgot_goes_on_without_a_page_to_fill_in(
    app: Flask, services: Services, router: Gateway, chilli: Gateway, db: Session
) -> None:
    for gateway, query in ((chilli, chilli_query), (router, router_query)):
        phone = phone_at(app, gateway, keeps_cookies=False)
        phone.get(query(gateway))
        sign_in(phone)
        access = db.scalars(
            select(AccessSession).where(AccessSession.ended_at.is_(None)).order_by(AccessSession.id.desc())
        ).first()
        assert access is not None
        let_pass(services, gateway, access)
        page = phone.get(query(gateway))
        assert "username=" in page.headers["Refresh"], gateway.kind
        _, fields = carried(page)
        let_pass(services, gateway, access)
        back = phone.get(fields.get("userurl") or fields["dst"])
        assert "You are connected" in back.text or shows_session(back)
        with services.make_session.begin() as other:
            end.end(other, access.id, reason=EndReason.STAFF, now=services.clock())


def test_where_the_guest_wants_to_go_is_kept_nowhere(app: Flask, chilli: Gateway, db: Session) -> None:
    phone = phone_at(app, chilli)
    phone.get(chilli_query(chilli, userurl="http://secret-destination.example/"))
    sign_in(phone)
    phone.get(
        chilli_query(chilli, res="failed", reason="reject", userurl="http://secret-destination.example/")
    )
    kept = [*db.scalars(select(ClientLanding.told)), *db.scalars(select(GatewayDialogue.said))]
    assert kept and "secret-destination" not in repr(kept)


def test_whoever_signed_in_sees_the_session_although_the_redirect_was_hearsay(
    app: Flask, services: Services, router: Gateway, db: Session
) -> None:
    phone = phone_at(app, router, keeps_cookies=False)
    phone.get(router_query(router))
    _, fields = carried(sign_in(phone))
    access = session_of(db)
    assert access is not None
    let_pass(services, router, access)
    back = phone.get(fields["dst"])
    assert shows_session(back) and 'action="/leave' in back.text
    # These tokens are good for this session, and for no later one of the same device.
    with services.make_session.begin() as other:
        end.end(other, access.id, reason=EndReason.STAFF, now=services.clock())
    somebody = phone_at(app, router, keeps_cookies=False)
    somebody.get(router_query(router))
    sign_in(somebody)
    assert 'action="/leave' not in phone.get(fields["dst"]).text
