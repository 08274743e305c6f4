"""The first page: everything a client needs to get on, in one screen."""

from __future__ import annotations

from http import HTTPStatus

from flask import redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from auth.tokens import InvalidToken
from portal.gateway_api import notify_gateway
from portal.guest import guests
from portal.guest.pages import entry, fetch_landing, not_here, unproven
from portal.http.client_evidence import confirmed_until, open_session
from portal.http.clients import ClientContext, access_of, current, mark_landed
from portal.services import services
from sessions import roaming
from sessions.models import AccessSession


@guests.get("/")
def landing() -> AnyResponse:
    try:
        visit = current()
    except InvalidToken:
        # An old link or a stale page: the gateway can still say who asks.
        return fetch_landing() or not_here()
    if visit is None or (not visit.is_proven and "landing" not in request.args):
        return unproven(visit)
    access = open_session(visit.gateway, visit.mac) if visit.is_proven else None
    if access is not None and "landing" in request.args and goes_on(access, visit):
        return redirect(url_for("guests.opening", visit=visit.issue_token()), HTTPStatus.SEE_OTHER)
    if access is not None and access_of(visit) is not None:
        return redirect(url_for("guests.status", visit=visit.issue_token()), HTTPStatus.SEE_OTHER)
    return entry(mark_landed(visit))


def goes_on(access: AccessSession, visit: ClientContext) -> bool:
    """Let an open session pass at this gateway too, which says that the client stands before it: no page is needed.

    False where it passes already, and where the gateway has called in too many such clients.
    """
    service = services()
    if confirmed_until(access, visit.gateway) is not None:
        return False
    with service.make_session.begin() as db:
        walked = roaming.go_on(db, gateway=visit.gateway, client=visit.client, now=service.clock())
    notify_gateway(visit.gateway)
    return walked is not None
