"""What somebody typed survives the question for the password, and a sign-in that ended meanwhile."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from auth.staff.models import StaffSession
from auth.staff.roles import Role
from auth.vouchers.models import Batch
from sessions.retention.models import LegalHold
from tests.clock import MovingClock
from tests.portal.staff.conftest import PASSWORD, Clerk, Desk


@pytest.fixture
def officer(desk: Desk) -> Clerk:
    return desk.at_work("olga", Role.PRIVACY)


def test_the_password_question_carries_the_form(officer: Clerk, clock: MovingClock, db: Session) -> None:
    typed = {
        "reference": "TJ Besançon 2026/114",
        "reason": "Ordonnance du juge",
        "mac": "02:00:00:00:0a:01",
        "since": "2026-11-20",
        "until": "2026-11-26",
        "expires_at": "2027-06-01",
    }
    officer.get("/staff/holds")
    clock.advance(minutes=11)
    officer.press("/staff/holds", **typed)
    assert "What you typed is kept" in officer.page.text
    held = officer.form("/staff/holds")
    assert {name: held[name] for name in typed} == typed
    officer.press("/staff/holds", password_of_now="not it")
    assert officer.page.status_code == 401 and "What you typed is kept" in officer.page.text
    assert db.scalar(select(func.count(LegalHold.id))) == 0
    db.rollback()
    assert officer.press("/staff/holds", password_of_now=PASSWORD).status_code < 400, officer.page.text
    assert db.scalar(select(func.count(LegalHold.id))) == 1


def test_a_form_is_carried_over_a_new_sign_in(clerk: Clerk, clock: MovingClock, db: Session) -> None:
    clerk.get("/staff/desk")
    form = {**clerk.form("/staff/desk"), "plan": "day", "desk": "pierre-bayle", "event": "Fête du livre"}
    clock.advance(hours=13)
    assert "What you typed is kept" in clerk.post("/staff/desk", **form, count="30").text
    clerk.press("/staff/signin", login=clerk.login, password=PASSWORD)
    clerk.press("/staff/signin/code", code=clerk.code())
    assert "Fête du livre" in clerk.follow().text
    assert db.scalar(select(func.count(Batch.id))) == 0
    db.rollback()
    assert clerk.press("/staff/desk").status_code == 303
    batch = db.scalars(select(Batch)).one()
    assert (batch.count, batch.event) == (30, "Fête du livre")
    assert clerk.get("/staff/carried").status_code == 303


def test_a_form_of_an_earlier_sign_in_is_shown_again(clerk: Clerk, db: Session) -> None:
    """Two tabs: in one of them somebody signed out and in again."""
    clerk.get("/staff/desk")
    old = {**clerk.form("/staff/desk"), "plan": "day", "desk": "pierre-bayle", "count": "2"}
    clerk.press("/staff/signout")
    clerk.sign_in()
    clerk.post("/staff/desk", **old)
    assert "Your form is still here" in clerk.follow().text
    assert clerk.press("/staff/desk").status_code == 303
    assert db.scalars(select(Batch.count)).all() == [2]


def test_no_password_and_no_code_is_carried(clerk: Clerk, clock: MovingClock) -> None:
    clerk.get("/staff/account")
    clock.advance(minutes=11)
    page = clerk.press("/staff/account/password", password="a new one entirely").text
    assert "a new one entirely" not in page
    clock.advance(hours=13)
    page = clerk.press("/staff/account/password", password="a new one entirely").text
    assert "a new one entirely" not in page


def test_the_password_of_the_question_is_not_carried(officer: Clerk, clock: MovingClock, db: Session) -> None:
    """The sign-in ended while the question stood on the screen."""
    officer.get("/staff/holds")
    clock.advance(minutes=11)
    officer.press("/staff/holds", reference="TJ Besançon 2026/114", reason="Ordonnance du juge")
    clock.advance(hours=13)
    officer.press("/staff/holds", password_of_now=PASSWORD)
    officer.press("/staff/signin", login=officer.login, password=PASSWORD)
    officer.press("/staff/signin/code", code=officer.code())
    page = officer.follow().text
    assert "TJ Besançon 2026/114" in page and PASSWORD not in page
    assert not any(PASSWORD in str(content) for content in db.scalars(select(StaffSession.content)))
