"""The form with the one field for the code of a pass."""

from __future__ import annotations

from http import HTTPStatus

from flask import Response, g, make_response

from auth.vouchers import codes
from auth.vouchers.codes import UnreadableCode
from portal.denials.rendering import Refusal
from portal.http.clients import ClientContext, remember
from portal.public_values import render_page

LONGEST_SHOWN = 200


def voucher_form(
    visit: ClientContext, code: str, *, refusal: Refusal | None = None, movable: bool = False
) -> Response:
    """The page with the one field, or with the one button that moves the pass here."""
    g.form_page = ("guests.pass_page", {"code": code} if code else {})
    page = render_page(
        "guests/pass.html",
        visit=visit,
        network=visit.gateway.network,
        site=visit.gateway.site,
        code=code,
        refusal=refusal,
        movable=movable,
    )
    response = make_response(page, refusal.status if refusal else HTTPStatus.OK)
    if refusal and refusal.retry_after:
        response.headers["Retry-After"] = str(refusal.retry_after)
    return remember(response, visit, access_id=visit.held)


def as_printed(typed: str) -> str:
    """The code as the ticket shows it, where there is one; else what was typed, so that it can be mended."""
    try:
        return codes.show(codes.read(typed))
    except UnreadableCode:
        return typed[:LONGEST_SHOWN]
