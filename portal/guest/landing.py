"""The first page: everything a client needs to get on, in one screen."""

from __future__ import annotations

from http import HTTPStatus

from flask import redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from auth.tokens import InvalidToken
from portal.gateway_api import notify_gateway
from portal.guest import guests
from portal.guest.pages import entry, fetch_landing, not_here, unproven
from portal.http.client_evidence import guest_online
from portal.http.clients import ClientContext, current, mark_landed, may_see
from portal.services import services
from sessions import roaming


@guests.get("/")
def landing() -> AnyResponse:
    try:
        visit = current()
    except InvalidToken:
        # An old link or a stale page: the gateway can still say who asks.
        return fetch_landing() or not_here()
    if visit is None or (not visit.is_proven and "landing" not in request.args):
        return unproven(visit)
    online = guest_online(visit.gateway, visit.mac) if visit.is_proven else None
    is_stopped = online is not None and online.confirmed_until is None
    if is_stopped and "landing" in request.args and goes_on(visit):
        return redirect(url_for("guests.opening", visit=visit.issue_token()), HTTPStatus.SEE_OTHER)
    if online is not None and may_see(visit, online.access):
        return redirect(url_for("guests.status", visit=visit.issue_token()), HTTPStatus.SEE_OTHER)
    return entry(mark_landed(visit))


def goes_on(visit: ClientContext) -> bool:
    """Let an open session pass at this gateway too, which says that the client stands before it: no page is needed.

    False where the gateway has called in too many such clients.
    """
    service = services()
    with service.make_session.begin() as db:
        walked = roaming.go_on(db, gateway=visit.gateway, client=visit.client, now=service.clock())
    notify_gateway(visit.gateway)
    return walked is not None
