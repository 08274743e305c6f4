"""The message with its button, wherever a page has it: what it shows, what it earns, and from when on it counts.

Its seconds run from the moment that a page had it first.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from portal.guest.impression_tokens import make_ticket, message_for
from portal.http.clients import ClientContext
from portal.services import services
from sessions import policy
from sessions.clients import SeenAccess
from sites.limits import site_closing
from sites.models import Gateway


def message_form(visit: ClientContext, access: SeenAccess | None) -> dict[str, Any]:
    """Values for `message_form` of ``shared/parts.html``. `access` is the open session that more time is added to."""
    shown = message_for(visit, access)
    return {
        "creative": shown.message,
        "ticket": make_ticket(visit, shown),
        "wait_seconds": shown.wait_seconds,
        "until": until_then(visit.gateway, access),
    }


def until_then(gateway: Gateway, access: SeenAccess | None) -> datetime:
    """Until when somebody who presses now may stay: told before anything is granted."""
    now = services().clock()
    closing = site_closing(gateway, now)
    terms = policy.LeaseBounds(
        gateway.lease_length, closing=closing, step=gateway.lease_step, reach=gateway.lease_reach
    )
    if access is None:
        return policy.first_until(terms, now=now)
    return policy.renewed_until(terms, now=now, until=access.until)
