"""The break of a client: what it is shown, since when, and the ticket that says so, signed. Each is used once."""

from __future__ import annotations

import math
import secrets
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import request

from ads.acceptances import ImpressionToken
from ads.breaks import BREAK_LIFE, Break
from ads.choice import ImpressionContext
from ads.ledger import served
from ads.models import CivicOverride, Creative
from ads.rules import no_ads
from auth.tokens import EarlyToken, ExpiredToken
from portal.caches.creatives import NOTHING, ChosenCreative
from portal.http.clients import ClientContext, ForeignClient
from portal.i18n.translation import language
from portal.services import services
from sessions import policy
from sessions.clients import SeenAccess
from sites.models import SigninMethod

TICKET_LIFE = BREAK_LIFE


@dataclass(frozen=True, slots=True)
class ShownMessage:
    """What a client is shown now, and from when on it may be accepted. Without a creative nobody waits."""

    chosen: ChosenCreative
    nonce: str
    shown_at: datetime
    opens_at: datetime

    @property
    def message(self) -> Creative | CivicOverride | None:
        return self.chosen.message

    @property
    def wait_seconds(self) -> int:
        """How long its button has to wait still."""
        return max(0, math.ceil((self.opens_at - services().clock()).total_seconds()))


def message_for(visit: ClientContext, access: SeenAccess | None = None) -> ShownMessage:
    """What this client is shown now: a crisis message, where there is one; else what its break has, or is chosen.

    Nothing where the place or the way it came in has none (`ads.rules.no_ads`).
    """
    now, site = services().clock(), visit.gateway.site
    if (override := override_here(visit)) is not None:
        return _at_once(ChosenCreative(None, override=override), now)
    method = access.method if access else SigninMethod.FREE
    if no_ads(site, visit.gateway.network, method=method) is not None:
        return _at_once(NOTHING, now)
    former = _break_of(visit, access)
    if former is not None and (creative := _still(visit, former)) is not None:
        chosen = ChosenCreative(creative, former.draw, former.previous_id, former.choice_digest)
        return _shown(visit, chosen, former)
    chosen = services().stage.choose(_moment(visit), services().rng)
    if chosen.creative is None:
        return _at_once(chosen, now)
    begun = Break(
        subject=_subject(visit),
        nonce=secrets.token_urlsafe(12),
        creative_id=chosen.creative.id,
        began_at=former.began_at if former is not None else now,
        shown_at=now,
        draw=chosen.draw,
        previous_id=chosen.previous,
        choice_digest=chosen.digest,
    )
    if visit.is_proven:
        services().breaks.begin(begun)
    services().served.add(served.of(visit.gateway, begun.nonce, begun.creative_id, shown_at=now))
    return _shown(visit, chosen, begun)


def override_here(visit: ClientContext) -> CivicOverride | None:
    """The crisis message at this site now."""
    return services().stage.override(visit.gateway.site.slug, now=services().clock())


def make_ticket(visit: ClientContext, shown: ShownMessage) -> str:
    """A ticket for what is shown now. It is not valid before its button may be pressed."""
    service, chosen = services(), shown.chosen
    claims: dict[str, Any] = {
        "gw": visit.gateway.identity,
        "mac": visit.mac,
        "creative": chosen.creative.id if chosen.creative else None,
        "lang": language(),
        "shown": round(shown.shown_at.timestamp(), 3),
        "why": (chosen.draw, chosen.previous, chosen.digest),
    }
    return service.tokens.sign(
        "ticket",
        claims,
        now=service.clock(),
        life=TICKET_LIFE,
        not_before=shown.opens_at,
        jti=shown.nonce,
    )


def read_ticket(visit: ClientContext) -> ImpressionToken:
    """The ticket in this form.

    Raises `EarlyToken` before its time, `ForeignClient` where it was made for another client, else `InvalidToken`.
    """
    service = services()
    claims = service.tokens.verify("ticket", request.form.get("ticket", ""), now=service.clock())
    return _own(visit, claims)


def read_ticket_at_any_time(visit: ClientContext) -> ImpressionToken:
    """The same before its time and after it, for what earns nothing. Raises `ForeignClient` and `InvalidToken`."""
    service, text = services(), request.form.get("ticket", "")
    try:
        claims = service.tokens.verify("ticket", text, now=service.clock())
    except EarlyToken as error:
        claims = service.tokens.verify("ticket", text, now=error.opens_at)
    except ExpiredToken as error:
        claims = error.claims
    return _own(visit, claims)


def read_claims(claims: dict[str, Any], *, nonce: str) -> ImpressionToken:
    """What the claims of a ticket say was shown."""
    draw, previous, digest = claims.get("why") or (None, None, None)
    shown_at = datetime.fromtimestamp(claims["shown"], tz=UTC)
    return ImpressionToken(nonce, claims["creative"], claims["lang"], shown_at, draw, previous, digest)


def seconds_left(error: EarlyToken) -> int:
    """How long a ticket that came too early has to wait, in whole seconds, never less than one."""
    return max(1, math.ceil((error.opens_at - services().clock()).total_seconds()))


def _own(visit: ClientContext, claims: dict[str, Any]) -> ImpressionToken:
    if (claims["gw"], claims["mac"]) != (visit.gateway.identity, visit.mac):
        raise ForeignClient
    return read_claims(claims, nonce=claims["jti"])


def _break_of(visit: ClientContext, access: SeenAccess | None) -> Break | None:
    """The break that this client is in. What it saw before it could renew is none: it counts for nothing."""
    if not visit.is_proven:
        return None
    found = services().breaks.find(_subject(visit), now=services().clock())
    if found is not None and visit.shown == found.creative_id != found.previous_id:
        # Accepted since, in a break that another process began for the same page.
        return None
    if found is None or access is None:
        return found
    opens = policy.renewal_opens(access.until, window=visit.gateway.renewal_window)
    return found if found.shown_at >= opens else None


def _still(visit: ClientContext, former: Break) -> Creative | None:
    """Its creative, where that may still be shown: to the client as it was when it was chosen."""
    moment = replace(_moment(visit), previous=former.previous_id)
    return services().stage.still(former.creative_id, moment)


def _moment(visit: ClientContext) -> ImpressionContext:
    site = visit.gateway.site
    return ImpressionContext(
        network=visit.gateway.network.slug,
        site=site.slug,
        language=language(),
        now=services().clock(),
        site_kind=site.kind.value,
        zone=site.zone,
        previous=visit.shown,
        hidden=frozenset(visit.hidden),
    )


def _subject(visit: ClientContext) -> str:
    """The client's pseudonym at this gateway, which no other table has."""
    return services().pseudonyms.of("break", f"{visit.gateway.identity} {visit.mac}")


def _shown(visit: ClientContext, chosen: ChosenCreative, one: Break) -> ShownMessage:
    wanted = timedelta(seconds=(chosen.creative.viewing_seconds or 0) if chosen.creative else 0)
    return ShownMessage(chosen, one.nonce, one.shown_at, one.began_at + visit.gateway.wait_length(wanted))


def _at_once(chosen: ChosenCreative, now: datetime) -> ShownMessage:
    return ShownMessage(chosen, secrets.token_urlsafe(12), now, now)
