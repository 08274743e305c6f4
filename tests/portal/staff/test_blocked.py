"""The pages of blocks: found, asked about with a count, placed, told, lifted."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.audit.log import AuditEntry
from auth.blocks.models import Block
from auth.staff.roles import Role
from portal.services import Services
from sessions.models import AccessSession
from tests.portal.conftest import ADA, ADA_PIN, Agent, Phone
from tests.portal.staff.conftest import Clerk, Desk
from tests.town import ADA_PHONE, Town

ASKED: Mapping[str, str] = {
    "kind": "device",
    "mac": ADA_PHONE.upper().replace(":", "-"),
    "network": "bibliotheques",
    "cause": "disturbance",
    "until": "24/12/2026",
}


@pytest.fixture
def clerk(desk: Desk) -> Clerk:
    return desk.at_work("net", Role.NETWORK)


@pytest.fixture
def library(app: Flask, town: Town, reader: Phone) -> Agent:
    """Its gateway, with Ada's phone online."""
    reader.land()
    reader.press("/signin", login=ADA, secret=ADA_PIN)
    agent = Agent(app, town.pierre_bayle)
    agent.follow()
    assert agent.macs == {ADA_PHONE}
    return agent


def rows(db: Session) -> list[Block]:
    db.rollback()
    return list(db.scalars(select(Block).order_by(Block.id)))


def ask(clerk: Clerk, **fields: str) -> str:
    clerk.get("/staff/blocks")
    return clerk.press("/staff/blocks/ask", **{**ASKED, **fields}).text


def test_it_says_whom_it_cuts_off_and_what_they_read_and_then_does_it(
    clerk: Clerk, library: Agent, reader: Phone, db: Session
) -> None:
    question = ask(clerk)
    assert "1 device is online and is cut off." in question
    assert "Block, and cut off 1 device</button>" in question
    assert "The wifi was disturbed for others. This holds until Thursday 24 December 23:59" in question
    assert rows(db) == []
    assert clerk.press("/staff/blocks").location == "/staff/blocks"
    library.follow()
    assert library.macs == set()
    page = clerk.follow().text
    assert "Device …:0a:01" in page and ADA_PHONE not in page and "in force" in page
    reader.land()
    assert "This device is blocked" in reader.press("/signin", login=ADA, secret=ADA_PIN).text
    clerk.press("/staff/blocks/1/lift", reason="talked to them")
    assert "lifted by net" in clerk.follow().text
    reader.land()
    assert reader.press("/signin", login=ADA, secret=ADA_PIN).status_code == 303


def test_who_came_online_since_the_question_is_asked_about_again(
    clerk: Clerk, reader: Phone, db: Session
) -> None:
    assert "No device is online that it would cut off." in ask(clerk)
    form = clerk.form("/staff/blocks")
    reader.land()
    reader.press("/signin", login=ADA, secret=ADA_PIN)
    assert "1 device is online and is cut off." in clerk.post("/staff/blocks", **form).text
    assert rows(db) == []


def test_from_a_session_the_person_is_blocked_and_named_nowhere(
    clerk: Clerk, library: Agent, services: Services, db: Session
) -> None:
    number = db.scalars(select(AccessSession.id)).one()
    links = clerk.get(f"/staff/sessions/{number}").text
    assert f"/staff/blocks?session={number}&amp;kind=person#block" in links
    page = clerk.get(f"/staff/blocks?session={number}&kind=person").text
    assert ADA_PHONE not in page and ADA not in page
    clerk.press(
        "/staff/blocks/ask", kind="person", network="bibliotheques", cause="misuse", until="2026-12-24"
    )
    assert "Your card is blocked on this wifi." in clerk.page.text
    clerk.press("/staff/blocks")
    (block,) = rows(db)
    assert block.target == db.scalars(select(AccessSession.subject)).one()
    library.follow()
    assert library.macs == set()
    entries = str([(one.object, one.detail) for one in db.scalars(select(AuditEntry))])
    assert block.target not in entries and ADA not in entries


@pytest.mark.parametrize("sought", [ADA, ADA_PHONE, ADA_PHONE.replace(":", "")])
def test_it_is_found_by_card_or_device(clerk: Clerk, desk: Desk, town: Town, sought: str) -> None:
    fields = {"kind": "person", "card": ADA} if sought == ADA else {}
    ask(clerk, **fields)
    clerk.press("/staff/blocks")
    ask(clerk, mac="02:00:00:00:ee:01")
    clerk.press("/staff/blocks")
    clerk.follow()
    page = clerk.press("/staff/blocks/find", sought=sought).text
    assert page.count("in force") == 1 and "…:ee:01" not in page
    assert "Nothing is blocked under this." in clerk.press("/staff/blocks/find", sought="99999999").text


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"mac": "hello"}, "That is no MAC address."),
        ({"kind": "person", "card": "99999999"}, "The library’s directory knows no such card."),
        ({"kind": "nothing"}, "Choose what is blocked."),
        ({"network": ""}, "Choose a network."),
        ({"network": "nowhere"}, "Choose a network."),
        ({"cause": ""}, "Choose why."),
        ({"until": "24/12/2025"}, "The last day lies in the past"),
        ({"until": "31/12/2099"}, "The last day lies in the past"),
        ({"until": "soon"}, "The last day lies in the past"),
    ],
)
def test_what_is_wrong_is_told_and_what_was_typed_stays(
    clerk: Clerk, town: Town, db: Session, fields: dict[str, str], told: str
) -> None:
    page = ask(clerk, note="Salle 2", **fields)
    assert clerk.page.status_code == 400
    assert told in page and 'value="Salle 2"' in page
    assert rows(db) == []


def test_all_networks_are_a_choice_of_those_who_work_for_all(desk: Desk, town: Town, db: Session) -> None:
    some = desk.at_work("some", Role.NETWORK, networks=("bibliotheques",))
    assert 'value="*"' not in some.get("/staff/blocks").text
    assert "Choose a network." in ask(some, network="*")
    assert "Choose a network." in ask(some, network="wifilib")
    everywhere = desk.at_work("all", Role.ADMIN)
    ask(everywhere, network="*")
    everywhere.press("/staff/blocks")
    assert [block.network_id for block in rows(db)] == [None]
    # They see it, and cannot lift it.
    assert "in force" in some.get("/staff/blocks").text
    assert "/staff/blocks/1/lift" not in some.page.text
    form = some.form("/staff/blocks/ask")
    assert some.post("/staff/blocks/1/lift", **form, reason="x").status_code == 404


def test_an_administrator_names_no_session_of_the_log(desk: Desk, library: Agent, db: Session) -> None:
    admin = desk.at_work("boss", Role.ADMIN)
    number = db.scalars(select(AccessSession.id)).one()
    assert admin.get(f"/staff/blocks?session={number}").status_code == 404
    assert desk.at_work("net", Role.NETWORK).get("/staff/blocks?session=9" + "9" * 30).status_code == 404
