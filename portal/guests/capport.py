"""The Captive Portal API (RFC 8908), true for the client that asks and for nobody else."""

from __future__ import annotations

import json
import math

from flask import Response, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from portal.guests import guests
from portal.guests.opening import confirmed_until
from portal.guests.pause import may_renew
from portal.services import services
from portal.visits import Visit, access_of, peer, seen_behind
from sites.models import Gateway

MEDIA_TYPE = "application/captive+json"


@guests.get("/capport/<identity>")
def capport(identity: str) -> AnyResponse:
    gateway = services().places.by_identity(identity)
    if gateway is None:
        return _answer({"captive": True, "user-portal-url": _absolute("guests.landing")})
    if not request.accept_mimetypes.quality(MEDIA_TYPE) and not request.accept_mimetypes.accept_json:
        # A browser, not an operating system: show it the portal (RFC 8910 section 2).
        response = redirect(url_for("guests.landing", gateway=gateway.identity))
        response.headers["Vary"] = "Accept"
        return response
    return _answer(state_of(gateway))


def state_of(gateway: Gateway) -> dict[str, object]:
    """What the asking client may know of itself at this gateway (RFC 8908 section 5)."""
    portal = _absolute("guests.landing", gateway=gateway.identity)
    captive: dict[str, object] = {"captive": True, "user-portal-url": portal}
    address = peer()
    if address is None or not gateway.holds(address):
        return captive
    seen = seen_behind([gateway], address)
    if seen is None:
        return captive
    visit = Visit(gateway, seen[1], address, browser="")
    access = access_of(visit)
    until = None if access is None else confirmed_until(access, gateway)
    if access is None or until is None:
        return captive
    left = (until - services().clock()).total_seconds()
    return {
        "captive": False,
        "user-portal-url": _absolute("guests.status"),
        "venue-info-url": _absolute("guests.info", slug=gateway.site.slug),
        "seconds-remaining": max(0, math.floor(left)),
        "can-extend-session": may_renew(visit, access),
    }


def _absolute(endpoint: str, **values: str) -> str:
    return services().settings.portal_url + url_for(endpoint, _external=False, **values)


def _answer(document: dict[str, object]) -> Response:
    response = Response(json.dumps(document), content_type=MEDIA_TYPE)
    response.headers["Cache-Control"] = "private, no-store"
    return response
