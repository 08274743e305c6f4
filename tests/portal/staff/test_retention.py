"""Terms and holds on the staff's pages: changed with a trace, confirmed by two, seen by nobody else."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.audit.log import AuditEntry
from auth.staff.roles import Role
from portal import retention
from portal.services import Services
from sessions.data_classes import DataClass
from sessions.retention import clock_check as clocks
from sessions.retention import holds, periods, purge
from sessions.retention.models import LegalHold, PurgeRun, RetentionRule, TermChange
from tests.clock import NOON, MovingClock
from tests.portal.staff.conftest import Clerk, Desk
from tests.sessions.retention.past import Past
from tests.town import BO_PHONE, Town


@pytest.fixture
def pia(desk: Desk, services: Services) -> Clerk:
    """Pia answers for data protection."""
    with services.make_session.begin() as db:
        periods.seed(db, now=services.clock())
        clocks.look(db, now=services.clock())
    return desk.at_work("pia", Role.PRIVACY)


def place(clerk: Clerk, **fields: str) -> None:
    clerk.get("/staff/holds")
    values = {"reference": "Réq. 12", "reason": "Enquête", "expires_at": "2027-01-31", "mac": BO_PHONE}
    clerk.press("/staff/holds", **{**values, **fields})


def test_the_page_says_every_term_and_its_basis(pia: Clerk) -> None:
    page = pia.get("/staff/retention").text
    assert page.count("1 year, from the end of the connection") == 2
    assert "3 months, from the day it happened" in page
    assert "R10-14" in page


def test_a_changed_term_is_traced_and_the_old_line_stays(pia: Clerk, db: Session) -> None:
    pia.get("/staff/retention")
    rule = db.scalars(select(RetentionRule).where(RetentionRule.data_class == "security")).one()
    pia.press(f"/staff/retention/{rule.id}", amount="4", unit="months", basis="Décret de 2027")
    page = pia.follow().text
    assert "4 months, from the day it happened" in page and "What held before" in page
    db.rollback()
    entry = db.scalars(select(AuditEntry).where(AuditEntry.action == "term changed")).one()
    assert (entry.actor, entry.detail["before"], entry.detail["now"]) == ("pia", "3 months", "4 months")


def test_a_shorter_term_waits_for_a_second_person_and_a_week(
    pia: Clerk, desk: Desk, services: Services, db: Session, clock: MovingClock
) -> None:
    pia.get("/staff/retention")
    rule = db.scalars(select(RetentionRule).where(RetentionRule.data_class == "security")).one()
    pia.press(f"/staff/retention/{rule.id}", amount="30", unit="days", basis="Moins suffit")
    page = pia.follow().text
    assert "3 months, from the day it happened" in page and "asked by pia" in page
    db.rollback()
    change = db.scalars(select(TermChange)).one()
    confirm = f"/staff/retention/changes/{change.id}/confirm"
    assert confirm not in page
    assert pia.post(confirm, **pia.form(f"/staff/retention/changes/{change.id}/withdraw")).status_code == 409
    second = desk.at_work("quentin", Role.PRIVACY)
    second.get("/staff/retention")
    second.press(confirm)
    assert "holds from" in second.follow().text
    clock.advance(days=6)
    with services.make_session.begin() as writer:
        purge.step(writer, retention.SHELVES, now=clock(), at_once=True)
        assert periods.in_force(writer)[DataClass.SECURITY].term.amount == 3
    clock.advance(days=1)
    with services.make_session.begin() as writer:
        for run in writer.scalars(select(PurgeRun)):
            run.finished_at = clock()
        writer.flush()
        purge.step(writer, retention.SHELVES, now=clock(), at_once=True)
        assert periods.in_force(writer)[DataClass.SECURITY].term.amount == 30
    db.rollback()
    deeds = db.execute(
        select(AuditEntry.actor, AuditEntry.action).where(AuditEntry.object == "retention:security")
    ).all()
    assert [tuple(deed) for deed in deeds] == [
        ("pia", "shorter term asked"),
        ("quentin", "shorter term confirmed"),
        ("system", "term changed"),
    ]


def test_the_page_refuses_what_the_law_does_not_allow(pia: Clerk, db: Session) -> None:
    rule = db.scalars(select(RetentionRule).where(RetentionRule.data_class == "trail")).one()
    pia.get("/staff/retention")
    pia.press(f"/staff/retention/{rule.id}", amount="1", unit="days", basis="x")
    assert pia.page.status_code == 400 and "The law asks for more than that." in pia.page.text


def test_an_officer_of_one_network_touches_nothing_of_the_town(
    pia: Clerk, desk: Desk, services: Services, db: Session, town: Town
) -> None:
    """Terms, the purge and the whole town's holds are not theirs; holds of their own network are."""
    place(pia)
    place(pia, network="wifilib", reference="Réq. 13", mac="02:00:00:00:0b:77")
    lou = desk.at_work("lou", Role.PRIVACY, networks=("bibliotheques",))
    page = lou.get("/staff/retention").text
    assert "Change this term" not in page
    form = {"form": lou.get("/staff/holds") and lou.form("/staff/holds")["form"]}
    assert BO_PHONE not in lou.page.text and "Réq. 1" not in lou.page.text
    rule = db.scalars(select(RetentionRule)).first()
    assert rule is not None
    asked = {**form, "amount": "9", "unit": "years", "basis": "x"}
    assert lou.post(f"/staff/retention/{rule.id}", **asked).status_code == 403
    assert lou.post("/staff/retention/purge", **form).status_code == 403
    for hold in db.scalars(select(LegalHold)):
        for deed in ("confirm", "lift", "go-on"):
            assert lou.post(f"/staff/holds/{hold.id}/{deed}", **form).status_code == 404
    lou.get("/staff/holds")
    place(lou, network="wifilib", reference="Réq. 14")
    assert lou.page.status_code == 400
    place(lou, network="", reference="Réq. 15")
    assert "Réq. 15" in lou.follow().text
    db.rollback()
    held = {
        one.reference: (one.network_id, one.lifted_at, one.confirmed_at)
        for one in db.scalars(select(LegalHold))
    }
    assert held == {
        "Réq. 12": (None, None, None),
        "Réq. 13": (town.free.id, None, None),
        "Réq. 15": (town.pierre_bayle.network_id, None, None),
    }
    # Those who answer for the whole town see it.
    assert "Réq. 15" in pia.get("/staff/holds").text


