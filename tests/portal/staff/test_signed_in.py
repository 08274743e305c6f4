"""Staying signed in, and getting out: what a member of staff and a thief each meet."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.audit.log import AuditEntry
from auth.staff import accounts
from auth.staff.models import Staff, StaffSession
from portal.services import Services
from sessions.sweep import sweep
from tests.actors import TESTER
from tests.portal.conftest import PORTAL
from tests.portal.staff.conftest import Clerk
from tests.portal.staff.test_signin import COOKIE, cookie_of, is_in


def test_signing_out_kills_the_sign_in_and_not_only_the_cookie(cem: Clerk) -> None:
    cem.sign_in()
    kept = cookie_of(cem)
    cem.get("/staff/account")
    cem.press("/staff/signout")
    assert cookie_of(cem) == ""
    cem.browser.set_cookie(COOKIE, kept, domain="portal.example.org", secure=True)
    assert not is_in(cem)


def test_signing_out_everywhere_reaches_every_browser(cem: Clerk, app: Flask) -> None:
    cem.sign_in()
    other = Clerk(app, cem.clock, "cem", cem.staff_id)
    other.sign_in()
    assert is_in(other)
    cem.get("/staff/account")
    cem.press("/staff/account/signout")
    assert not is_in(cem) and not is_in(other)


def test_a_disabled_account_is_out_at_once(cem: Clerk) -> None:
    cem.sign_in()
    with cem.services.make_session.begin() as db:
        accounts.disable(db, db.get_one(Staff, cem.staff_id), actor=TESTER, now=cem.clock())
    assert not is_in(cem)


def test_a_desk_stays_in_for_a_working_day_and_nobody_for_twelve_hours(cem: Clerk) -> None:
    cem.sign_in()
    cem.clock.advance(hours=7, minutes=59)
    assert is_in(cem)
    cem.clock.advance(hours=4)
    assert is_in(cem)
    cem.clock.advance(minutes=1)
    assert not is_in(cem)


def test_a_desk_that_is_left_alone_signs_out(cem: Clerk) -> None:
    cem.sign_in()
    cem.clock.advance(hours=8)
    assert not is_in(cem)


def test_an_administrator_is_signed_out_after_an_idle_hour(admin: Clerk) -> None:
    admin.clock.advance(minutes=59)
    assert is_in(admin)
    admin.clock.advance(hours=1)
    assert not is_in(admin)


def test_a_clock_that_is_set_back_makes_no_sign_in_younger(cem: Clerk) -> None:
    cem.sign_in()
    cem.clock.advance(hours=4)
    assert is_in(cem)
    cem.clock.advance(hours=-2)
    assert not is_in(cem)
    cem.clock.advance(hours=-3)
    assert not is_in(cem)


def test_a_remembered_cookie_of_flask_login_opens_nothing(cem: Clerk) -> None:
    cem.sign_in()
    identity = f"{cem.staff_id}.2"
    cem.browser = cem.app.test_client()
    for value in (identity, f"{identity}|{'0' * 128}", "|", "x"):
        cem.browser.set_cookie("remember_token", value, domain="portal.example.org", secure=True)
        assert cem.get("/staff/").status_code == 303


def test_guests_have_no_session_of_this_kind(cem: Clerk, db: Session) -> None:
    cem.sign_in()
    answer = cem.get("/hotspots")
    assert answer.status_code == 200
    assert COOKIE not in str(answer.headers.getlist("Set-Cookie"))
    assert "Cookie" not in answer.headers.get("Vary", "")


def test_sign_ins_stand_in_the_trail(cem: Clerk, db: Session) -> None:
    cem.sign_in()
    cem.get("/staff/account")
    cem.press("/staff/signout")
    signed = select(AuditEntry).where(AuditEntry.action.startswith("signed"))
    deeds = db.scalars(signed.order_by(AuditEntry.number)).all()
    assert [(one.actor, one.action, one.object) for one in deeds] == [
        ("cem", "signed in", f"staff:{cem.staff_id}"),
        ("cem", "signed out", f"staff:{cem.staff_id}"),
    ]


def test_a_form_of_another_sign_in_is_refused(cem: Clerk, admin: Clerk) -> None:
    cem.sign_in()
    admin.get("/staff/overview")
    foreign = admin.form("/staff/signout")
    assert cem.post("/staff/signout", **foreign).status_code == 403
    assert cem.post("/staff/signout").status_code == 403
    assert cem.post("/staff/signout", form="x.y.z").status_code == 403
    assert is_in(cem)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": PORTAL, "Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_post_from_another_site_is_refused(cem: Clerk, headers: dict[str, str]) -> None:
    cem.sign_in()
    cem.get("/staff/account")
    assert cem.post("/staff/signout", headers=headers, **cem.form("/staff/signout")).status_code == 403
    assert is_in(cem)


def test_the_sweep_forgets_sign_ins_that_are_long_over(cem: Clerk, services: Services) -> None:
    cem.sign_in()
    for hours, left in ((47, 1), (2, 0)):
        cem.clock.advance(hours=hours)
        with services.make_session.begin() as db:
            sweep(db, now=cem.clock())
            assert len(db.scalars(select(StaffSession.id)).all()) == left
