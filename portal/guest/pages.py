"""Pages that several routes answer with: the entry page, the page off our wifi, the page after the end."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace
from datetime import datetime
from http import HTTPStatus

from flask import Response, make_response, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from ads.models import CivicOverride, Creative
from auth.denials import Denial
from db.engine import reading
from portal.caches.pages import Placeholder, whole_minute
from portal.denials.incidents import note, note_error
from portal.denials.portal_reasons import NOT_HERE, NOT_OFFERED
from portal.denials.rendering import Refusal, guest_page, page
from portal.guest import crowd
from portal.guest.impression_tokens import make_ticket, message_for, override_here
from portal.guest.kept_credentials import kept_here
from portal.guest.message_form import message_form, until_then
from portal.guest.resume_code import code_before
from portal.guest.stay import offline
from portal.guest.terms import terms_text
from portal.here import this_request
from portal.http.clients import ClientContext, gateways_here, mark_landed, remember
from portal.i18n.translation import chosen_language, language
from portal.public_values import PublicVisit, public_network_at, render_page
from portal.services import services
from sessions import clients
from sessions.clients import SeenAccess
from sessions.models import AccessSession
from sites.models import Gateway, SigninMethod

VISIT, TICKET, RESUME = Placeholder("visit"), Placeholder("ticket"), Placeholder("resume")

# What a picture of the page shows where a client's own tokens go: nobody's.
EXAMPLE = {VISIT: "", TICKET: "", RESUME: "ABCD\u2011EFGH"}

Message = Creative | CivicOverride | None


def entry(
    visit: ClientContext, *, refusal: Refusal | None = None, login: str = "", code: str = ""
) -> Response:
    """The page with every way on that this network offers, and what was refused and typed, if anything."""
    is_free = visit.gateway.network.allows(SigninMethod.FREE)
    shown = message_for(visit) if is_free else None
    until, resumed = until_then(visit.gateway, None), resumable(visit)
    visit = visit if visit.landed_at else mark_landed(visit)
    tokens = {VISIT: visit.issue_token(), RESUME: code_before(visit) or ""}
    if shown is not None:
        tokens[TICKET] = make_ticket(visit, shown)

    message, wait = (shown.message, shown.wait_seconds) if shown is not None else (None, 0)

    def render() -> str:
        return _render(
            visit.gateway, message, wait, until, resumed=resumed, refusal=refusal, login=login, code=code
        )

    is_first = refusal is None and resumed is None
    response = crowd.answer(
        _alike(visit.gateway, message, wait, until) if is_first else None,
        render,
        tokens,
        status=refusal.status if refusal else HTTPStatus.OK,
    )
    if refusal and refusal.retry_after:
        response.headers["Retry-After"] = str(refusal.retry_after)
    return remember(response, visit, access_id=visit.held)


def _render(
    gateway: Gateway,
    message: Message,
    wait_seconds: int,
    until: datetime,
    *,
    resumed: AccessSession | None,
    refusal: Refusal | None,
    login: str,
    code: str,
) -> str:
    """The page with holes where the client's tokens go: whoever it is made for, it names nobody."""
    network = gateway.network
    return render_page(
        "guests/landing.html",
        visit={"token": str(VISIT)},
        network=public_network_at(gateway),
        site=gateway.site,
        methods=network.guest_methods,
        creative=message,
        ticket=str(TICKET),
        resume_code=str(RESUME),
        wait_seconds=wait_seconds,
        until=until,
        terms=terms_text(network),
        resumable=resumed,
        refusal=refusal,
        login=login,
        code=code,
    )


def plain_first_page(gateway: Gateway) -> str:
    """The first page as it looks to whoever comes to this gateway, without a message; its buttons lead nowhere."""
    until = until_then(gateway, None)

    def render() -> str:
        return _render(gateway, None, 0, until, resumed=None, refusal=None, login="", code="")

    return services().page_cache.fill(None, render, EXAMPLE).octets.decode()