def test_looking_at_the_holds_leaves_a_line(pia: Clerk, db: Session) -> None:
    pia.get("/staff/holds")
    entry = db.scalars(select(AuditEntry).order_by(AuditEntry.number.desc())).first()
    assert entry is not None and (entry.actor, entry.action) == ("pia", "holds listed")


@pytest.mark.parametrize("amount", ["0", "-1", "", "x", "99999", "1e3"])
def test_a_term_without_sense_is_told_and_changes_nothing(pia: Clerk, db: Session, amount: str) -> None:
    pia.get("/staff/retention")
    rule = db.scalars(select(RetentionRule)).first()
    assert rule is not None
    pia.press(f"/staff/retention/{rule.id}", amount=amount, unit="years", basis="x")
    assert pia.page.status_code == 400 and "This term cannot be used." in pia.page.text
    db.rollback()
    assert len(db.scalars(select(RetentionRule)).all()) == 6


def test_a_purge_that_asks_is_confirmed_by_a_person(
    pia: Clerk, services: Services, town: Town, clock: MovingClock, db: Session
) -> None:
    with services.make_session.begin() as writer:
        past = Past(writer, town)
        for _ in range(3):
            past.refusal(NOON - timedelta(days=400))
        writer.add(PurgeRun(as_of=clock(), finished_at=clock(), refused="clock", position=0))
    assert "Refused: the clock cannot be right." in pia.get("/staff/retention").text
    pia.press("/staff/retention/purge")
    assert "Under way." in pia.follow().text
    run = db.scalars(select(PurgeRun).where(PurgeRun.refused.is_(None))).one()
    assert run.confirmed_by == "pia"


