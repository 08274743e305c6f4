"""The setup link: its owner chooses a password, enrols the second factor and takes the recovery codes, on one page."""

from __future__ import annotations

import hmac
from datetime import timedelta

from flask import make_response, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from auth import rate_limits
from auth.errors import AuthError
from auth.rate_limits import RateLimit
from auth.staff import own_account
from auth.staff.errors import SpentSetup, StaffError, WrongCode, WrongWord
from auth.staff.models import Staff
from auth.staff.secrets import check_password
from auth.staff.totp import make_recovery_codes, step_of
from db.engine import reading
from portal.denials.rendering import staff_page
from portal.services import services
from portal.staff import staff
from portal.staff.access import anyone
from portal.staff.enrolment import Enrolment


@staff.get("/setup/<token>")
@anyone
def setup_page(token: str) -> AnyResponse:
    person = _owner(token)
    return _word_page(person, token, None) if person.setup_word_digest else _page(person, token, None)


@staff.post("/setup/<token>")
@anyone
def setup(token: str) -> AnyResponse:
    person = _owner(token)
    try:
        _prove_word(person)
    except AuthError as error:
        return _word_page(person, token, error)
    if "password" not in request.form:
        return _page(person, token, None)
    try:
        codes = _set_up(person, token)
    except SpentSetup:
        raise
    except StaffError as error:
        return _page(person, token, error)
    return make_response(render_template("staff/recovery.html", codes=codes, first=True))


def _owner(token: str) -> Staff:
    with reading(services().make_session) as db:
        return own_account.find_setup(db, token, now=services().clock())


def _prove_word(person: Staff) -> None:
    """Where two people hand the account over, the link alone shows nothing. Raises `WrongWord`, `TooManyAttempts`."""
    if person.setup_word_digest is None:
        return
    service = services()
    guesses = RateLimit(f"setup-word:{person.id}", most=10, window=timedelta(minutes=15))
    with service.make_session.begin() as db:
        rate_limits.take(db, guesses, now=service.clock())
    given = service.staff.word_digest(person.id, request.form.get("word", "")[:40])
    if not hmac.compare_digest(given, person.setup_word_digest):
        raise WrongWord
    with service.make_session.begin() as db:
        rate_limits.refund(db, guesses)


def _word_page(person: Staff, token: str, error: AuthError | None) -> AnyResponse:
    refusal = staff_page(error) if error else None
    page = render_template("staff/setup_word.html", person=person, token=token, refusal=refusal)
    return make_response(page, refusal.status if refusal else 200)


def _set_up(person: Staff, token: str) -> list[str]:
    """Use the link up; the recovery codes. Raises `WeakPassword`, `WrongCode`, `BusyHashing`, `SpentSetup`."""
    service = services()
    now, password = service.clock(), request.form.get("password", "")
    check_password(password, login=person.login, name=person.name)
    secret = service.staff.totp_secret(person.totp_seed)
    step = step_of(request.form.get("code", ""), secret=secret, now=now)
    if step is None:
        raise WrongCode
    password_hash = service.staff.hash(password)
    with service.make_session.begin() as db:
        codes = make_recovery_codes()
        digests = service.staff.recovery_digests(person.id, codes)
        own_account.set_up(db, token, password_hash=password_hash, totp_step=step, now=now, recovery=digests)
    return codes


def _page(person: Staff, token: str, error: StaffError | None) -> AnyResponse:
    refusal = staff_page(error) if error else None
    enrolment = Enrolment.of(person)
    page = render_template(
        "staff/setup.html",
        person=person,
        token=token,
        word=request.form.get("word", "")[:40],
        refusal=refusal,
        drawing=enrolment.drawing,
        key=enrolment.key,
    )
    response = make_response(page, refusal.status if refusal else 200)
    # The key of the second factor stands on it, refused or not.
    response.headers["Cache-Control"] = "no-store"
    return response
