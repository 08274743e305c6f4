"""What somebody typed survives the question for the password, and a sign-in that ended meanwhile."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from auth.staff.models import StaffSession
from auth.staff.roles import Role
from auth.vouchers.models import Batch
from portal.services import Services
from portal.staff.carried_forms import CARRIED, LIFE, NEVER, PURPOSE, STILL_ME
from portal.staff.forms import FIELD
from portal.staff.passkey_challenges import ANSWER, CHALLENGE
from sessions.retention.models import LegalHold
from tests.clock import MovingClock
from tests.portal.staff.conftest import PASSWORD, Clerk, Desk, attribute

TEMPLATES = Path(__file__).parents[3] / "templates" / "staff"
# Names of fields that hold a secret, and what a browser is told to fill in.
SECRET_NAME = {
    "password",
    "passphrase",
    "secret",
    "code",
    "codes",
    "word",
    "pin",
    "token",
    "key",
    "step",
    "otp",
}
SECRET_FILL = {"current-password", "new-password", "one-time-code"}
# The one field whose name is not written in its template.
NAMED_LATER = {"{{ field }}": {"password", STILL_ME}}
TYPED = {"reference": "TJ Besançon 2026/114", "reason": "Ordonnance du juge"}
OTHERS = "was somebody else’s"


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


def test_a_form_that_an_older_version_signed_lets_its_person_in(
    clerk: Clerk, services: Services, clock: MovingClock
) -> None:
    """It named nobody, so that it is shown to nobody; the sign-in itself goes on."""
    claims = {"path": "/staff/desk", "fields": [["event", "Fête du livre"]]}
    old = services.tokens.sign(PURPOSE, claims, now=services.clock(), life=LIFE)
    clerk.get("/staff/desk")
    clerk.press("/staff/signout")
    clock.advance(minutes=1)
    clerk.get("/staff/signin")
    clerk.press("/staff/signin", login=clerk.login, password=PASSWORD, carried=old)
    assert clerk.press("/staff/signin/code", code=clerk.code()).status_code == 303
    page = clerk.follow().text
    assert OTHERS in page and "Fête du livre" not in page


def secret_fields() -> set[str]:
    """Every field of staff's pages that holds a password, a code or another secret, typed or hidden."""
    found: set[str] = set()
    for path in sorted(TEMPLATES.glob("*.html")):
        for tag in re.findall(r"<(?:input|button|textarea)\b[^>]*>", path.read_text("utf-8")):
            name = attribute(tag, "name")
            if (
                attribute(tag, "type") == "password"
                or attribute(tag, "autocomplete") in SECRET_FILL
                or SECRET_NAME & set(name.split("_"))
            ):
                found |= NAMED_LATER.get(name, {name})
    return found


def test_no_field_with_a_secret_is_left_out_of_those_never_carried() -> None:
    assert secret_fields() == NEVER - {FIELD, CARRIED, ANSWER, CHALLENGE}


def test_no_secret_is_carried_through_the_password_or_a_sign_in(
    officer: Clerk, clock: MovingClock, db: Session
) -> None:
    secrets = {name: f"hush-{name}" for name in secret_fields()}
    officer.get("/staff/holds")
    form = {**officer.form("/staff/holds"), **TYPED}
    clock.advance(minutes=11)
    page = officer.post("/staff/holds", **form, **secrets).text
    assert TYPED["reference"] in page and "hush-" not in page
    clock.advance(hours=13)
    officer.post("/staff/holds", **form, **secrets)
    officer.press("/staff/signin", login=officer.login, password=PASSWORD)
    officer.press("/staff/signin/code", code=officer.code())
    page = officer.follow().text
    assert TYPED["reference"] in page and "hush-" not in page
    assert not any("hush-" in str(content) for content in db.scalars(select(StaffSession.content)))


def in_the_same_browser(desk: Desk, first: Clerk) -> Clerk:
    """A colleague of the same role, at the computer and in the browser of `first`."""
    other = desk.hire("other.person", Role.PRIVACY)
    other.browser = first.browser
    return other


def nothing_of_it(who: Clerk, db: Session) -> None:
    """The page tells `who` that the form was not theirs; they get nothing of it, and nothing was done."""
    assert who.page.location == "/staff/carried?others=1"
    page = who.follow().text
    assert OTHERS in page and "Nothing of it was sent" in page
    assert not any(text in page for text in TYPED.values())
    assert who.get("/staff/carried").status_code == 303
    assert db.scalar(select(func.count(LegalHold.id))) == 0


def test_a_form_is_not_carried_to_a_colleague_who_signs_in_next(
    officer: Clerk, desk: Desk, clock: MovingClock, db: Session
) -> None:
    officer.get("/staff/holds")
    form = {**officer.form("/staff/holds"), **TYPED}
    clock.advance(hours=13)
    page = officer.post("/staff/holds", **form)
    other = in_the_same_browser(desk, officer)
    other.page = page
    other.press("/staff/signin", login=other.login, password=PASSWORD)
    other.press("/staff/signin/code", code=other.code())
    nothing_of_it(other, db)


def test_a_form_left_open_in_a_tab_is_not_carried_to_a_colleague(
    officer: Clerk, desk: Desk, db: Session
) -> None:
    """In the other tab one person signed out and another in."""
    officer.get("/staff/holds")
    form = {**officer.form("/staff/holds"), **TYPED}
    officer.press("/staff/signout")
    other = in_the_same_browser(desk, officer)
    other.sign_in()
    other.post("/staff/holds", **form)
    nothing_of_it(other, db)


def test_an_expired_form_is_not_carried_to_a_colleague(
    officer: Clerk, desk: Desk, clock: MovingClock, db: Session
) -> None:
    officer.get("/staff/holds")
    form = {**officer.form("/staff/holds"), **TYPED}
    clock.advance(hours=13)
    other = in_the_same_browser(desk, officer)
    other.sign_in()
    other.post("/staff/holds", **form)
    nothing_of_it(other, db)


def test_a_form_that_nobody_signed_in_was_shown_is_not_carried(cem: Clerk, desk: Desk) -> None:
    """The sign-in page is shown to anybody: its token must not bring a form into somebody's sign-in."""
    cem.get("/staff/signin")
    stranger = cem.form("/staff/signin")[FIELD]
    answer = cem.post("/staff/desk", **{FIELD: stranger, "plan": "day", "count": "2"})
    assert (answer.status_code, answer.location) == (303, "/staff/signin")
    cem.sign_in()
    cem.post("/staff/desk", **{FIELD: stranger, "plan": "day", "count": "2"})
    assert cem.page.location == "/staff/carried?others=1"


def test_a_form_that_waits_is_told_of_on_every_page_until_it_is_dropped(clerk: Clerk) -> None:
    """Whoever signed in by a recovery code is led to their account first."""
    clerk.get("/staff/desk")
    old = {**clerk.form("/staff/desk"), "plan": "day", "desk": "pierre-bayle", "count": "2"}
    clerk.press("/staff/signout")
    clerk.post("/staff/desk", **old)
    clerk.press("/staff/signin", login=clerk.login, password=PASSWORD)
    clerk.press("/staff/signin/code", code=clerk.recovery[0])
    assert clerk.page.location == "/staff/account"
    assert "A form of yours was not sent yet" in clerk.follow().text
    clerk.get("/staff/carried")
    clerk.press("/staff/carried")
    assert "A form of yours" not in clerk.get("/staff/account").text
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
