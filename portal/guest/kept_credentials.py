"""The passes and card numbers that a guest asked this browser to keep: in one encrypted cookie, and nowhere here.

Nothing is kept without a tap, and nothing is needed. After a pass or a card has let somebody in, the tokens of the next
pages carry it, encrypted, so that the button can say which; the button moves it into the cookie. Of a card the number
is kept, never the PIN. See docs/adr/0012-kept-in-one-encrypted-cookie.md.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import timedelta

from flask import g
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from auth.errors import AuthError
from auth.tokens import InvalidToken
from auth.vouchers import redeeming
from db.engine import reading
from portal.denials.portal_reasons import KeptNoLonger
from portal.denials.rendering import guest_page
from portal.here import notes, this_request
from portal.http.clients import COOKIE_LIFE, Answer, ClientContext, cookie_name, keeps_cookies
from portal.i18n.translation import end_time, say
from portal.services import services, town_zone
from sites.models import SigninMethod

KEPT, OFFER = "kept", "offer"
KEPT_LIFE = timedelta(days=90)
# A cookie has 4,096 bytes (RFC 6265 section 6.1), and a list of more is no help.
MOST_KEPT, LONGEST_LOGIN = 5, 64


@dataclass(frozen=True, slots=True)
class KeptCredential:
    """A pass (its code, nine symbols) or a card (its number). `id` names it in forms, and says nothing of it."""

    id: str
    method: SigninMethod
    value: str

    @property
    def end(self) -> str:
        """What a page shows of it: enough for the owner to know it by, too little to be used."""
        return self.value[-3:]


@dataclass(frozen=True, slots=True)
class ShownCredential:
    """A line of the list. `state` is in words; `is_good` says whether it can be used here, or anywhere."""

    id: str
    method: SigninMethod
    end: str
    state: str = ""
    is_good: bool = True


def offer_of(method: SigninMethod, value: str) -> str | None:
    """What the tokens of the next pages carry after this has let somebody in, so that they can offer to keep it.

    Nothing where the browser keeps no cookies, or this already.
    """
    is_kept = any((one.method, one.value) == (method, value) for one in kept_here())
    if is_kept or not keeps_cookies() or len(value) > LONGEST_LOGIN:
        return None
    service, claims = services(), {"method": method.value, "value": value}
    return service.encrypted_tokens.encrypt(OFFER, claims, now=service.clock(), life=COOKIE_LIFE)


def offered(token: str | None) -> KeptCredential | None:
    """What may be kept; None where nothing is on offer, or is any more, or this browser keeps no cookies."""
    if token is None or not keeps_cookies():
        return None
    service = services()
    try:
        claims = service.encrypted_tokens.decrypt(OFFER, token, now=service.clock())
    except InvalidToken:
        return None
    method, value = SigninMethod(claims["method"]), str(claims["value"])
    if any((one.method, one.value) == (method, value) for one in kept_here()):
        return None
    return KeptCredential(secrets.token_hex(4), method, value)


def kept_here() -> list[KeptCredential]:
    """What this browser keeps, the newest first."""
    noted = notes()
    if "kept" not in noted:
        service, token = services(), this_request().cookies.get(kept_cookie_name(), "")
        try:
            claims = service.encrypted_tokens.decrypt(KEPT, token, now=service.clock()) if token else {}
        except InvalidToken:
            claims = {}
        found = claims.get("all", [])
        noted.kept = [KeptCredential(one["id"], SigninMethod(one["method"]), one["value"]) for one in found]
    kept: list[KeptCredential] = noted.kept
    return kept


def kept_value(number: str, method: SigninMethod) -> str:
    """The code or number of a line of the list. Raises `KeptNoLonger`."""
    for one in kept_here():
        if one.id == number and one.method is method:
            return one.value
    raise KeptNoLonger


def keep(response: Answer, kept: Sequence[KeptCredential]) -> Answer:
    """Have this browser keep these, and no others."""
    service = services()
    is_https = service.settings.is_https
    if not kept:
        response.delete_cookie(kept_cookie_name(), path="/", secure=is_https, httponly=True, samesite="Lax")
        return response
    claims = {"all": [asdict(one) for one in kept[:MOST_KEPT]]}
    response.set_cookie(
        kept_cookie_name(),
        service.encrypted_tokens.encrypt(KEPT, claims, now=service.clock(), life=KEPT_LIFE),
        max_age=int(KEPT_LIFE.total_seconds()),
        path="/",
        secure=is_https,
        httponly=True,
        samesite="Lax",
    )
    return response


def kept_cookie_name() -> str:
    return f"{cookie_name()}-kept"


def shown_here() -> list[ShownCredential]:
    """The list as a page shows it: what each is worth where this browser is, if that can be told."""
    kept = kept_here()
    if not kept:
        return []
    visit: ClientContext | None = g.get("visit")
    if "shown_credentials" not in g:
        g.shown_credentials = [_shown(one, visit) for one in kept]
    shown: list[ShownCredential] = g.shown_credentials
    return shown


def _shown(kept: KeptCredential, visit: ClientContext | None) -> ShownCredential:
    line = ShownCredential(kept.id, kept.method, kept.end)
    network = visit.gateway.network if visit is not None else None
    if network is not None and not network.allows(kept.method):
        return replace(line, state=say("Not on this network"), is_good=False)
    if kept.method is not SigninMethod.PASS:
        return line
    zone = visit.gateway.site.zone if visit is not None else town_zone().key
    service = services()
    try:
        with reading(service.make_session) as db:
            gateway = visit.gateway if visit is not None else None
            keys, now = service.voucher_keys, service.clock()
            asked = redeeming.ask(db, keys=keys, code=kept.value)
            until = redeeming.look_up(asked, gateway=gateway, now=now).until
    except AuthError as error:
        return replace(line, state=guest_page(error, zone=zone).title, is_good=False)
    except (OperationalError, PoolTimeout):
        return line
    words = say("until %(time)s", time=end_time(until, zone, now=now)) if until else say("Not used yet")
    return replace(line, state=words)
