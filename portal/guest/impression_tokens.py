"""Tickets: the signed word that a page showed this creative to this client at this instant. Each is used once."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import request

from ads.choice import Moment
from ads.ledger import Ticket
from ads.models import Creative
from auth.tokens import EarlyToken
from portal.http.clients import ForeignVisit, Visit
from portal.i18n.translation import language
from portal.services import services
from sites.limits import ads_shown

TICKET_LIFE = timedelta(minutes=30)


def creative_for(visit: Visit) -> Creative | None:
    """What this client is shown now; None where the site shows nothing or nothing is eligible."""
    service, gateway = services(), visit.gateway
    if not ads_shown(gateway.site, gateway.network):
        return None
    moment = Moment(gateway.network.slug, gateway.site.slug, language(), service.clock())
    return service.stage.choose(moment, service.rng)


def make_ticket(visit: Visit, creative: Creative | None) -> str:
    """A ticket for what is shown now. With a creative it is not valid before the network's viewing time is over."""
    service = services()
    now = service.clock()
    viewing = timedelta(seconds=visit.gateway.network.viewing_seconds if creative else 0)
    claims: dict[str, Any] = {
        "gw": visit.gateway.identity,
        "mac": visit.mac,
        "creative": creative.id if creative else None,
        "lang": language(),
        "shown": now.timestamp(),
    }
    return service.tokens.seal("ticket", claims, now=now, life=TICKET_LIFE, not_before=now + viewing)


def read_ticket(visit: Visit) -> Ticket:
    """The ticket in this form.

    Raises `EarlyToken` before its time, `ForeignVisit` where it was made for another client, else `InvalidToken`.
    """
    service = services()
    claims = service.tokens.unseal("ticket", request.form.get("ticket", ""), now=service.clock())
    if (claims["gw"], claims["mac"]) != (visit.gateway.identity, visit.mac):
        raise ForeignVisit
    shown_at = datetime.fromtimestamp(claims["shown"], tz=UTC)
    return Ticket(claims["jti"], claims["creative"], claims["lang"], shown_at)


def seconds_left(error: EarlyToken) -> int:
    """How long a ticket that came too early has to wait, in whole seconds, never less than one."""
    return max(1, math.ceil((error.at - services().clock()).total_seconds()))
