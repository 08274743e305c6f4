"""The session page: until when, on which devices, one tap to renew, one to leave."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from http import HTTPStatus

from flask import make_response, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from ads.acceptances import may_renew
from db.engine import reading
from portal.gateway_api import notify_gateway
from portal.guest import guests
from portal.guest.pages import ended, not_here, resumable, unproven
from portal.guest.terms import arrival_of
from portal.http.client_evidence import confirmed_until
from portal.http.clients import ClientContext, ForeignClient, access_of, current, is_owned, remember, staying
from portal.public_values import public_device, render_page
from portal.services import services
from sessions import accounting, clients, policy, start
from sessions.models import AccessSession

# How long before its end a session is said to end soon.
WARNING = timedelta(minutes=5)


@guests.get("/status")
def status() -> AnyResponse:
    visit = current()
    if visit is None or not visit.is_proven:
        return unproven(visit)
    access = access_of(visit)
    if access is None:
        return make_response(ended(visit), HTTPStatus.OK)
    visit, is_own = staying(visit, access), is_owned(visit, access)
    if confirmed_until(access, visit.gateway) is None:
        return redirect(url_for("guests.opening", visit=visit.issue_token()), HTTPStatus.SEE_OTHER)
    now, gateway = services().clock(), visit.gateway
    with reading(services().make_session) as db:
        theirs = clients.devices(db, access, now=now) if is_own else []
        page = render_page(
            "guests/status.html",
            visit=visit,
            network=gateway.network,
            site=gateway.site,
            access=access,
            now=now,
            left=access.until - now,
            devices=[public_device(one) for one in theirs],
            is_owned=is_own,
            usage=accounting.usage(db, access.id) if gateway.capabilities.accounts else None,
            may_renew=may_renew(access, gateway, now=now),
            is_ending=is_ending(access, now),
            renewal_opens=policy.renewal_opens(access.until, window=gateway.renewal_window),
        )
    response = make_response(page)
    # No script is needed: the browser asks again when what the page says has changed.
    response.headers["Refresh"] = str(seconds_to_change(visit, access))
    return response


def seconds_to_change(visit: ClientContext, access: AccessSession) -> int:
    """Whole seconds until the status page says something else: more time can be had, or the session has ended.

    Two seconds later than that, so that the gateway has closed the door when the page asks.
    """
    now = services().clock()
    opens = policy.renewal_opens(access.until, window=visit.gateway.renewal_window)
    changes = (opens, access.until - WARNING, access.until)
    return math.ceil(min((at - now for at in changes if at > now), default=timedelta()).total_seconds()) + 2


def is_ending(access: AccessSession, now: datetime) -> bool:
    """Whether the page has to warn that the session ends soon (WCAG 2.2, success criterion 2.2.1)."""
    return access.until - now <= WARNING


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
    if access is not None:
        with services().make_session.begin() as db:
            if not clients.leave(db, access, device=target, now=services().clock()):
                raise ForeignClient
    notify_gateway(visit.gateway)
    onward = redirect(url_for("guests.status", visit=visit.issue_token()), HTTPStatus.SEE_OTHER)
    return remember(onward, visit, access_id=None) if target is None else onward


@guests.post("/resume")
def resume() -> AnyResponse:
    """Go on with the rest of the time that this browser has under its former address."""
    visit = current()
    if visit is None:
        return not_here()
    held = resumable(visit)
    if held is None:
        return redirect(url_for("guests.landing", visit=visit.issue_token()), HTTPStatus.SEE_OTHER)
    service = services()
    with service.make_session.begin() as db:
        access = db.get_one(AccessSession, held.id)
        moved = start.move(db, access, arrival_of(visit), now=service.clock())
    if moved is None:
        return redirect(url_for("guests.landing", visit=visit.issue_token()), HTTPStatus.SEE_OTHER)
    notify_gateway(visit.gateway)
    onward = redirect(url_for("guests.opening", visit=visit.issue_token()), HTTPStatus.SEE_OTHER)
    return remember(onward, visit, access_id=moved.access.id)