def _alike(gateway: Gateway, message: Message, wait_seconds: int, until: datetime | None) -> Hashable | None:
    """All that a page with this message depends on; None where the request itself goes into it."""
    asked = this_request()
    if (
        asked.method != "GET"
        or kept_here()
        or asked.view_args
        or not asked.args.keys() <= {"landing", "visit", "lang"}
    ):
        return None
    minutes = tuple(whole_minute(at) for at in (services().clock(), until))
    # The gateway, with its site and network, and the message are other objects when any of them has changed.
    return (gateway, asked.endpoint, language(), chosen_language(), message, wait_seconds, *minutes)


def refuse(visit: ClientContext, error: Denial, *, login: str = "") -> Response:
    """The entry page again, with what was refused and what to do; what was typed is kept."""
    refusal = replace(guest_page(error, zone=visit.gateway.site.zone), incident=note_error(error, visit))
    return entry(visit, refusal=refusal, login=login)


def resumable(visit: ClientContext) -> AccessSession | None:
    """The session that this browser has on this network under another address, if it still has time left."""
    if visit.held is None:
        return None
    service = services()
    with reading(service.make_session) as db:
        return clients.transferable(
            db, visit.held, network_id=visit.gateway.network_id, mac=visit.mac, now=service.clock()
        )


def fetch_landing() -> AnyResponse | None:
    """Send a client of ours that came without a landing token to its gateway, which makes one."""
    wanted = request.args.get("gateway")
    doors = [
        gateway
        for gateway in gateways_here()
        if gateway.redirector_url and wanted in (None, gateway.identity)
    ]
    return redirect(doors[0].redirector_url, HTTPStatus.FOUND) if len(doors) == 1 else None


def unproven(visit: ClientContext | None) -> AnyResponse:
    """For somebody who has proven nothing: to the gateway for its word, else the first page, where there is one."""
    return fetch_landing() or (entry(visit) if visit is not None else not_here())


def not_here() -> Response:
    """For somebody who is not on our wifi: what it is and where it is."""
    networks, incident = services().places.networks(), note(NOT_HERE)
    return make_response(
        render_page("guests/not_here.html", networks=networks, denial=page(NOT_HERE), incident=incident)
    )


def not_offered(visit: ClientContext) -> AnyResponse:
    """For somebody on our wifi whose network has no such way in: the ways that it has. Looking is no denial."""
    if request.method in ("GET", "HEAD"):
        return redirect(url_for("guests.landing", visit=visit.issue_token()), HTTPStatus.SEE_OTHER)
    return entry(visit, refusal=replace(page(NOT_OFFERED), incident=note(NOT_OFFERED, visit)))


def ended(visit: ClientContext) -> Response:
    """The page of a client that is not online (any more): why, and one tap to go on."""
    gateway, last, stay = visit.gateway, last_stay(visit), offline(override_here(visit))
    form = message_form(visit, None) if gateway.network.allows(SigninMethod.FREE) else {}
    tokens = {VISIT: visit.issue_token(), TICKET: str(form.get("ticket", ""))}

    def render() -> str:
        return render_page(
            "guests/ended.html",
            visit=PublicVisit(str(VISIT), visit.offer),
            network=public_network_at(gateway),
            site=gateway.site,
            last=last,
            now=services().clock(),
            stay=stay,
            access=None,
            **(form | {"ticket": str(TICKET)} if form else {}),
        )

    alike = _alike(gateway, form.get("creative"), form.get("wait_seconds", 0), form.get("until"))
    why = (last.end_reason, whole_minute(last.ended_at or last.until)) if last else None
    is_one_of_many = alike is not None and visit.offer is None
    return crowd.answer(("ended", alike, stay.key, why) if is_one_of_many else None, render, tokens)


def last_stay(visit: ClientContext) -> SeenAccess | None:
    """The newest session of this client here, open or ended."""
    with reading(services().make_session) as db:
        return clients.last(db, network_id=visit.gateway.network_id, mac=visit.mac)
