"""The log as network staff meet it: asked in words of the address, masked, on record, and never another network's."""

from __future__ import annotations

import logging
import re
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from auth.staff.roles import Role
from portal.denials.portal_reasons import NOT_HERE
from portal.services import Services
from sessions.log.denials import LoggedDenial, Step, note, show_code
from sessions.models import AccessSession, EndReason, Lease
from tests.clock import MovingClock
from tests.portal.conftest import Agent, Phone
from tests.portal.staff.conftest import Clerk, Desk
from tests.portal.staff.log_looks import WHY, deeds, holds_none, lift, main_of
from tests.sessions.log.rows import ADA, BO, add_session
from tests.town import ADA_PHONE, BO_PHONE, Town

# The list


def test_nothing_is_shown_before_something_is_asked(net: Clerk, known: dict[str, Any], db: Session) -> None:
    page = net.get("/staff/sessions")
    assert page.status_code == 200
    assert "<table" not in main_of(net)
    assert deeds(db) == []


def test_from_a_complaint_to_the_reason(net: Clerk, known: dict[str, Any]) -> None:
    """Station, just now, an iPhone: the refusal stands in the list, and says what to tell the person."""
    net.get("/staff/sessions?site=gare-viotte&last=15m")
    row = next(row for row in re.findall(r"<tr.*?</tr>", main_of(net), re.DOTALL) if "iPhone" in row)
    assert "Too many attempts" in row
    link = re.search(r'href="([^"]+)"', row)
    assert link is not None
    net.get(link[1])
    assert "Wait until the time given" in main_of(net)
    assert "Until " in main_of(net)


def test_the_list_is_masked_and_on_record(
    net: Clerk, known: dict[str, Any], db: Session, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="portal")
    page = net.get("/staff/sessions?show=all&last=today&state=")
    assert page.status_code == 200
    assert "…:0a:01" in page.text
    assert "….5" in page.text
    assert "ada0…" in page.text
    assert holds_none(page.text)
    assert holds_none(caplog.text)
    (deed,) = deeds(db)
    assert (deed.actor, deed.action) == ("noor", "log listed")
    assert deed.detail == {"asked": "last=today", "rows": 3}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("from=yesterday-ish", "That is not a time."),
        ("from=2026-11-26T14:10&to=2026-11-26T14:00", "That is not a time after"),
        ("about=25:00", "That is not a time of day."),
        ("ends=zz", "That is not the end of a MAC address."),
        ("pass=twelve", "That is not the number of a pass."),
        ("state=asleep", "That is no filter of this list."),
        ("site=../etc", "That is no filter of this list."),
        ("like=K7Q", "That is no filter of this list."),
        ("last=1h&after=nonsense", "There is no such row"),
        ("from=9999-12-31T23:59-23:59", "That is not a time."),
    ],
)
def test_a_bad_word_is_told_in_a_sentence(net: Clerk, words: str, said: str) -> None:
    page = net.get(f"/staff/sessions?{words}")
    assert page.status_code in (400, 404)
    assert said in page.text


def test_older_pages_follow_by_a_link(
    net: Clerk, services: Services, town: Town, clock: MovingClock, db: Session
) -> None:
    with services.make_session.begin() as writing:
        for number in range(60):
            add_session(
                writing,
                town.station,
                clock() - timedelta(seconds=number),
                mac=f"02:00:00:00:01:{number:02x}",
            )
    net.get("/staff/sessions?site=gare-viotte&show=sessions")
    first = set(re.findall(r"/staff/sessions/(\d+)\"", main_of(net)))
    older = re.search(r'href="(/staff/sessions\?[^"]*after=[^"]+)"', main_of(net))
    assert older is not None
    net.get(older[1].replace("&amp;", "&"))
    second = set(re.findall(r"/staff/sessions/(\d+)\"", main_of(net)))
    assert (len(first), len(second), first & second) == (50, 10, set())
    assert [deed.detail["rows"] for deed in deeds(db)] == [50, 10]


