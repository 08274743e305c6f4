"""The session page: until when, on which devices, one tap to renew, one to leave."""

from __future__ import annotations

from http import HTTPStatus

from flask import Response, jsonify, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from auth.tokens import InvalidToken
from portal.gateway_api import notify_gateway
from portal.guest import guests
from portal.guest.impression_tokens import override_here
from portal.guest.pages import ended, last_stay, not_here, unproven
from portal.guest.status_page import session_page
from portal.guest.stay import CONNECTING, UNKNOWN, offline, stay_of
from portal.http.clients import ForeignClient, access_of, current, is_owned, online_of, remember, staying
from portal.i18n.labels import why_ended
from portal.public_values import public_stay
from portal.services import services
from sessions import clients, leases


@guests.get("/status")
def status() -> AnyResponse:
    visit = current()
    if visit is None or not visit.is_proven:
        return unproven(visit)
    online = online_of(visit)
    if online is None:
        return ended(visit)
    visit = staying(visit, online.access)
    if online.confirmed_until is None:
        return redirect(url_for("guests.opening", visit=visit.issue_token()), HTTPStatus.SEE_OTHER)
    return session_page(visit, online)


@guests.get("/status.json")
def status_json() -> Response:
    """What the status page says now, for the script of a page that is open: about the client that asks alone."""
    return jsonify(_asked_by_script())


def _asked_by_script() -> dict[str, object]:
    try:
        visit = current()
    except (InvalidToken, ForeignClient):
        return UNKNOWN.as_json()
    if visit is None or not visit.is_proven:
        return UNKNOWN.as_json()
    online = online_of(visit)
    if online is None:
        last = last_stay(visit)
        reason = why_ended(public_stay(last) if last else None, visit.gateway.site.zone)
        return {**offline(override_here(visit)).as_json(), "reason": reason}
    if online.confirmed_until is None:
        return CONNECTING.as_json()
    override = override_here(visit)
    return stay_of(online.access, visit.gateway, now=services().clock(), override=override).as_json()


@guests.post("/leave")
def leave() -> AnyResponse:
    """End this device's session, or that of another device of the same person (`device`)."""
    visit = current()
    if visit is None:
        return not_here()
    access = access_of(visit)
    target = request.form.get("device", type=int)
    if access is not None and not is_owned(visit, access):
        raise ForeignClient
    told = {visit.gateway.id}
    if access is not None:
        with services().make_session.begin() as db:
            if not clients.leave(db, access, device=target, now=services().clock()):
                raise ForeignClient
            # Wherever it has walked, or where the other device is.
            told |= leases.gateway_ids_of(db, target or access.id)
    for gateway in services().places.gateways():
        if gateway.id in told:
            notify_gateway(gateway)
    onward = redirect(url_for("guests.status", visit=visit.issue_token()), HTTPStatus.SEE_OTHER)
    return remember(onward, visit, access_id=None) if target is None else onward
