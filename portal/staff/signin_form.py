"""The first page of the sign-in, with what was refused or was typed before."""

from __future__ import annotations

from http import HTTPStatus

from flask import Response, make_response, render_template

from auth.errors import AuthError
from portal.denials.rendering import staff_page
from portal.staff import passkey_challenges


def signin_form(
    error: AuthError | None = None, *, onward: str, carried: str = "", login: str = ""
) -> Response:
    """`onward` is the page that the sign-in leads to, `carried` a form that waits for it."""
    refusal = staff_page(error) if error else None
    page = render_template(
        "staff/signin.html",
        refusal=refusal,
        login=login,
        onward=onward,
        carried=carried,
        passkey=passkey_challenges.ask_for_any(),
    )
    response = make_response(page, refusal.status if refusal else HTTPStatus.OK)
    if refusal and refusal.retry_after:
        response.headers["Retry-After"] = str(refusal.retry_after)
    return response