def test_another_network_is_not_there(
    desk: Desk, known: dict[str, Any], services: Services, town: Town, clock: MovingClock
) -> None:
    with services.make_session.begin() as db:
        own = add_session(db, town.pierre_bayle, clock()).id
    lib = desk.at_work("lou", Role.NETWORK, networks=("bibliotheques",))
    lib.get("/staff/sessions?last=today")
    assert re.findall(r"/staff/sessions/(\d+)\"", main_of(lib)) == [str(own)]
    assert "Gare Viotte" not in main_of(lib)
    assert lib.get(f"/staff/incidents/{known['code']}").status_code == 404
    assert lib.get(f"/staff/sessions?like={known['ada']}&same=device").status_code == 404
    lib.get("/staff/sessions")
    for typed in (BO_PHONE, "10.67.0.9", known["code"], BO):
        assert lib.press("/staff/sessions/find", wanted=typed).status_code == 404, typed


def test_a_refusal_behind_no_gateway_is_for_whoever_was_told_its_code(
    desk: Desk, services: Services, town: Town, clock: MovingClock
) -> None:
    with services.make_session.begin() as db:
        code = note(db, LoggedDenial(NOT_HERE, Step.LANDING, address="192.0.2.9"), now=clock())
    assert code is not None
    lib = desk.at_work("lou", Role.NETWORK, networks=("bibliotheques",))
    page = lib.get(f"/staff/incidents/{show_code(code)}")
    assert page.status_code == 200
    assert "Not behind a gateway of ours" in page.text
    assert "192.0.2.9" not in page.text
    assert code not in lib.get("/staff/sessions?last=1h").text


# The one box


@pytest.mark.parametrize(
    ("typed", "leads_to"),
    [
        (BO_PHONE, "/staff/sessions?like={bo}&same=device"),
        (BO_PHONE.upper().replace(":", "-"), "/staff/sessions?like={bo}&same=device"),
        ("10.66.0.5", "/staff/sessions?like={ada}&same=address"),
        ("10.66.0.9", "/staff/sessions?like={bare}&same=address"),
        (BO, "/staff/sessions?like={bo}&same=person"),
        ("ada0…", "/staff/sessions?pseudonym=ada0"),
        ("0a:01", "/staff/sessions?ends=0a:01"),
        ("12-7", "/staff/sessions?pass=12-7"),
        ("{code}", "/staff/incidents/{code}"),
        ("incident {bare}", "/staff/incidents/{code}"),
        ("{bo}", "/staff/sessions/{bo}"),
    ],
)
def test_what_people_tell_is_found(
    net: Clerk, known: dict[str, Any], db: Session, typed: str, leads_to: str
) -> None:
    words = {**known, "bare": known["code"].replace("-", "")}
    net.get("/staff/sessions")
    answer = net.press("/staff/sessions/find", wanted=typed.format(**words))
    assert answer.status_code == 303, answer.text
    assert answer.location.replace("%3A", ":") == leads_to.format(**words)
    assert holds_none(answer.location)
    assert [deed.action for deed in deeds(db)] == ["log searched"]
    assert holds_none(str(deeds(db)[0].canonical))
    if "12-7" not in typed:
        assert net.get(answer.location).status_code == 200


@pytest.mark.parametrize("typed", ["", "'; DROP TABLE", "02:00:00:00:ff:ff", "K7Q-4MX", "99999999"])
def test_what_is_not_there_is_said(net: Clerk, known: dict[str, Any], typed: str) -> None:
    net.get("/staff/sessions")
    answer = net.press("/staff/sessions/find", wanted=typed)
    assert answer.status_code in (303, 400, 404)
    if answer.status_code == 303:
        assert "Nothing matches" in net.get(answer.location).text


def test_the_device_of_a_row_is_found_in_all_its_rows(net: Clerk, known: dict[str, Any]) -> None:
    net.get(f"/staff/sessions?like={known['code'].replace('-', '')}&same=device")
    assert f"/staff/sessions/{known['bo']}" in main_of(net)
    assert known["code"] in main_of(net)
    assert f'/staff/sessions/{known["ada"]}"' not in main_of(net)
    assert "Only the device of incident" in main_of(net)


# One session


