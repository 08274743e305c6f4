"""The buttons beside what a browser keeps: keep this, forget this, forget all."""

from __future__ import annotations

from http import HTTPStatus

from flask import redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from auth.tokens import ExpiredToken
from portal.guest import guests
from portal.guest.kept_credentials import keep, kept_here, offered
from portal.guest.pages import not_here
from portal.http.clients import current


@guests.post("/keep")
def keep_credential() -> AnyResponse:
    """Keep what the page offers to keep. Raises `ExpiredToken` where the offer is over."""
    visit = current()
    if visit is None:
        return not_here()
    onward = redirect(url_for("guests.status", visit=visit.issue_token()), HTTPStatus.SEE_OTHER)
    wanted = offered(visit.offer)
    kept = kept_here() if wanted is None else [wanted, *kept_here()]
    if not kept:
        raise ExpiredToken
    return keep(onward, kept)


@guests.post("/forget")
def forget() -> AnyResponse:
    """Forget one, by its `kept`, or all. Whoever has the browser may: no other proof is asked for."""
    number = request.form.get("kept")
    left = [one for one in kept_here() if number is not None and one.id != number]
    onward = redirect(url_for("guests.status", visit=request.form.get("visit")), HTTPStatus.SEE_OTHER)
    return keep(onward, left)
