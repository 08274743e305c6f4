"""Terms and holds on the staff's pages: changed with a trace, confirmed by two, seen by nobody else (case P9)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.staff_policy import Role
from auth.trail import TrailEntry
from portal.services import Services
from sessions.keeping import clock as clocks
from sessions.keeping import holds, terms
from sessions.keeping.models import LegalHold, PurgeRun, RetentionRule
from tests.clock import NOON, MovingClock
from tests.portal.staff.conftest import Clerk, Desk
from tests.sessions.keeping.past import Past
from tests.town import BO_PHONE, Town


@pytest.fixture
def pia(desk: Desk, services: Services) -> Clerk:
    """Pia answers for data protection."""
    with services.make_session.begin() as db:
        terms.seed(db, now=services.clock())
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
    pia.press(f"/staff/retention/{rule.id}", amount="30", unit="days", basis="Moins suffit")
    page = pia.follow().text
    assert "30 days, from the day it happened" in page and "What held before" in page
    db.rollback()
    entry = db.scalars(select(TrailEntry).where(TrailEntry.action == "term changed")).one()
    assert (entry.actor, entry.detail["before"], entry.detail["now"]) == ("pia", "3 months", "30 days")


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
    assert second.post(confirm, **form).status_code == 409
    second.get("/staff/holds")
    second.press(f"/staff/holds/{hold.id}/lift")
    db.rollback()
    assert db.scalars(select(LegalHold)).one().lifted_by == "quentin"
    deeds = db.scalars(select(TrailEntry).where(TrailEntry.object == f"hold:{hold.id}")).all()
    assert [(one.actor, one.action) for one in deeds] == [
        ("pia", "hold placed"),
        ("quentin", "hold confirmed"),
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
    ("fields", "told"),
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
    pia: Clerk, db: Session, fields: dict[str, str], told: str
) -> None:
    place(pia, **fields)
    assert pia.page.status_code == 400
    assert told in pia.page.text
    db.rollback()
    assert db.scalars(select(LegalHold)).all() == []


def test_nobody_else_sees_that_there_is_a_hold(pia: Clerk, desk: Desk) -> None:
    place(pia)
    for role in set(Role) - {Role.PRIVACY}:
        clerk = desk.at_work(f"other.{role.value}", role)
        assert clerk.get("/staff/holds").status_code == 403
        assert "/staff/retention" not in clerk.get("/staff/account").text
