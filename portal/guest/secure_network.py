"""The encrypted network beside the open one: a patron takes a profile for a device, and revokes it.

Card and PIN are asked for once more, because a profile is good for weeks. What they prove goes, encrypted, to the page
with the files; the key is made with the file, goes into it, and is kept nowhere here.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from http import HTTPStatus
from typing import Any

from flask import Response, g, make_response, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from auth.blocks import service as blocks
from auth.devices import service as devices
from auth.devices.errors import NoSecureNetwork, TooManyDevices
from auth.errors import AuthError
from db.engine import reading
from portal.denials.incidents import concerning, device_in, note_error
from portal.denials.rendering import Refusal, guest_page
from portal.gateway_api import notify_gateway
from portal.guest import guests
from portal.guest.missing_fields import missing_in_signin
from portal.guest.pages import ended, unproven
from portal.guest.profile_grants import ProfileGrant, ssids_at
from portal.guest.terms import accepted
from portal.http.clients import ClientContext, ForeignClient, access_of, current, is_owned
from portal.public_values import PublicProfile, render_page
from portal.services import services
from sessions import clients, joining, leases, patrons
from sessions.clients import SeenAccess
from sites.models import SigninMethod

# Of the password of a key: none of them looks like another.
SYMBOLS = "abcdefghjkmnpqrstuvwxyz23456789"
# The name that a field of the form begins with, by what the browser says it is on.
OWN_NAMES = {
    "iphone": "iPhone",
    "ipad": "iPad",
    "android": "Android",
    "windows": "Windows",
    "mac": "Mac",
    "linux": "Linux",
}


@guests.get("/profile")
def profile_page() -> AnyResponse:
    visit, access = _asking()
    if visit is None or not visit.is_proven:
        return unproven(visit)
    return make_response(ended(visit)) if access is None else _form(visit, access)


@guests.post("/profile")
def make_profile() -> AnyResponse:
    """Prove card and PIN once more, and lead to the files."""
    visit, access = _asking()
    if visit is None or not visit.is_proven:
        return unproven(visit)
    if access is None:
        return make_response(ended(visit))
    login = request.form.get("login", "")
    if missing := missing_in_signin():
        return _form(visit, access, refusal=missing, login=login)
    try:
        if not ssids_at(visit.gateway):
            raise NoSecureNetwork
        grant = _proven(visit, login)
    except AuthError as error:
        concerning(subject=error.subject)
        refusal = replace(guest_page(error, zone=visit.gateway.site.zone), incident=note_error(error, visit))
        return _form(visit, access, refusal=refusal, login=login)
    ready = url_for("guests.profile_ready", visit=visit.issue_token(), grant=grant.as_token())
    return redirect(ready, HTTPStatus.SEE_OTHER)


@guests.post("/profile/revoke")
def revoke_profile() -> AnyResponse:
    visit, access = _asking()
    if visit is None or not visit.is_proven:
        return unproven(visit)
    if access is None:
        return make_response(ended(visit))
    if not is_owned(visit, access):
        raise ForeignClient
    service, device = services(), request.form.get("device", type=int)
    with service.make_session.begin() as db:
        ended_ones = joining.revoke(
            db, min(device or 0, clients.LARGEST_ID), access=access, now=service.clock()
        )
        told = {one.id: one for number in ended_ones for one in leases.gateways_of(db, number)}
    for gateway in told.values():
        notify_gateway(gateway)
    return redirect(url_for("guests.profile_page", visit=visit.issue_token()), HTTPStatus.SEE_OTHER)


def _asking() -> tuple[ClientContext | None, SeenAccess | None]:
    visit = current()
    access = access_of(visit) if visit is not None else None
    return visit, access if access is not None and access.method is SigninMethod.PATRON else None


def _form(
    visit: ClientContext, access: SeenAccess, *, refusal: Refusal | None = None, login: str = ""
) -> Response:
    g.form_page = ("guests.profile_page", {})
    page = render_page(
        "guests/profile.html",
        visit=visit,
        network=visit.gateway.network,
        site=visit.gateway.site,
        ssids=ssids_at(visit.gateway),
        profiles=_profiles(visit, access),
        refusal=refusal,
        login=login[:64],
        own_name=request.form.get("device", OWN_NAMES.get(device_in(request.user_agent.string) or "", ""))[
            :40
        ],
    )
    response = make_response(page, refusal.status if refusal else HTTPStatus.OK)
    if refusal and refusal.retry_after:
        response.headers["Retry-After"] = str(refusal.retry_after)
    return response


def _profiles(visit: ClientContext, access: SeenAccess) -> list[PublicProfile]:
    if not is_owned(visit, access):
        return []
    with reading(services().make_session) as db:
        found = devices.good_ones(db, access.subject, now=services().clock())
        return [PublicProfile(one.id, one.name, one.until) for one in found]


def _proven(visit: ClientContext, login: str) -> ProfileGrant:
    """What the right card and PIN allow. Raises `AuthError`."""
    service, gateway = services(), visit.gateway
    terms = accepted(gateway.network)

    device = request.form.get("device", "").strip()[: devices.LONGEST_NAME] or "–"

    def grant(db: Any, subject: str, patron: Any) -> ProfileGrant:
        blocks.check(db, mac=visit.mac, subject=subject, network_id=gateway.network_id, now=service.clock())
        return ProfileGrant(
            gateway=gateway.identity,
            subject=subject,
            login=login,
            device=device,
            nonce=secrets.token_hex(16),
            password="".join(secrets.choice(SYMBOLS) for _ in range(12)),
            terms=(terms.version, terms.language, terms.digest),
            card_until=None if patron.expires_on is None else _end_of(patron.expires_on, gateway.site.tzinfo),
        )

    proven = patrons.prove(
        service.make_session,
        gateway,
        visit.mac,
        login=login,
        secret=request.form.get("secret", ""),
        directory=service.directory,
        pseudonyms=service.pseudonyms,
        now=service.clock(),
        then=grant,
    )
    with reading(service.make_session) as db:
        if len(devices.good_ones(db, proven.subject, now=service.clock())) >= devices.MOST_DEVICES:
            raise TooManyDevices
    return proven


def _end_of(day: Any, zone: Any) -> datetime:
    """The first instant after a day."""
    return datetime.combine(day + timedelta(days=1), time.min, zone).astimezone(UTC)
