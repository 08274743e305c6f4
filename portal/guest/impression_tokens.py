"""Tickets: the signed word that a page showed this creative to this client at this instant. Each is used once."""

from __future__ import annotations

import math
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import request

from ads.acceptances import ImpressionToken
from ads.choice import ImpressionContext
from ads.ledger import served
from ads.models import CivicOverride
from ads.rules import no_ads
from auth.tokens import EarlyToken
from portal.caches.creatives import NOTHING, ChosenCreative
from portal.http.clients import ClientContext, ForeignClient
from portal.i18n.translation import language
from portal.services import services
from sessions.models import AccessSession
from sites.models import SigninMethod

TICKET_LIFE = timedelta(minutes=30)


def choose_for(visit: ClientContext, access: AccessSession | None = None) -> ChosenCreative:
    """What this client is shown now: a crisis message, where there is one; else what was chosen.

    Nothing where the place or the way it came in has none (`ads.rules.no_ads`).
    """
    service, site, network = services(), visit.gateway.site, visit.gateway.network
    if (override := override_here(visit)) is not None:
        return ChosenCreative(None, override=override)
    method = access.method if access else SigninMethod.FREE
    if no_ads(site, network, method=method) is not None:
        return NOTHING
    moment = ImpressionContext(
        network=network.slug,
        site=site.slug,
        language=language(),
        now=service.clock(),
        site_kind=site.kind.value,
        zone=site.zone,
        previous=visit.shown,
    )
    return service.stage.choose(moment, service.rng)


def override_here(visit: ClientContext) -> CivicOverride | None:
    """The crisis message at this site now."""
    return services().stage.override(visit.gateway.site.slug, now=services().clock())


def make_ticket(visit: ClientContext, chosen: ChosenCreative) -> str:
    """A ticket for what is shown now. With a creative it is not valid before the network's viewing time is over."""
    service, creative = services(), chosen.creative
    now = service.clock()
    viewing = timedelta(seconds=visit.gateway.network.viewing_seconds if creative else 0)
    claims: dict[str, Any] = {
        "gw": visit.gateway.identity,
        "mac": visit.mac,
        "creative": creative.id if creative else None,
        "lang": language(),
        "shown": now.timestamp(),
        "why": (chosen.draw, chosen.previous, chosen.digest),
    }
    nonce = secrets.token_urlsafe(12)
    if creative:
        service.served.add(served.of(visit.gateway, nonce, creative.id, shown_at=now))
    return service.tokens.sign(
        "ticket", claims, now=now, life=TICKET_LIFE, not_before=now + viewing, jti=nonce
    )


def read_ticket(visit: ClientContext) -> ImpressionToken:
    """The ticket in this form.

    Raises `EarlyToken` before its time, `ForeignClient` where it was made for another client, else `InvalidToken`.
    """
    service = services()
    claims = service.tokens.verify("ticket", request.form.get("ticket", ""), now=service.clock())
    if (claims["gw"], claims["mac"]) != (visit.gateway.identity, visit.mac):
        raise ForeignClient
    return read_claims(claims, nonce=claims["jti"])


def read_claims(claims: dict[str, Any], *, nonce: str) -> ImpressionToken:
    """What the claims of a ticket say was shown."""
    draw, previous, digest = claims.get("why") or (None, None, None)
    shown_at = datetime.fromtimestamp(claims["shown"], tz=UTC)
    return ImpressionToken(nonce, claims["creative"], claims["lang"], shown_at, draw, previous, digest)


def seconds_left(error: EarlyToken) -> int:
    """How long a ticket that came too early has to wait, in whole seconds, never less than one."""
    return max(1, math.ceil((error.opens_at - services().clock()).total_seconds()))
