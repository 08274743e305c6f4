"""The Captive Portal API (RFC 8908), with the state of the client that asks alone."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from datetime import datetime

from flask import Response, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from ads.acceptances import may_renew
from ads.online import find
from db.engine import reading
from gateways.types import IpAddress
from portal.guest import guests
from portal.http.application import Answered
from portal.http.client_evidence import await_found
from portal.http.clients import remote_address
from portal.services import services
from sessions import sightings
from sessions.clients import SeenAccess
from sites.models import Gateway, SigninMethod

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
    address, stay = remote_address(), None
    if address is not None and gateway.holds(address):
        # One that has just arrived is known in a moment: the gateway's observation, or confirmation, is on its way.
        stay = await_found(lambda: _stay_of(gateway, address))
    if stay is None or stay.access is None:
        portal = _absolute("guests.landing", gateway=gateway.identity)
        return {"captive": True, "user-portal-url": portal}
    if stay.access.method is SigninMethod.MANAGED:
        # Its time is the register's: there is no page of it, and nothing that runs out for anybody.
        return {"captive": False}
    access, now = stay.access, services().clock()
    left = (stay.until - now).total_seconds()
    return {
        "captive": False,
        "user-portal-url": _absolute("guests.status"),
        "venue-info-url": _absolute("guests.info", slug=gateway.site.slug),
        "seconds-remaining": max(0, math.floor(left)),
        "can-extend-session": may_renew(access, gateway, now=now),
    }


@dataclass(frozen=True, slots=True)
class _Stay:
    """The session behind an address, and until when it is let pass; none for somebody known who has none."""

    access: SeenAccess | None
    until: datetime


def _stay_of(gateway: Gateway, address: IpAddress) -> _Stay | None:
    """Who is behind this address and may pass; None for what is not known yet, or not confirmed yet."""
    now = services().clock()
    with reading(services().make_session) as db:
        seen = sightings.behind(db, address, gateway_ids=[gateway.id])
        if not seen:
            return None
        _, mac = seen[0]
        online = find(db, gateway=gateway, mac=mac, now=now)
    if online is None:
        return _Stay(None, now)
    return None if online.confirmed_until is None else _Stay(online.access, online.confirmed_until)


def _absolute(endpoint: str, **values: str) -> str:
    return services().settings.portal_url + url_for(endpoint, _external=False, **values)


def _answer(document: dict[str, object]) -> Response:
    response = Answered(json.dumps(document), content_type=MEDIA_TYPE)
    response.headers["Cache-Control"] = "private, no-store"
    return response
