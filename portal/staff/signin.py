"""Signing in and out: a password, then the second factor. Unknown and wrong are told in the same words, after the
same work."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus

from flask import make_response, redirect, render_template, request, url_for
from flask_login import logout_user
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from auth import rate_limits
from auth.errors import AuthError
from auth.staff.browser_sessions import identity_of
from auth.staff.errors import SpentSignin, StaleStep, WrongCode
from auth.staff.models import Staff, StaffState
from auth.staff.roles import Action
from auth.staff.signin import (
    SecondFactor,
    of_code,
    prove_code,
    signed_in,
    signed_out,
)
from auth.tokens import InvalidToken
from db.engine import reading
from portal.denials.rendering import staff_page
from portal.services import services
from portal.staff import carried_forms, passkey_challenges, staff, trusted_browsers
from portal.staff.access import anyone, current_staff, needs
from portal.staff.enrolment import Enrolment
from portal.staff.login import browser, me, sign_in
from portal.staff.password import onward, prove_password
from portal.staff.signin_form import signin_form

SECOND_STEP = "staff second step"
SECOND_STEP_LIFE = timedelta(minutes=5)


@staff.get("/signin")
@anyone
def signin_page() -> AnyResponse:
    if me() is not None:
        return redirect(onward(), HTTPStatus.SEE_OTHER)
    page = _password_page(None)
    if request.headers.get("Sec-Fetch-Site") == "cross-site" and "next" in request.args:
        # A link in a mail: browsers send a strict cookie only once we ask for the page ourselves.
        page.headers["Refresh"] = f"0; url={onward()}"
    return page


@staff.post("/signin")
@anyone
def signin() -> AnyResponse:
    try:
        person = prove_password(request.form.get("login", ""), request.form.get("password", ""))
    except AuthError as error:
        return _password_page(error)
    return _code_page(_seal_step(person), None)


@staff.post("/signin/code")
@anyone
def signin_code() -> AnyResponse:
    step = request.form.get("step", "")
    try:
        person, proven = _prove_second(step, request.form.get("code", ""))
    except (StaleStep, SpentSignin) as error:
        return _password_page(error)
    except AuthError as error:
        return _code_page(step, error)
    sign_in(person)
    target = carried_forms.arrive(person.id) or onward()
    if proven.by_recovery:
        target = url_for("staff.account")
    answer = redirect(target, HTTPStatus.SEE_OTHER)
    return trusted_browsers.remember(answer, services().staff.budget_name(person.login))


@staff.post("/signin/passkey")
@anyone
def signin_passkey() -> AnyResponse:
    """Sign in with what is both factors at once."""
    try:
        person = passkey_challenges.prove()
    except AuthError as error:
        return _password_page(error)
    sign_in(person)
    answer = redirect(carried_forms.arrive(person.id) or onward(), HTTPStatus.SEE_OTHER)
    return trusted_browsers.remember(answer, services().staff.budget_name(person.login))


@staff.post("/signout")
@needs(Action.OWN_ACCOUNT)
def signout() -> AnyResponse:
    service, person = services(), current_staff()
    with service.make_session.begin() as db:
        signed_out(db, person.id, actor=person.actor, now=service.clock())
    logout_user()
    browser().clear()
    # By this word the page leads whoever came by the provider to sign out there as well (`signin_form.OUT`).
    return redirect(
        url_for("staff.signin_page", out=None if person.has_password else 1), HTTPStatus.SEE_OTHER
    )


def _prove_second(step: str, code: str) -> tuple[Staff, SecondFactor]:
    """Raises `StaleStep`, `SpentSignin`, `TooManyAttempts`, `WrongCode`."""
    service = services()
    now = service.clock()
    with service.make_session.begin() as db:
        person, jti = _unseal_step(db, step)
        budget = of_code(person, trusted_browsers.asker(service.staff.budget_name(person.login)))
        rate_limits.take(db, budget, now=now)
    with service.make_session.begin() as db:
        person = db.get_one(Staff, person.id)
        try:
            proven = prove_code(db, person, code, secrets=service.staff, now=now)
        except WrongCode:
            # Sent twice: no other code would be taken for this step either, and the page says so.
            if rate_limits.was_used(db, f"step:{jti}", window=SECOND_STEP_LIFE, now=now):
                raise SpentSignin from None
            raise
        if not rate_limits.use_once(db, f"step:{jti}", window=SECOND_STEP_LIFE, now=now):
            raise SpentSignin
        rate_limits.refund(db, budget)
        signed_in(db, person, proven, issuer=service.settings.staff_issuer, now=now)
    return person, proven


def _enrolment(step: str) -> Enrolment | None:
    """What an authenticator is given, where this account has never used one: somebody of the LDAP directory."""
    try:
        with reading(services().make_session) as db:
            person, _ = _unseal_step(db, step)
    except StaleStep:
        return None
    return Enrolment.of(person) if person.issuer is not None and person.totp_step == 0 else None


def _seal_step(person: Staff) -> str:
    service = services()
    claims = {"who": identity_of(person)}
    return service.tokens.sign(SECOND_STEP, claims, now=service.clock(), life=SECOND_STEP_LIFE)


def _unseal_step(db: Session, step: str) -> tuple[Staff, str]:
    """Whose password was right, and what names this step."""
    service = services()
    try:
        claims = service.tokens.verify(SECOND_STEP, step, now=service.clock())
    except InvalidToken as error:
        raise StaleStep from error
    who = claims["who"]
    person = db.get(Staff, int(who.partition(".")[0]))
    if person is None or identity_of(person) != who or person.state is not StaffState.ACTIVE:
        raise StaleStep
    return person, claims["jti"]


def _password_page(error: AuthError | None) -> AnyResponse:
    return signin_form(
        error,
        onward=onward(),
        carried=carried_forms.passed_on(),
        login=request.form.get("login", "")[:64],
    )


def _code_page(step: str, error: AuthError | None) -> AnyResponse:
    refusal = staff_page(error) if error else None
    page = render_template(
        "staff/signin_code.html",
        refusal=refusal,
        enrolment=_enrolment(step),
        step=step,
        onward=onward(),
        carried=carried_forms.passed_on(),
    )
    response = make_response(page, refusal.status if refusal else HTTPStatus.OK)
    # The key of a second factor may stand on it.
    response.headers["Cache-Control"] = "no-store"
    if refusal and refusal.retry_after:
        response.headers["Retry-After"] = str(refusal.retry_after)
    return response
