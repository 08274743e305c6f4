"""The interstitial: terms and message first, then the grant. One accepted message is one lease."""

from __future__ import annotations

from http import HTTPStatus

from flask import Response, make_response, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from ads import acceptances
from ads.acceptances import ImpressionToken
from ads.errors import NotDue, SpentImpression
from auth.errors import AuthError
from auth.tokens import EarlyToken, ExpiredToken
from db.engine import group_commit
from portal.gateway_api import notify_gateway
from portal.guest import guests
from portal.guest.early_press import creative_of, keep_press, read_press
from portal.guest.impression_tokens import read_ticket, seconds_left
from portal.guest.message_form import message_form
from portal.guest.pages import entry, not_here, not_offered, refuse, unproven
from portal.guest.terms import accepted, arrival_of
from portal.http.clients import ClientContext, access_of, current, opened, remember, staying
from portal.public_values import render_page
from portal.services import services
from sessions.arrival import Acceptance
from sessions.clients import SeenAccess
from sessions.first_leases import once_more
from sessions.start import Opened
from sites.models import SigninMethod


@guests.get("/pause")
def pause_page() -> AnyResponse:
    visit = current()
    if visit is None or not visit.is_proven:
        return unproven(visit)
    if not visit.gateway.network.allows(SigninMethod.FREE):
        return not_offered(visit)
    access = access_of(visit)
    if access is None:
        return entry(visit)
    visit = staying(visit, access)
    if not acceptances.may_renew(access, visit.gateway, now=services().clock()):
        return redirect(url_for("guests.status", visit=visit.issue_token()), HTTPStatus.SEE_OTHER)
    return make_response(message(visit, access))


@guests.post("/pause")
def pause() -> AnyResponse:
    visit = current()
    if visit is None:
        return not_here()
    if not visit.gateway.network.allows(SigninMethod.FREE):
        return not_offered(visit)
    try:
        ticket = read_ticket(visit)
    except EarlyToken as error:
        press = keep_press(visit, error)
        return redirect(
            url_for("guests.pressed", visit=visit.issue_token(), press=press), HTTPStatus.SEE_OTHER
        )
    except ExpiredToken:
        return shown_again(visit)
    return settle(visit, ticket, accepted(visit.gateway.network))


@guests.get("/pause/pressed")
def pressed() -> AnyResponse:
    """Carry out a press that came too early, as soon as the message could be read."""
    visit = current(acts=True)
    if visit is None:
        return not_here()
    if not visit.gateway.network.allows(SigninMethod.FREE):
        return not_offered(visit)
    try:
        ticket, acceptance = read_press(visit)
    except EarlyToken as error:
        return waiting(visit, error)
    except ExpiredToken:
        return shown_again(visit)
    return settle(visit, ticket, acceptance)


def settle(visit: ClientContext, ticket: ImpressionToken, acceptance: Acceptance) -> AnyResponse:
    """Count the acceptance, once, and lead on to the page that waits for the gateway."""
    if ticket.creative_id is not None:
        visit = visit._replace(shown=ticket.creative_id)
    try:
        counted = count(visit, ticket, acceptance)
    except (NotDue, SpentImpression):
        # A second tap on the same button: the first one counted.
        return redirect(url_for("guests.status", visit=visit.issue_token()), HTTPStatus.SEE_OTHER)
    except AuthError as error:
        return refuse(visit, error)
    notify_gateway(visit.gateway)
    visit = opened(visit, counted.access_id, offer=visit.offer)
    onward = redirect(url_for("guests.opening", visit=visit.issue_token()), HTTPStatus.SEE_OTHER)
    # One that walked here on the gateway's word alone stays where its cookie is: see `is_owned`.
    is_own = counted.gateway_id == visit.gateway.id
    return remember(onward, visit, access_id=counted.access_id if is_own else visit.held)


def count(visit: ClientContext, ticket: ImpressionToken, acceptance: Acceptance) -> Opened:
    """Count the acceptance; the session that goes on by it."""
    service = services()
    arrival = arrival_of(visit, acceptance)

    def accept(db: Session) -> Opened:
        return acceptances.accept(
            db, arrival, ticket=ticket, pseudonyms=service.pseudonyms, now=service.clock()
        )

    return once_more(lambda: group_commit(service.make_session, accept))


def message(
    visit: ClientContext,
    access: SeenAccess | None,
    *,
    is_late: bool = False,
) -> str:
    """The page that shows the message, says what it earns and until when, and has the button."""
    return render_page(
        "guests/pause.html",
        visit=visit,
        network=visit.gateway.network,
        site=visit.gateway.site,
        access=access,
        is_late=is_late,
        **message_form(visit, access),
    )


def shown_again(visit: ClientContext) -> Response:
    """The page once more, for somebody who left it open for so long that the message has to be looked at again."""
    return make_response(message(visit, access_of(visit), is_late=True), HTTPStatus.GONE)


def waiting(visit: ClientContext, error: EarlyToken) -> Response:
    """The message still, and how long it takes. The browser asks again by itself."""
    left = seconds_left(error)
    page = render_page(
        "guests/waiting.html",
        visit=visit,
        network=visit.gateway.network,
        site=visit.gateway.site,
        access=access_of(visit),
        creative=creative_of(error),
        left=left,
        here=url_for("guests.pressed", visit=visit.issue_token(), press=request.args["press"]),
    )
    response = make_response(page, HTTPStatus.OK)
    response.headers["Refresh"] = str(left)
    return response