def test_a_session_tells_its_story(
    net: Clerk, phone: Phone, station: Agent, clock: MovingClock, services: Services, db: Session
) -> None:
    phone.land()
    clock.advance(minutes=1)
    phone.post("/signin", **phone.form("/pause"), login="x", secret="y")
    clock.advance(minutes=1)
    phone.land()
    phone.press("/pause")
    station.follow()
    access = db.scalars(select(AccessSession)).one()
    page = net.get(f"/staff/sessions/{access.id}").text
    story = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.split('class="story"')[1]))
    wanted = [
        "Refused",
        "The device came to the first page.",
        "Accepted the terms",
        "Signed in: Free access, with a message, at Gare Viotte.",
        "May pass from",
        "Gateway gw-viotte confirmed",
    ]
    places = [story.find(words) for words in wanted]
    assert -1 not in places, story
    assert places == sorted(places)
    assert "(UTC+01:00)" in page
    assert holds_none(page)
    assert [deed.action for deed in deeds(db)] == ["session opened"]


def test_both_ends_of_a_move_are_linked(
    net: Clerk, services: Services, town: Town, clock: MovingClock
) -> None:
    with services.make_session.begin() as db:
        old = add_session(db, town.station, clock(), ended_at=clock(), end_reason=EndReason.MOVED)
        new = add_session(db, town.station, clock(), mac=BO_PHONE, previous_id=old.id)
    assert f"Went on as session {new.id}" in net.get(f"/staff/sessions/{old.id}").text
    assert f"Took over the time of session {old.id}" in net.get(f"/staff/sessions/{new.id}").text


def test_an_end_is_pending_until_the_gateway_has_confirmed(
    net: Clerk, phone: Phone, station: Agent, db: Session
) -> None:
    phone.land()
    phone.press("/pause")
    station.follow()
    access = db.scalars(select(AccessSession)).one()
    assert net.get(f"/staff/sessions/{access.id}/end").status_code == 200
    assert db.scalars(select(AccessSession.ended_at)).one() is None
    net.press(f"/staff/sessions/{access.id}/end")
    net.follow()
    assert "the gateway has not confirmed yet" in net.page.text
    db.rollback()
    assert db.scalars(select(AccessSession.end_reason)).one() is EndReason.STAFF
    assert db.scalars(select(Lease.released_at)).one() is not None
    station.follow()
    assert station.macs == set()
    assert "The gateway has confirmed the end" in net.get(f"/staff/sessions/{access.id}").text
    # The page that asks shows the session, too.
    assert [deed.action for deed in deeds(db)] == [
        "session opened",
        "session ended",
        "session opened",
        "session opened",
    ]


# Masks


def test_a_mask_is_lifted_for_one_session_for_a_quarter_of_an_hour(
    net: Clerk, known: dict[str, Any], clock: MovingClock, db: Session
) -> None:
    path = f"/staff/sessions/{known['ada']}"
    assert lift(net, path).status_code == 303
    page = net.follow().text
    assert ADA_PHONE in page
    assert "10.66.0.5" in page
    assert ADA not in page
    assert holds_none(net.get(f"/staff/sessions/{known['bo']}").text)
    clock.advance(minutes=14, seconds=59)
    assert ADA_PHONE in net.get(path).text
    clock.advance(seconds=1)
    assert holds_none(net.get(path).text)
    unmasked = next(deed for deed in deeds(db) if deed.action == "unmasked")
    assert unmasked.detail["reason"] == WHY
    assert unmasked.detail["veil"] == "devices"
    assert unmasked.object == f"session:{known['ada']}"
    assert next(deed for deed in deeds(db)[::-1] if deed.detail.get("unmasked")).action == "session opened"


def test_a_mask_is_lifted_for_the_present_question_alone(net: Clerk, known: dict[str, Any]) -> None:
    lift(net, "/staff/sessions?site=gare-viotte&last=1h")
    assert ADA_PHONE in net.follow().text
    assert holds_none(net.get("/staff/sessions?site=gare-viotte").text)
    assert holds_none(net.get("/staff/sessions?site=battant&last=1h").text)


def test_persons_are_for_those_who_protect_them(desk: Desk, net: Clerk, known: dict[str, Any]) -> None:
    path = f"/staff/sessions/{known['ada']}"
    assert "/staff/unmask/persons" not in net.get(path).text
    form = net.form("/staff/unmask/devices")
    assert net.post("/staff/unmask/persons", **form, reason=WHY).status_code == 403
    dpo = desk.at_work("pat", Role.PRIVACY)
    lift(dpo, path, "persons")
    page = dpo.follow().text
    assert ADA in page
    assert ADA_PHONE not in page


