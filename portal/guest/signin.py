"""Patrons: card and PIN in, online in one step."""

from __future__ import annotations

from http import HTTPStatus

from flask import redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from auth.errors import AuthError
from portal.denials.incidents import concerning
from portal.gateway_api import notify_gateway
from portal.guest import guests
from portal.guest.kept_credentials import kept_value, offer_of
from portal.guest.missing_fields import missing_in_signin
from portal.guest.pages import entry, not_here, not_offered, refuse
from portal.guest.terms import arrival_of
from portal.here import this_request
from portal.http.clients import current, opened, remember
from portal.services import services
from sessions import patrons
from sites.models import SigninMethod


@guests.get("/signin")
def signin_page() -> AnyResponse:
    """The first page; with `kept`, the number of a card that this browser keeps is filled in."""
    visit = current()
    if visit is None:
        return not_here()
    kept = request.args.get("kept")
    return entry(visit, login=kept_value(kept, SigninMethod.PATRON) if kept else "")


@guests.post("/signin")
def signin() -> AnyResponse:
    visit = current()
    if visit is None:
        return not_here()
    if not visit.gateway.network.allows(SigninMethod.PATRON):
        return not_offered(visit)
    service, form = services(), this_request().form
    login = form.get("login", "")
    if missing := missing_in_signin():
        return entry(visit, refusal=missing, login=login[:64])
    try:
        access_id = patrons.sign_in(
            service.make_session,
            arrival_of(visit),
            login=login,
            secret=form.get("secret", ""),
            directory=service.directory,
            pseudonyms=service.pseudonyms,
            now=service.clock(),
        )
    except AuthError as error:
        concerning(subject=error.subject)
        return refuse(visit, error, login=login[:64])
    notify_gateway(visit.gateway)
    visit = opened(visit, access_id, offer=offer_of(SigninMethod.PATRON, login.strip()))
    onward = redirect(url_for("guests.opening", visit=visit.issue_token()), HTTPStatus.SEE_OTHER)
    return remember(onward, visit, access_id=access_id)
