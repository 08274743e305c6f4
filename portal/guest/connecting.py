"""Between the button and the success page: wait until the gateway's kernel has the lease."""

from __future__ import annotations

import threading
import time
from http import HTTPStatus

from flask import make_response, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from ads.online import Online
from db.engine import reading
from gateways.carriage import Carriage
from portal.denials.incidents import concerning, note
from portal.denials.portal_reasons import NOT_LET_THROUGH, UNCONFIRMED
from portal.gateway_api.endpoints import Departure, carries_nothing, endpoint_of
from portal.guest import guests
from portal.guest.pages import unproven
from portal.guest.status_page import session_page
from portal.http.client_evidence import is_let_pass, open_session
from portal.http.clients import ClientContext, current, is_owned, online_of, remember, staying
from portal.http.security_headers import allow_forms_to
from portal.public_values import render_page
from portal.services import services
from sessions import confirmations, landings
from sessions.clients import SeenAccess
from sites.models import Gateway

WAIT_SECONDS = 5.0
# What a gateway says of a device with a session that it does not let pass: gateways/uam/dialect.py, `Outcome`.
REFUSED = ("refused", "unanswered")
NOT_PASSING = ("not_yet", "stale", *REFUSED)
# How many guests of this process may wait at the same time: a quarter of the threads that deploy/ gives it.
WAITING = threading.BoundedSemaphore(8)


@guests.get("/opening")
def opening() -> AnyResponse:
    visit = current()
    if visit is not None and visit.is_hearsay and not visit.is_proven:
        return opening_by_hearsay(visit)
    if visit is None or not visit.is_proven:
        return unproven(visit)
    seen = services().wake.count
    online = online_of(visit)
    if online is None:
        # The page of a session that was shown here, loaded once more after its end, says why it ended.
        endpoint = "guests.landing" if visit.stay is None else "guests.status"
        return redirect(url_for(endpoint, visit=visit.issue_token()), HTTPStatus.SEE_OTHER)
    access = online.access
    visit = staying(visit, access)
    said = request.args.get("said")
    # What the gateway has just said is newer than what it confirmed.
    is_open = online.is_confirmed and said not in NOT_PASSING
    carriage = None if is_open else carriage_of(visit, access)
    if carriage is not None and "carried" not in request.args:
        return carry(visit, carriage, said)
    confirmed = online if online.is_confirmed else await_confirmation(visit, access, seen)
    if confirmed is not None:
        return show(visit, confirmed)
    page = render_page(
        "guests/opening.html",
        visit=visit,
        site=visit.gateway.site,
        network=visit.gateway.network,
        incident=note(UNCONFIRMED, visit, **waiting_for(access, visit.gateway)),
        carriage=carriage,
    )
    response = make_response(page, HTTPStatus.OK)
    # The page asks again by itself, with no script: it is the same address.
    response.headers["Refresh"] = "3"
    return response


def show(visit: ClientContext, online: Online) -> AnyResponse:
    """The session's page at once: to lead on to its own address would be one more request of each phone.

    The browser asks for it there later, and keeps the session, where it does not from the button on.
    """
    access, page = online.access, session_page(visit, online, elsewhere=True)
    is_kept = visit.held == access.id or not is_owned(visit, access)
    return page if is_kept else remember(page, visit, access_id=access.id)


def carriage_of(visit: ClientContext, access: SeenAccess) -> Carriage | None:
    """What this guest's browser must carry to the gateway, where the gateway learns of leases in no other way.

    It is of no use to anybody but the device itself: the gateway lets nobody else pass for it.
    """
    endpoint = endpoint_of(visit.gateway.kind)
    if endpoint.carry is carries_nothing:
        return None
    with reading(services().make_session) as db:
        told = landings.of(db, gateway_id=visit.gateway.id, mac=visit.mac)
    back = url_for("guests.opening", visit=visit.issue_token(), carried=1)
    own_url = services().settings.own_url
    departure = Departure(visit.gateway, access, visit.client, told, f"{own_url}{back}")
    return endpoint.carry(departure)


def carry(visit: ClientContext, carriage: Carriage, said: str | None) -> AnyResponse:
    """Send the browser to the gateway, with words for it: by itself where a link will do, else by a button.

    No redirect: this page follows upon a form of ours, and browsers let a form lead to no other host than its page
    names (CSP3, form-action), by no detour either. A page that asks for another begins anew.
    """
    is_refused = said in REFUSED
    incident = note(NOT_LET_THROUGH, visit, said=said) if is_refused else None
    page = render_page(
        "guests/carry.html",
        visit=visit,
        site=visit.gateway.site,
        network=visit.gateway.network,
        carriage=carriage,
        failure=said if is_refused else None,
        incident=incident,
        is_plain=carriage.url.startswith("http://") and services().settings.is_https,
    )
    response = make_response(page, HTTPStatus.OK)
    if carriage.method == "POST":
        return allow_forms_to(response, carriage.origin)
    if not is_refused:
        response.headers["Refresh"] = f"0;url={carriage.address}"
    return response


def opening_by_hearsay(visit: ClientContext) -> AnyResponse:
    """For a browser that says itself whose it is, where that device has a session: the gateway will see whether it is.

    What is carried helps that device alone. Nothing of the session is shown.
    """
    access = open_session(visit.gateway, visit.mac)
    if access is None or not is_let_pass(access, visit.gateway):
        return redirect(url_for("guests.landing", visit=visit.issue_token()), HTTPStatus.SEE_OTHER)
    carriage = carriage_of(visit, access)
    if carriage is not None and "carried" not in request.args:
        return carry(visit, carriage, request.args.get("said"))
    return make_response(
        render_page(
            "guests/through.html", visit=visit, site=visit.gateway.site, network=visit.gateway.network
        )
    )


def waiting_for(access: SeenAccess, gateway: Gateway) -> dict[str, int | str]:
    """What the gateway has not confirmed, and what it said against it, if anything."""
    concerning(subject=access.subject, access_id=access.id)
    with reading(services().make_session) as db:
        last = confirmations.last_lease(db, access_id=access.id, gateway_id=gateway.id)
    if last is None:
        return {}
    return {"lease": last.id, "refused": last.refused} if last.refused else {"lease": last.id}


def await_confirmation(visit: ClientContext, access: SeenAccess, seen: int) -> Online | None:
    """Wait until the gateway has confirmed the session's last lease here; the session then, nothing when it has not in
    time.

    `seen` is the count of commits that was read before it was looked for the last time.

    Only so many guests wait at once; the others get the page that reloads at once, so that a silent gateway never holds
    the threads that all other sites need.
    """
    if not WAITING.acquire(blocking=False):
        return confirmed_of(visit, access)
    try:
        return _await(visit, access, seen)
    finally:
        WAITING.release()


def _await(visit: ClientContext, access: SeenAccess, seen: int) -> Online | None:
    wake = services().wake
    deadline = time.monotonic() + WAIT_SECONDS
    while (left := deadline - time.monotonic()) > 0:
        wake.wait(seen, left)
        seen = wake.count
        if (online := confirmed_of(visit, access)) is not None:
            return online
    return None


def confirmed_of(visit: ClientContext, access: SeenAccess) -> Online | None:
    """This session as it is now, if the gateway has confirmed that its kernel holds the last lease of it here."""
    online = online_of(visit)
    return online if online and online.access.id == access.id and online.is_confirmed else None
