"""Browsers that an account has signed in with before: a signed cookie proves it, and gives a rate limit of its own.

It opens nothing. Without it, strangers who guess at an account could keep its owner out.
"""

from __future__ import annotations

import secrets
from datetime import timedelta

from flask import request
from werkzeug.wrappers import Response as AnyResponse

from auth.staff.signin import SigninSource
from auth.tokens import InvalidToken
from portal.http.clients import remote_address
from portal.services import services

PURPOSE = "staff browser"
LIFE = timedelta(days=180)


def cookie_name() -> str:
    return "__Host-arobase-known" if services().settings.is_https else "arobase-known"


def asker(login_name: str) -> SigninSource:
    """Who is trying to sign in to the account that the budgets call `login_name`."""
    return SigninSource(address=str(remote_address() or ""), known_browser=_names().get(login_name))


def remember(response: AnyResponse, login_name: str) -> AnyResponse:
    """Let this browser show, next time, that this account was signed in to with it."""
    service = services()
    names = _names()
    # A desk is shared by a few people; the cookie stays small.
    names = dict([*names.items()][-9:]) | {login_name: names.get(login_name) or secrets.token_urlsafe(9)}
    sealed = service.tokens.sign(PURPOSE, {"known": names}, now=service.clock(), life=LIFE)
    response.set_cookie(
        cookie_name(),
        sealed,
        max_age=int(LIFE.total_seconds()),
        path="/",
        secure=service.settings.is_https,
        httponly=True,
        samesite="Strict",
    )
    return response


def _names() -> dict[str, str]:
    service = services()
    try:
        claims = service.tokens.verify(PURPOSE, request.cookies.get(cookie_name(), ""), now=service.clock())
    except InvalidToken:
        return {}
    return dict(claims["known"])
