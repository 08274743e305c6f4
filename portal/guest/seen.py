"""What a page's own script tells of its message: that it was open for the least time, or that its picture did not load.

Nothing depends on it. Whoever accepts has viewed the message, with or without a script.
"""

from __future__ import annotations

from http import HTTPStatus

from flask import Response, request

from ads.ledger import served
from auth.tokens import EarlyToken, InvalidToken
from portal.guest import guests
from portal.guest.impression_tokens import read_claims
from portal.services import services


@guests.post("/pause/seen")
def seen() -> Response:
    """Write down what is told of the ticket in this form: nothing of who tells it."""
    service, told = services(), request.form
    is_viewed, is_blocked = "viewed" in told, "blocked" in told
    nothing = Response(status=HTTPStatus.NO_CONTENT)
    try:
        claims = service.tokens.verify("ticket", told.get("ticket", ""), now=service.clock())
    except EarlyToken as error:
        # Before its time nobody has viewed it; a picture may have failed already.
        claims = service.tokens.verify("ticket", told.get("ticket", ""), now=error.opens_at)
        is_viewed = False
    except InvalidToken:
        return nothing
    ticket = read_claims(claims, nonce=claims["jti"])
    gateway = service.places.by_identity(claims["gw"])
    if gateway is None or ticket.creative_id is None or not (is_viewed or is_blocked):
        return nothing
    entry = served.of(
        gateway,
        ticket.nonce,
        ticket.creative_id,
        shown_at=ticket.shown_at,
        viewed=is_viewed,
        blocked=is_blocked,
    )
    service.served.add(entry)
    return nothing
