"""Signing in at the town's OpenID provider: there, back with its answer, and out again when the provider says so.

Our own cookie is strict, and browsers keep it back from what another site sends them to. A cookie of ten minutes binds
the provider's answer to the browser that began: an answer that somebody else obtained opens nothing here.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus

from flask import Response, abort, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from auth import rate_limits
from auth.errors import AuthError
from auth.staff import accounts, browser_sessions, directory_accounts
from auth.staff.browser_sessions import ProviderSession
from auth.staff.errors import ForeignAnswer, NoGrant, RefusedAssertion
from auth.staff.models import Staff
from auth.staff.openid.client import OpenIdClient, SigninRequest, Vouched, new_request
from auth.staff.roles import LONGEST_SIGNIN
from auth.staff.signin import SecondFactor, signed_in
from auth.tokens import InvalidToken
from portal.services import services
from portal.staff import carried_forms, staff
from portal.staff.access import anyone, by_program
from portal.staff.login import browser, me, sign_in
from portal.staff.password import onward
from portal.staff.signin_form import LONGEST_CARRIED, signin_form
from portal.staff_directory import REFRESH

PURPOSE = "staff openid"
LIFE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Flow:
    """A sign-in under way. `again`: whoever is signed in shows once more who they are, in the sign-in `row_id`."""

    begun: SigninRequest
    onward: str
    carried: str
    again: int | None
    row_id: int | None


@staff.get("/signin/openid")
@anyone
def openid() -> AnyResponse:
    """Go to the provider; `again`: to show it once more who one is."""
    person = me()
    again = person.id if person is not None and "again" in request.args else None
    carried = request.args.get("carried", "")[:LONGEST_CARRIED]
    flow = Flow(new_request(), onward(), carried, again, browser().row_id if again else None)
    try:
        address = _client().authorization_url(flow.begun, again=again is not None)
    except AuthError as error:
        return signin_form(error, onward=onward(), carried=carried)
    response = redirect(address, HTTPStatus.SEE_OTHER)
    _remember(response, flow)
    return response


@staff.get("/signin/openid/return")
@anyone
def openid_return() -> AnyResponse:
    """Back from the provider."""
    client, flow = _client(), None
    try:
        flow = _flow()
        _claim(flow)
        vouched = client.finish(
            request.args, flow.begun, now=services().clock(), again=flow.again is not None
        )
        person = _arrive(vouched, flow)
    except AuthError as error:
        response = signin_form(error, onward=flow.onward if flow else url_for("staff.home"))
    else:
        sign_in(person, provider=_provider_session(vouched))
        target = carried_forms.arrive(person.id, flow.carried) or flow.onward
        response = make_response(render_template("staff/signed_in.html", target=target))
        # Browsers send a strict cookie only once we ask for the page ourselves.
        response.headers["Refresh"] = f"0; url={target}"
    response.delete_cookie(
        _cookie(), path="/", secure=services().settings.is_https, httponly=True, samesite="Lax"
    )
    return response


@staff.post("/signin/openid/logout")
@by_program
def openid_logout() -> AnyResponse:
    """The provider says that a sign-in is over (OpenID Connect Back-Channel Logout 1.0 section 2.5)."""
    service, client = services(), _client()
    now = service.clock()
    try:
        over = client.read_logout(request.form.get("logout_token", ""), now=now)
    except RefusedAssertion:
        return Response(status=HTTPStatus.BAD_REQUEST)
    with service.make_session.begin() as db:
        number = hashlib.sha256(over.jti.encode()).hexdigest()
        if not rate_limits.use_once(db, f"openid-logout:{number}", window=LIFE, now=now):
            return Response(status=HTTPStatus.BAD_REQUEST)
        person = directory_accounts.by_subject(db, client.issuer, over.subject) if over.subject else None
        if over.session is not None:
            browser_sessions.end_at_provider(
                db, over.session, staff_id=person.id if person else None, now=now
            )
        elif person is not None:
            accounts.end_signins(person)
    return Response(status=HTTPStatus.OK)


def _client() -> OpenIdClient:
    found = services().openid
    if found is None:
        abort(HTTPStatus.NOT_FOUND)
    return found


def _arrive(vouched: Vouched, flow: Flow) -> Staff:
    """The account of whom the provider vouches for, on record as signed in.

    Raises `NoGrant`, `DisabledAccount`, `LocalLogin`, `UnreadableLogin`, `RefusedAssertion`.
    """
    service = services()
    now = service.clock()
    with service.make_session.begin() as db:
        person = directory_accounts.arrive(db, vouched.person, now=now)
        is_in = person.affirmed_at is not None
        if flow.again is not None and person.id != flow.again:
            raise RefusedAssertion
        if flow.row_id is not None:
            browser_sessions.end(db, flow.row_id, now=now)
        if is_in:
            signed_in(db, person, SecondFactor(by="directory"), issuer=service.settings.staff_issuer, now=now)
    if not is_in:
        raise NoGrant
    return person


def _provider_session(vouched: Vouched) -> ProviderSession:
    service, refresh = services(), vouched.refresh_token
    if refresh is not None:
        claims = {"token": refresh}
        refresh = service.encrypted_tokens.encrypt(REFRESH, claims, now=service.clock(), life=LONGEST_SIGNIN)
    return ProviderSession(vouched.session, refresh)


def _claim(flow: Flow) -> None:
    """An answer is taken once, whatever comes of it. Raises `ForeignAnswer`."""
    service = services()
    number = hashlib.sha256(flow.begun.state.encode()).hexdigest()
    with service.make_session.begin() as db:
        if not rate_limits.use_once(db, f"openid:{number}", window=LIFE, now=service.clock()):
            raise ForeignAnswer


def _remember(response: AnyResponse, flow: Flow) -> None:
    service = services()
    claims = {
        "begun": [flow.begun.state, flow.begun.nonce, flow.begun.verifier],
        "rest": [flow.onward, flow.carried, flow.again, flow.row_id],
    }
    sealed = service.encrypted_tokens.encrypt(PURPOSE, claims, now=service.clock(), life=LIFE)
    response.set_cookie(
        _cookie(),
        sealed,
        max_age=int(LIFE.total_seconds()),
        path="/",
        secure=service.settings.is_https,
        httponly=True,
        samesite="Lax",
    )


def _flow() -> Flow:
    """The sign-in that this browser has begun. Raises `ForeignAnswer`."""
    service = services()
    try:
        claims = service.encrypted_tokens.decrypt(
            PURPOSE, request.cookies.get(_cookie(), ""), now=service.clock()
        )
    except InvalidToken as error:
        raise ForeignAnswer from error
    return Flow(SigninRequest(*claims["begun"]), *claims["rest"])


def _cookie() -> str:
    return "__Host-arobase-openid" if services().settings.is_https else "arobase-openid"
