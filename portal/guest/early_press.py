"""A button pressed before the message could be read: the press is kept, signed, and carried out when it is time.

The page that the form leads to asks again by itself, without script. It acts upon a GET, but only upon what was pressed
before: a press is good for one client, and its ticket once.
"""

from __future__ import annotations

from dataclasses import asdict

from flask import request

from ads.acceptances import ImpressionToken
from ads.models import Creative
from auth.tokens import EarlyToken
from portal.guest.impression_tokens import TICKET_LIFE, read_claims
from portal.guest.terms import accepted
from portal.http.clients import ClientContext, ForeignClient
from portal.services import services
from sessions.arrival import Acceptance

PURPOSE = "press"


def keep_press(visit: ClientContext, error: EarlyToken) -> str:
    """The press of a form whose ticket is good from `opens_at` on. Raises `ForeignClient` for another client's."""
    service = services()
    ticket = service.tokens.verify("ticket", request.form.get("ticket", ""), now=error.opens_at)
    if (ticket["gw"], ticket["mac"]) != (visit.gateway.identity, visit.mac):
        raise ForeignClient
    claims = {
        **{name: ticket.get(name) for name in ("gw", "mac", "creative", "lang", "shown", "why")},
        "ticket": ticket["jti"],
        "terms": asdict(accepted(visit.gateway.network)),
    }
    return service.tokens.sign(
        PURPOSE, claims, now=error.opens_at, life=TICKET_LIFE, not_before=error.opens_at
    )


def read_press(visit: ClientContext) -> tuple[ImpressionToken, Acceptance]:
    """The ticket and the terms that this press accepted.

    Raises `EarlyToken` before its time, `ForeignClient` where another client pressed, else `InvalidToken`.
    """
    service = services()
    claims = service.tokens.verify(PURPOSE, request.args.get("press", ""), now=service.clock())
    if (claims["gw"], claims["mac"]) != (visit.gateway.identity, visit.mac):
        raise ForeignClient
    return read_claims(claims, nonce=claims["ticket"]), Acceptance(**claims["terms"])


def creative_of(error: EarlyToken) -> Creative | None:
    """The message that was shown to whoever pressed."""
    service = services()
    claims = service.tokens.verify(PURPOSE, request.args.get("press", ""), now=error.opens_at)
    return service.stage.by_id(claims["creative"], now=service.clock())
