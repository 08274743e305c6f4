"""Visitors: the code of a day pass in, online until its end. Opening a link uses nothing: only the button does."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus

from flask import Response, make_response, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from auth.errors import AuthError, TooManyAttempts
from auth.vouchers import codes
from auth.vouchers.codes import UnreadableCode
from auth.vouchers.errors import (
    AlreadyUsed,
    ExpiredVoucher,
    SpentVoucher,
    UnknownVoucher,
    VoidVoucher,
)
from portal.denials.incidents import about_pass, note, note_error
from portal.denials.portal_reasons import NOT_HERE, NOT_OFFERED, KeptNoLonger
from portal.denials.rendering import guest_page
from portal.gateway_api import notify_gateway
from portal.guest import guests
from portal.guest.kept_credentials import kept_value, offer_of
from portal.guest.missing_fields import missing_in_pass
from portal.guest.terms import arrival_of
from portal.guest.voucher_form import as_printed, voucher_form
from portal.here import this_request
from portal.http.clients import ClientContext, access_of, current, opened, remember
from portal.public_values import render_page
from portal.services import services
from sessions import vouchers
from sites.models import SigninMethod

# No second try of the same code can succeed after these.
FOR_GOOD = (SpentVoucher, ExpiredVoucher, VoidVoucher)


# The address on paper is in capitals, for a coarser QR code.
@guests.get("/PASS/<path:code>")
@guests.get("/pass")
@guests.get("/pass/<path:code>")
def pass_page(code: str = "") -> AnyResponse:
    """The form, filled in from the link of a ticket. For somebody who is not on our wifi: how to join it."""
    visit = current()
    typed = as_printed(code)
    if visit is None or not visit.gateway.network.allows(SigninMethod.PASS):
        return away(visit, typed)
    access = access_of(visit)
    if access is not None and access.method is SigninMethod.PASS:
        return redirect(url_for("guests.status", visit=visit.issue_token()), HTTPStatus.SEE_OTHER)
    return voucher_form(visit, typed)


@guests.post("/pass")
def redeem_pass() -> AnyResponse:
    visit, form = current(), this_request().form
    typed = form.get("code", "")
    if visit is None or not visit.gateway.network.allows(SigninMethod.PASS):
        return away(visit, as_printed(typed))
    kept, service = form.get("kept"), services()
    if kept is None and (missing := missing_in_pass()):
        return voucher_form(visit, "", refusal=missing)
    try:
        typed = typed if kept is None else kept_value(kept, SigninMethod.PASS)
        code = codes.read(typed)
        access_id = vouchers.redeem(
            service.make_session,
            arrival_of(visit),
            code=code,
            keys=service.voucher_keys,
            now=service.clock(),
            move="move" in form,
        )
    except KeptNoLonger as error:
        return voucher_form(visit, "", refusal=guest_page(error, zone=visit.gateway.site.zone))
    except AuthError as error:
        if not isinstance(error, (UnreadableCode, UnknownVoucher, TooManyAttempts)):
            about_pass(code)
        refusal = replace(guest_page(error, zone=visit.gateway.site.zone), incident=note_error(error, visit))
        if isinstance(error, FOR_GOOD):
            return voucher_form(visit, "", refusal=replace(refusal, field=None))
        return voucher_form(visit, as_printed(typed), refusal=refusal, movable=isinstance(error, AlreadyUsed))
    notify_gateway(visit.gateway)
    visit = opened(visit, access_id, offer=offer_of(SigninMethod.PASS, code))
    onward = redirect(url_for("guests.opening", visit=visit.issue_token()), HTTPStatus.SEE_OTHER)
    return remember(onward, visit, access_id=access_id)


def away(visit: ClientContext | None, code: str) -> Response:
    """Where the pass holds and how to get there; it is not touched."""
    networks = [one for one in services().places.networks() if one.allows(SigninMethod.PASS)]
    # Opening a ticket's link is no denied request.
    incident = note(NOT_OFFERED if visit else NOT_HERE, visit) if request.method == "POST" else None
    page = render_page(
        "guests/pass_away.html",
        visit=visit,
        here=visit.gateway.network if visit else None,
        networks=networks,
        code=code,
        incident=incident,
    )
    return make_response(page, HTTPStatus.OK)
