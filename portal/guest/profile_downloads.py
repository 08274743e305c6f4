"""The files of a profile: the page that offers them, and each of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from typing import NamedTuple

from flask import Response, make_response, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from auth.devices import authority, certificates
from auth.devices import service as devices
from auth.devices.certificates import KeyPair
from auth.devices.errors import NoSecureNetwork
from auth.errors import AuthError
from db.engine import reading
from portal.guest import guests, profile_files
from portal.guest.pages import refuse, unproven
from portal.guest.profile_files import Profile
from portal.guest.profile_grants import ProfileGrant, granted, ssids_at
from portal.http.clients import current
from portal.public_values import render_page
from portal.services import services


class Form(NamedTuple):
    """One form of the files: what makes it, its media type, the ending of its name, and whether it holds the key."""

    make: Callable[[Profile], bytes]
    media_type: str
    ending: str
    has_key: bool = True


FORMS = {
    "apple": Form(profile_files.apple, "application/x-apple-aspen-config", "mobileconfig"),
    "android": Form(profile_files.passpoint, "application/x-wifi-config", "conf"),
    "key": Form(profile_files.key_file, "application/x-pkcs12", "p12"),
    "windows": Form(profile_files.windows, "application/xml", "xml", has_key=False),
    "authority": Form(profile_files.authority_file, "application/x-x509-ca-cert", "cer", has_key=False),
}


@guests.get("/profile/ready")
def profile_ready() -> AnyResponse:
    visit = current()
    if visit is None or not visit.is_proven:
        return unproven(visit)
    token = request.args.get("grant", "")
    grant = granted(token)
    page = render_page(
        "guests/profile_ready.html",
        visit=visit,
        network=visit.gateway.network,
        site=visit.gateway.site,
        grant=token,
        device=grant.device,
        password=grant.password,
        ssids=ssids_at(visit.gateway),
        host=_host(),
        outer_name=profile_files.outer_name(_host()),
    )
    return make_response(page)


@guests.post("/profile/file")
def profile_file() -> AnyResponse:
    """One file. Those with a key make the device's certificate; another one is made in its place each time."""
    visit = current()
    if visit is None or not visit.is_proven:
        return unproven(visit)
    grant, form = granted(request.form.get("grant", "")), FORMS.get(request.form.get("system", ""))
    ssids = ssids_at(visit.gateway)
    if form is None or grant.gateway != visit.gateway.identity:
        return redirect(url_for("guests.profile_page", visit=visit.issue_token()), HTTPStatus.SEE_OTHER)
    try:
        if not ssids:
            raise NoSecureNetwork
        profile = _with_key(grant, ssids) if form.has_key else _without_key(grant, ssids)
    except AuthError as error:
        return refuse(visit, error)
    response = Response(form.make(profile), content_type=form.media_type)
    name = f"{_host().split('.')[0]}.{form.ending}"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _with_key(grant: ProfileGrant, ssids: tuple[str, ...]) -> Profile:
    """Raises `AuthError`."""
    service = services()
    with service.make_session.begin() as db:
        made = devices.enrol(db, grant.enrolment, tokens=service.encrypted_tokens, now=service.clock())
        until = made.device.until
    profile = _profile(grant, ssids, made.authority)
    return replace(profile, pair=made.pair, until=until)


def _without_key(grant: ProfileGrant, ssids: tuple[str, ...]) -> Profile:
    """Raises `NoSecureNetwork`."""
    with reading(services().make_session) as db:
        row = authority.newest(db)
        if row is None:
            raise NoSecureNetwork
        return _profile(grant, ssids, row.certificate)


def _profile(grant: ProfileGrant, ssids: tuple[str, ...], ours: str) -> Profile:
    title, ends = certificates.name_of(ours), certificates.ends_at(ours)
    return Profile(title, _host(), ssids, KeyPair("", ""), ours, grant.password, ends)


def _host() -> str:
    return certificates.server_name(services().settings.portal_url)
