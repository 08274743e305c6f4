"""A gateway is added on a page, its credential shown once, and made anew."""

from __future__ import annotations

import html
import re

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.audit.log import AuditEntry
from auth.staff.roles import Role
from gateways.landing_token import credential_digest
from sites.models import Gateway
from tests.portal.conftest import ADA, ADA_PIN, PORTAL, Agent, Phone
from tests.portal.staff.conftest import Clerk, Desk
from tests.town import Town

NEW = {
    "identity": "gw-square",
    "kind": "nftables",
    "site": "battant",
    "network": "wifilib",
    "client_prefixes": "10.90.0.0/24 fd90::/64",
    "redirector_url": "http://10.90.0.1:8081/",
    "ports_per_client": "0",
}


@pytest.fixture
def clerk(desk: Desk, town: Town) -> Clerk:
    return desk.at_work("net", Role.NETWORK)


def add(clerk: Clerk, **fields: str) -> str:
    clerk.get("/staff/records/gateways/-/new")
    return clerk.press("/staff/records/gateways/-/new", **{**NEW, **fields}).text


def shown(clerk: Clerk) -> str:
    (credential,) = re.findall(r"&lt;&lt;&lt; &#39;([A-Za-z0-9_-]+)&#39;", clerk.page.text)
    return credential


def works(app: Flask, credential: str) -> bool:
    headers = {"Authorization": f"Bearer {credential}"}
    answer = app.test_client().get("/gateways/nftables/feed?since=0", base_url=PORTAL, headers=headers)
    return answer.status_code == 200


def test_it_is_added_and_its_two_lines_let_it_in(app: Flask, clerk: Clerk, db: Session) -> None:
    for page in ("/staff/gateways", "/staff/records/gateways"):
        assert "/staff/records/gateways/-/new" in clerk.get(page).text
    add(clerk)
    page = html.unescape(clerk.follow().text)
    assert f"enrol {PORTAL} gw-square --prefix 10.90.0.0/24 --prefix fd90::/64 --start" in page
    assert "needs a route through this one to the addresses of the guests" in page
    credential = shown(clerk)
    assert works(app, credential)
    assert "gw-square" in clerk.get("/staff/gateways").text
    # It is kept nowhere: the page of its set-up has the lines without it.
    assert credential not in clerk.get("/staff/gateways/gw-square/setup").text
    entries = list(db.scalars(select(AuditEntry).where(AuditEntry.object == "gateway:gw-square")))
    assert [one.action for one in entries] == ["record made"]
    assert credential not in str([one.detail for one in entries])


def test_what_is_wrong_stands_beside_its_field_and_nothing_is_recorded(clerk: Clerk, db: Session) -> None:
    for fields in (
        {"identity": "gw-battant"},
        {"client_prefixes": "10.67.0.0/25"},
        {"network": "bibliotheques"},
    ):
        page = add(clerk, **fields)
        assert clerk.page.status_code == 400 and 'value="http://10.90.0.1:8081/"' in page
    assert len(db.scalars(select(Gateway.id)).all()) == 3


def test_the_pressing_finger_sees_the_credential_and_a_later_sign_in_does_not(clerk: Clerk) -> None:
    clerk.get("/staff/records/gateways/-/new")
    form = {**clerk.form("/staff/records/gateways/-/new"), **NEW}
    address = clerk.post("/staff/records/gateways/-/new", **form).location
    clerk.follow()
    credential = shown(clerk)
    again = clerk.post("/staff/records/gateways/-/new", **form).location
    assert re.sub(r"[?&]again=1$", "", again) == address
    clerk.follow()
    assert shown(clerk) == credential
    clerk.get("/staff/account")
    clerk.press("/staff/signout")
    clerk.sign_in()
    assert clerk.get(address).status_code == 410


def test_another_credential_takes_the_place_of_the_old_one(app: Flask, clerk: Clerk, db: Session) -> None:
    add(clerk)
    address = clerk.page.location
    clerk.follow()
    old = shown(clerk)
    clerk.get("/staff/gateways/gw-square/setup")
    clerk.press("/staff/gateways/gw-square/credential")
    clerk.follow()
    new = shown(clerk)
    assert works(app, new) and not works(app, old)
    assert clerk.get(address).status_code == 410
    db.rollback()
    digest = db.scalars(select(Gateway.credential_digest).where(Gateway.identity == "gw-square")).one()
    assert digest == credential_digest(new)
    last = db.scalars(select(AuditEntry.action).order_by(AuditEntry.number.desc())).first()
    assert last == "gateway credential made"


def test_a_box_of_another_make_shows_its_lines_and_keeps_the_old_secrets_a_day(
    clerk: Clerk, db: Session
) -> None:
    add(clerk, kind="opennds", options="")
    if clerk.page.status_code == 400:
        pytest.fail(clerk.page.text)
    assert "faskey" in clerk.follow().text
    clerk.get("/staff/gateways/gw-square/setup")
    clerk.press("/staff/gateways/gw-square/credential", hours="24")
    db.rollback()
    gateway = db.scalars(select(Gateway).where(Gateway.identity == "gw-square")).one()
    assert gateway.previous_until is not None and gateway.previous_digest


def test_who_works_for_other_networks_makes_none_here(desk: Desk, town: Town) -> None:
    other = desk.at_work("away", Role.NETWORK, networks=("bibliotheques",))
    assert "not yours" in add(other) or other.page.status_code == 400
    other.get("/staff/account")
    form = other.form("/staff/account/signout")
    assert other.post("/staff/gateways/gw-battant/credential", **form).status_code == 404


def test_a_retired_gateway_lets_go_of_everybody_and_leaves_its_place_to_another(
    app: Flask, clerk: Clerk, reader: Phone, town: Town, db: Session
) -> None:
    reader.land()
    reader.press("/signin", login=ADA, secret=ADA_PIN)
    agent = Agent(app, town.pierre_bayle)
    agent.follow()
    assert agent.macs == {reader.mac}
    page = "/staff/records/gateways/gw-bayle"
    clerk.get(page)
    asked = clerk.press(page, is_retired="true")
    assert asked.status_code == 409 and "Save and disconnect 1 device</button>" in asked.text
    agent.follow()
    assert agent.macs == {reader.mac}
    clerk.press(page, is_retired="true", agreed="yes")
    assert clerk.page.status_code == 303
    app.extensions["arobase"].places.forget()
    # Its agent still hears what ends there, and nobody new comes in through it.
    agent.follow()
    assert agent.macs == set()
    assert 'action="/signin' not in reader.land().text
    assert "/staff/gateways/gw-bayle" not in clerk.get("/staff/gateways").text
    prefixes = {"client_prefixes": " ".join(town.pierre_bayle.client_prefixes)}
    add(clerk, site="pierre-bayle", network="bibliotheques", **prefixes)
    assert clerk.page.status_code == 303, clerk.page.text
    # Taken into use again, it would have the other one's addresses.
    clerk.get(page)
    form = {name: text for name, text in clerk.form(page).items() if name != "is_retired"}
    assert clerk.post(page, **form).status_code == 400
