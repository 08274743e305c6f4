"""The rest of the time under a new address: by the browser's cookie with one tap, else by the code that was shown."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus

from flask import Response, g, make_response, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from auth.errors import AuthError
from auth.resume_codes import UnknownResumeCode
from portal.denials.incidents import note_error
from portal.denials.rendering import Refusal, guest_page
from portal.gateway_api import notify_gateway
from portal.guest import guests
from portal.guest.missing_fields import missing_resume_code
from portal.guest.pages import fetch_landing, not_here, refuse, resumable
from portal.guest.terms import arrival_of
from portal.http.clients import ClientContext, access_of, current, opened, remember
from portal.public_values import render_page
from portal.services import services
from sessions import resuming, start
from sessions.first_leases import once_more
from sessions.models import AccessSession
from sessions.start import Opened

LONGEST_SHOWN = 40


@guests.get("/resume")
@guests.get("/resume/<path:code>")
def resume_page(code: str = "") -> AnyResponse:
    """The form, filled in from the link. Opening it looks nothing up: only the button does."""
    visit = current()
    if visit is None:
        return fetch_landing() or not_here()
    if access_of(visit) is not None:
        return redirect(url_for("guests.status", visit=visit.issue_token()), HTTPStatus.SEE_OTHER)
    return resume_form(visit, code)


def resume_form(visit: ClientContext, code: str, *, refusal: Refusal | None = None) -> Response:
    code = code[:LONGEST_SHOWN]
    g.form_page = ("guests.resume_page", {"code": code} if code else {})
    page = render_page(
        "guests/resume.html",
        visit=visit,
        network=visit.gateway.network,
        site=visit.gateway.site,
        code=code,
        refusal=refusal,
    )
    response = make_response(page, refusal.status if refusal else HTTPStatus.OK)
    if refusal and refusal.retry_after:
        response.headers["Retry-After"] = str(refusal.retry_after)
    return remember(response, visit, access_id=visit.held)


@guests.post("/resume")
def resume() -> AnyResponse:
    """Go on with the rest of the time that this person has under the device's former address."""
    visit = current()
    if visit is None:
        return not_here()
    return by_code(visit) if "code" in request.form else by_cookie(visit)


def by_code(visit: ClientContext) -> AnyResponse:
    typed, service = request.form["code"], services()
    if missing := missing_resume_code():
        return resume_form(visit, "", refusal=missing)
    try:
        access_id = resuming.resume(
            service.make_session,
            arrival_of(visit),
            code=typed,
            codes=service.resume_codes,
            now=service.clock(),
        )
    except UnknownResumeCode as error:
        # Another try of this code cannot succeed: the other ways on are under the refusal.
        return refuse(visit, error)
    except AuthError as error:
        refusal = replace(guest_page(error, zone=visit.gateway.site.zone), incident=note_error(error, visit))
        return resume_form(visit, typed, refusal=refusal)
    return _onward(visit, access_id)


def by_cookie(visit: ClientContext) -> AnyResponse:
    held, service = resumable(visit), services()
    if held is None:
        return redirect(url_for("guests.landing", visit=visit.issue_token()), HTTPStatus.SEE_OTHER)

    def move() -> Opened | None:
        with service.make_session.begin() as db:
            access = db.get_one(AccessSession, held.id)
            return start.move(db, access, arrival_of(visit), now=service.clock())

    try:
        moved = once_more(move)
    except AuthError as error:
        return refuse(visit, error)
    if moved is None:
        return redirect(url_for("guests.landing", visit=visit.issue_token()), HTTPStatus.SEE_OTHER)
    return _onward(visit, moved.access_id)


def _onward(visit: ClientContext, access_id: int) -> AnyResponse:
    notify_gateway(visit.gateway)
    visit = opened(visit, access_id, offer=visit.offer)
    onward = redirect(url_for("guests.opening", visit=visit.issue_token()), HTTPStatus.SEE_OTHER)
    return remember(onward, visit, access_id=access_id)
