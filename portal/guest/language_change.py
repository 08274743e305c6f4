"""Another language for a page with something typed or refused: what was typed comes by POST, and no address holds it.

The refusal goes along signed, as what its words are made from: what was refused is not tried again for it. A PIN is
never shown again.
"""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import Any

from flask import Response, make_response, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from auth.tokens import InvalidToken
from portal.denials.causes import from_plain, to_plain
from portal.denials.rendering import Refusal, page
from portal.guest import guests
from portal.guest.missing_fields import missing_in_pass, missing_in_signin
from portal.guest.pages import entry, not_here
from portal.guest.voucher_form import as_printed, voucher_form
from portal.http.clients import VISIT_LIFE, current
from portal.public_values import render_page
from portal.services import services

PURPOSE, FIELD = "refusal", "refused"
# In the place of a token: the fields that were empty are looked at again.
MISSING = "missing"


def sign_refusal(refusal: Refusal) -> str:
    """The hidden field of a page with this refusal; empty where it has no words in other languages."""
    if refusal.beside:
        return MISSING
    if refusal.cause is None:
        return ""
    claims = {
        "cause": to_plain(refusal.cause),
        "status": refusal.status.value,
        "field": refusal.field,
        "incident": refusal.incident,
        "onward": refusal.onward,
    }
    service = services()
    return service.tokens.sign(PURPOSE, claims, now=service.clock(), life=VISIT_LIFE)


@guests.post("/language")
def change_language() -> AnyResponse:
    """The page that the button stands on, in the language of the address."""
    shown = request.form.get("page")
    response = _again(shown) if shown in ("card", "landing", "pass", "move") else _error_again()
    # A browser may go back over it, as over a form that was refused.
    response.headers["Cache-Control"] = "private, no-cache"
    return response


def _again(shown: str) -> AnyResponse:
    visit = current()
    if visit is None:
        return not_here()
    if shown == "card":
        refusal = missing_in_signin() if _was_missing() else _refused()
        return entry(visit, refusal=refusal, login=request.form.get("login", "")[:64])
    refusal = missing_in_pass() if _was_missing() else _refused()
    code = as_printed(request.form.get("code", ""))
    if shown == "landing":
        return entry(visit, refusal=refusal, code=code)
    return voucher_form(visit, code, refusal=refusal, movable=shown == "move")


def _error_again() -> AnyResponse:
    refusal = _refused()
    if refusal is None:
        return redirect(url_for("guests.landing"), HTTPStatus.SEE_OTHER)
    response: Response = make_response(render_page("guests/error.html", refusal=refusal), refusal.status)
    return response


def _was_missing() -> bool:
    return request.form.get(FIELD) == MISSING


def _refused() -> Refusal | None:
    """The refusal that came along, in the language of this request; None where none did that is ours and young."""
    service = services()
    try:
        claims: dict[str, Any] = service.tokens.verify(
            PURPOSE, request.form.get(FIELD, ""), now=service.clock()
        )
    except InvalidToken:
        return None
    cause = from_plain(claims["cause"])
    if cause is None:
        return None
    return replace(
        page(cause.reason, cause.facts, zone=cause.zone),
        status=HTTPStatus(claims["status"]),
        field=claims["field"],
        incident=claims["incident"],
        onward=claims["onward"],
    )
