"""The first page: everything a client needs to get on, in one screen."""

from __future__ import annotations

from http import HTTPStatus

from flask import redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from auth.tokens import InvalidToken
from portal.guest import guests
from portal.guest.pages import entry, fetch_landing, not_here, unproven
from portal.http.clients import access_of, current, mark_landed


@guests.get("/")
def landing() -> AnyResponse:
    try:
        visit = current()
    except InvalidToken:
        # An old link or a stale page: the gateway can still say who asks.
        return fetch_landing() or not_here()
    if visit is None or (not visit.is_proven and "landing" not in request.args):
        return unproven(visit)
    if access_of(visit) is not None:
        return redirect(url_for("guests.status", visit=visit.issue_token()), HTTPStatus.SEE_OTHER)
    return entry(mark_landed(visit))
