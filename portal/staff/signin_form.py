"""The first page of the sign-in, with what was refused or was typed before."""

from __future__ import annotations

from http import HTTPStatus

from flask import Response, make_response, render_template, request, url_for

from auth.errors import AuthError
from auth.staff.errors import StaffDirectoryAway
from portal.denials.rendering import staff_page
from portal.services import services
from portal.staff import passkey_challenges

# A form that goes by the provider goes in an address and in a cookie; a longer one goes by password or passkey alone.
LONGEST_CARRIED = 2_000
# In the address of this page: somebody who came by the provider has just signed out here.
OUT = "out"


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
        provider=_provider(onward, carried),
        signed_out_at=_end_at_provider() if OUT in request.args else None,
    )
    response = make_response(page, refusal.status if refusal else HTTPStatus.OK)
    if refusal and refusal.retry_after:
        response.headers["Retry-After"] = str(refusal.retry_after)
    return response


def _provider(onward: str, carried: str) -> str | None:
    """The address that leads to the town's OpenID provider; None where there is none."""
    if services().openid is None:
        return None
    kept = carried if len(carried) <= LONGEST_CARRIED else ""
    return url_for("staff.openid", next=onward, carried=kept or None)


def _end_at_provider() -> str | None:
    """Where that person signs out at the provider as well; None where it offers no such page, or does not answer."""
    client = services().openid
    try:
        return client.logout_url() if client is not None else None
    except StaffDirectoryAway:
        return None
