"""Between the button and the success page: wait until the gateway's kernel has the lease."""

from __future__ import annotations

import threading
import time
from http import HTTPStatus

from flask import make_response, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from db.engine import reading
from gateways.carriage import Carriage
from portal.denials.incidents import concerning, note
from portal.denials.portal_reasons import UNCONFIRMED
from portal.gateway_api.endpoints import Departure, endpoint_of
from portal.guest import guests
from portal.guest.pages import unproven
from portal.http.clients import ClientContext, access_of, current, is_owned, remember, staying
from portal.http.security_headers import allow_forms_to
from portal.public_values import render_page
from portal.services import services
from sessions import confirmations, landings
from sessions.models import AccessSession
from sites.models import Gateway

WAIT_SECONDS = 5.0
# How many guests of this process may wait at the same time: a quarter of the threads that deploy/ gives it.
WAITING = threading.BoundedSemaphore(8)


@guests.get("/opening")
def opening() -> AnyResponse:
    visit = current()
    if visit is None or not visit.is_proven:
        return unproven(visit)
    access = access_of(visit)
    if access is None:
        return redirect(url_for("guests.landing", visit=visit.issue_token()), HTTPStatus.SEE_OTHER)
    visit = staying(visit, access)
    carriage = None if confirmed(access, visit.gateway) else carriage_of(visit, access)
    if carriage is not None and "carried" not in request.args:
        return carry(visit, carriage)
    if await_confirmation(access, visit.gateway):
        onward = redirect(url_for("guests.status", visit=visit.issue_token()), HTTPStatus.SEE_OTHER)
        return remember(onward, visit, access_id=access.id) if is_owned(visit, access) else onward
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


def carriage_of(visit: ClientContext, access: AccessSession) -> Carriage | None:
    """What this guest's browser must carry to the gateway, where the gateway learns of leases in no other way."""
    with reading(services().make_session) as db:
        told = landings.of(db, gateway_id=visit.gateway.id, mac=visit.mac)
    back = url_for("guests.opening", visit=visit.issue_token(), carried=1)
    own_url = services().settings.own_url
    departure = Departure(visit.gateway, access, visit.client, told, f"{own_url}{back}")
    return endpoint_of(visit.gateway.kind).carry(departure)


def carry(visit: ClientContext, carriage: Carriage) -> AnyResponse:
    """Send the browser to the gateway: by itself where a redirect will do, else with a form and words for it."""
    if carriage.method == "GET":
        return redirect(carriage.address, HTTPStatus.SEE_OTHER)
    page = render_page(
        "guests/carry.html",
        visit=visit,
        site=visit.gateway.site,
        network=visit.gateway.network,
        carriage=carriage,
    )
    response = make_response(page, HTTPStatus.OK)
    return allow_forms_to(response, carriage.origin)


def waiting_for(access: AccessSession, gateway: Gateway) -> dict[str, int | str]:
    """What the gateway has not confirmed, and what it said against it, if anything."""
    concerning(subject=access.subject, access_id=access.id)
    with reading(services().make_session) as db:
        last = confirmations.last_lease(db, access_id=access.id, gateway_id=gateway.id)
    if last is None:
        return {}
    return {"lease": last.id, "refused": last.refused} if last.refused else {"lease": last.id}


def await_confirmation(access: AccessSession, gateway: Gateway) -> bool:
    """Wait until the gateway has confirmed the session's last lease here; False when it has not in time.

    Only so many guests wait at once; the others get the page that reloads at once, so that a silent gateway never holds
    the threads that all other sites need.
    """
    if not WAITING.acquire(blocking=False):
        return confirmed(access, gateway)
    try:
        return _await(access, gateway)
    finally:
        WAITING.release()


def _await(access: AccessSession, gateway: Gateway) -> bool:
    wake = services().wake
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        seen = wake.count
        if confirmed(access, gateway):
            return True
        left = deadline - time.monotonic()
        if left <= 0:
            return False
        wake.wait(seen, left)


def confirmed(access: AccessSession, gateway: Gateway) -> bool:
    """Whether the gateway has confirmed that its kernel holds the session's last lease here."""
    with reading(services().make_session) as db:
        return confirmations.is_confirmed(db, access_id=access.id, gateway_id=gateway.id)