def test_a_hold_is_placed_by_one_and_confirmed_by_another(
    pia: Clerk, desk: Desk, clock: MovingClock, db: Session
) -> None:
    place(pia)
    assert "holds, waits for a second person" in pia.follow().text
    hold = db.scalars(select(LegalHold)).one()
    assert (hold.mac, hold.created_by, hold.expires_at.isoformat()) == (
        BO_PHONE, "pia", "2027-01-31T23:00:00+00:00",
    )  # fmt: skip
    confirm = f"/staff/holds/{hold.id}/confirm"
    assert confirm not in pia.page.text
    # Not even by a form of her own making.
    pia.post(confirm, **pia.form("/staff/holds"))
    assert pia.page.status_code == 409
    second = desk.at_work("quentin", Role.PRIVACY)
    second.get("/staff/holds")
    form = second.form(confirm)
    assert second.post(confirm, **form).status_code == 303
    # The same press twice leads to the same place.
    assert second.post(confirm, **form).status_code == 303
    # It ends by two as well.
    second.get("/staff/holds")
    second.press(f"/staff/holds/{hold.id}/lift")
    assert "quentin asks to lift it" in second.follow().text
    assert second.post(f"/staff/holds/{hold.id}/lift", **form).status_code == 409
    pia.get("/staff/holds")
    pia.press(f"/staff/holds/{hold.id}/go-on")
    assert "asks to lift it" not in pia.follow().text
    pia.press(f"/staff/holds/{hold.id}/lift")
    second.get("/staff/holds")
    second.press(f"/staff/holds/{hold.id}/lift")
    db.rollback()
    ended = db.scalars(select(LegalHold)).one()
    assert (ended.lift_asked_by, ended.lifted_by) == ("pia", "quentin")
    deeds = db.scalars(select(AuditEntry).where(AuditEntry.object == f"hold:{hold.id}")).all()
    assert [(one.actor, one.action) for one in deeds] == [
        ("pia", "hold placed"),
        ("quentin", "hold confirmed"),
        ("quentin", "hold lift asked"),
        ("pia", "hold goes on"),
        ("pia", "hold lift asked"),
        ("quentin", "hold lifted"),
    ]
    assert all(BO_PHONE not in str(one.detail) for one in deeds)


def test_a_hold_that_nobody_confirms_lapses_after_a_week(
    pia: Clerk, services: Services, clock: MovingClock
) -> None:
    place(pia)
    with services.make_session() as db:
        assert len(holds.active(db, now=clock() + timedelta(days=6))) == 1
        assert holds.active(db, now=clock() + timedelta(days=8)) == []


@pytest.mark.parametrize(
    ("fields", "answer"),
    [
        ({"reference": " "}, "Give the reference of the order."),
        ({"reason": ""}, "Say why, in a sentence."),
        ({"expires_at": "2026-11-23"}, "Give its last day"),
        ({"expires_at": "2040-01-01"}, "Give its last day"),
        ({"expires_at": "soon"}, "Give its last day"),
        ({"mac": "zz"}, "A MAC address looks like"),
        ({"mac": ""}, "Say what is held"),
        ({"mac": "", "address": "300.1.1.1"}, "Say what is held"),
        ({"site": "nowhere"}, "There is no such site."),
        ({"since": "2026-02-01", "until": "2026-01-01"}, "The end of the window"),
    ],
)
def test_a_hold_that_lacks_something_says_what(
    pia: Clerk, db: Session, fields: dict[str, str], answer: str
) -> None:
    place(pia, **fields)
    assert pia.page.status_code == 400
    assert answer in pia.page.text
    db.rollback()
    assert db.scalars(select(LegalHold)).all() == []


def test_nobody_else_sees_that_there_is_a_hold(pia: Clerk, desk: Desk) -> None:
    place(pia)
    for role in set(Role) - {Role.PRIVACY}:
        clerk = desk.at_work(f"other.{role.value}", role)
        assert clerk.get("/staff/holds").status_code == 403
        assert "/staff/retention" not in clerk.get("/staff/account").text