@pytest.mark.parametrize("reason", ["", "short", "          ", "\n\t" * 20])
def test_without_a_reason_nothing_is_lifted(
    net: Clerk, known: dict[str, Any], db: Session, reason: str
) -> None:
    path = f"/staff/sessions/{known['ada']}"
    assert lift(net, path, reason=reason).status_code == 400
    assert holds_none(net.get(path).text)
    assert "unmasked" not in [deed.action for deed in deeds(db)]


@pytest.mark.parametrize(
    "scope",
    ["", "session:999999", "session:x", "list:", "list:state=asleep", "list:last=1h&state=open&x=1", "all:"],
)
def test_a_scope_that_is_none_lifts_nothing(net: Clerk, known: dict[str, Any], scope: str) -> None:
    net.get(f"/staff/sessions/{known['ada']}")
    form = {**net.form("/staff/unmask/devices"), "scope": scope}
    assert net.post("/staff/unmask/devices", **form, reason=WHY).status_code == 404


def test_what_was_lifted_dies_with_the_sign_in(net: Clerk, known: dict[str, Any]) -> None:
    path = f"/staff/sessions/{known['ada']}"
    lift(net, path)
    assert ADA_PHONE in net.get(path).text
    net.press("/staff/signout")
    net.sign_in()
    assert holds_none(net.get(path).text)


class TestNoLineNoData:
    """The audit log cannot be written, so nothing is seen. The fault is the database's own."""

    @pytest.fixture(autouse=True)
    def broken(self, services: Services, known: dict[str, Any], net: Clerk) -> None:
        net.get(f"/staff/sessions/{known['ada']}")
        self.form = net.form("/staff/unmask/devices")
        net.get("/staff/sessions")
        self.box = net.form("/staff/sessions/find")
        with services.engine.begin() as connection:
            if connection.dialect.name == "sqlite":
                connection.execute(
                    text("CREATE TRIGGER full BEFORE INSERT ON trail BEGIN SELECT RAISE(ABORT, 'full'); END")
                )
            else:
                connection.execute(text("ALTER TABLE trail ADD CONSTRAINT full_up CHECK (false) NOT VALID"))
        yield
        with services.engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("ALTER TABLE trail DROP CONSTRAINT full_up"))

    @pytest.mark.parametrize("path", ["?last=today", "/{ada}", "?like={ada}&same=person"])
    def test_no_page_of_the_log_is_shown(self, net: Clerk, known: dict[str, Any], path: str) -> None:
        page = net.get("/staff/sessions" + path.format(**known))
        assert page.status_code == 500
        assert "0a:01" not in page.text

    def test_no_incident_is_shown(self, net: Clerk, known: dict[str, Any]) -> None:
        page = net.get(f"/staff/incidents/{known['code']}")
        assert page.status_code == 500
        assert "Too many attempts" not in page.text

    def test_nothing_is_found(self, net: Clerk, known: dict[str, Any]) -> None:
        assert net.post("/staff/sessions/find", **self.box, wanted=BO_PHONE).status_code == 500

    def test_no_mask_is_lifted(self, net: Clerk, known: dict[str, Any], services: Services) -> None:
        assert net.post("/staff/unmask/devices", **self.form, reason=WHY).status_code == 500
        with services.engine.begin() as connection:
            if connection.dialect.name == "sqlite":
                connection.execute(text("DROP TRIGGER full"))
            else:
                connection.execute(text("ALTER TABLE trail DROP CONSTRAINT full_up"))
                connection.execute(text("ALTER TABLE trail ADD CONSTRAINT full_up CHECK (true) NOT VALID"))
        assert holds_none(net.get(f"/staff/sessions/{known['ada']}").text)

    def test_no_session_is_ended(self, net: Clerk, known: dict[str, Any], db: Session) -> None:
        form = {name: value for name, value in self.form.items() if name != "scope"}
        assert net.post(f"/staff/sessions/{known['ada']}/end", **form).status_code == 500
        assert db.get_one(AccessSession, known["ada"]).ended_at is None


def test_the_staff_can_ask_while_the_guests_pages_are_elsewhere(app: Flask, net: Clerk) -> None:
    assert "/staff/sessions" in net.get("/staff/overview").text
