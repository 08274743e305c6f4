"""Tickets: the signed word that a page showed this creative to this client at this instant. Each is used once."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import request

from ads.acceptances import ImpressionToken
from ads.choice import ImpressionContext
from ads.models import Creative
from auth.tokens import EarlyToken
from portal.http.clients import ClientContext, ForeignClient
from portal.i18n.translation import language
from portal.services import services
from sites.limits import ads_shown

TICKET_LIFE = timedelta(minutes=30)


def creative_for(visit: ClientContext) -> Creative | None:
    """What this client is shown now; None where the site shows nothing or nothing is eligible."""
    service, gateway = services(), visit.gateway
    if not ads_shown(gateway.site, gateway.network):
        return None
    moment = ImpressionContext(gateway.network.slug, gateway.site.slug, language(), service.clock())
    return service.stage.choose(moment, service.rng)


def make_ticket(visit: ClientContext, creative: Creative | None) -> str:
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
    return service.tokens.sign("ticket", claims, now=now, life=TICKET_LIFE, not_before=now + viewing)


def read_ticket(visit: ClientContext) -> ImpressionToken:
    """The ticket in this form.

    Raises `EarlyToken` before its time, `ForeignClient` where it was made for another client, else `InvalidToken`.
    """
    service = services()
    claims = service.tokens.verify("ticket", request.form.get("ticket", ""), now=service.clock())
    if (claims["gw"], claims["mac"]) != (visit.gateway.identity, visit.mac):
        raise ForeignClient
    shown_at = datetime.fromtimestamp(claims["shown"], tz=UTC)
    return ImpressionToken(claims["jti"], claims["creative"], claims["lang"], shown_at)


def seconds_left(error: EarlyToken) -> int:
    """How long a ticket that came too early has to wait, in whole seconds, never less than one."""
    return max(1, math.ceil((error.opens_at - services().clock()).total_seconds()))
