"""Which client is asking, and how we know.

Identity comes from the gateway's signed landing token, which names card and address together, from a token of our own
that began with one, or from the cookie of the browser that has the session. The address at the other end alone is no
proof, since anybody can take an address: who has no more is sent to the gateway for its word. Never a bare parameter.
See docs/adr/0005-who-asks.md.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, TypeVar

from flask import g, request
from werkzeug.wrappers import Response as AnyResponse

from ads.online import Online
from auth.denials import Denial
from auth.tokens import ExpiredToken, InvalidToken
from gateways import landing_token
from gateways.landing_token import ExpiredLanding, ForeignLanding
from gateways.types import Client, IpAddress, MacAddress, parse_mac
from portal.here import notes, this_request
from portal.http.client_evidence import (
    await_seen,
    guest_online,
    is_let_pass,
    open_session,
    seen_behind,
    was_of,
)
from portal.http.proxy_headers import read_address
from portal.services import services
from sessions.clients import SeenAccess
from sites.models import Gateway

Answer = TypeVar("Answer", bound=AnyResponse)
# How long a page's token is good by itself; after that something else must agree with it, for as long as it is kept.
VISIT_LIFE, VISIT_KEPT = timedelta(minutes=30), timedelta(days=31)
COOKIE_LIFE = timedelta(hours=24)
MOST_HIDDEN = 8


class ForeignClient(Denial):
    """The token speaks of another client than the one that sent it."""

    reason = InvalidToken.reason


class ClientContext(NamedTuple):
    """A client in front of us, behind one of our gateways. `browser` names this browser, if it keeps cookies.

    `landed_at` is when it last came to the first page, from which this request goes on.
    """

    gateway: Gateway
    mac: MacAddress
    address: IpAddress
    browser: str
    landed_at: datetime | None = None
    # The access session this browser had, by its cookie: perhaps under another MAC.
    held: int | None = None
    # Whether card and address were proven together, or the browser is the session's own. Without it the visit is good
    # for the first page, and for nothing that is somebody's.
    is_proven: bool = True
    # Whether card and address are what the browser itself said, by a gateway's redirect that nobody signed: then what
    # this visit has opened is its own, and what its cookie proves, and nothing else.
    is_hearsay: bool = False
    # The open access session that the page is about: its token is good for as long as that is open.
    stay: int | None = None
    # The creative that it accepted last, so that the next one is another: kept in its own tokens, and nowhere here.
    shown: int | None = None
    # The creatives that it does not want to see again, the newest last: kept in the same way.
    hidden: tuple[int, ...] = ()
    # What its browser may keep for it, encrypted, in its pages' tokens alone: see portal/guest/kept_credentials.py.
    offer: str | None = None

    @property
    def client(self) -> Client:
        return Client(self.mac, (self.address,))

    def issue_token(self) -> str:
        """A new signed token of this client for the next form or link."""
        service = services()
        claims = {
            "gw": self.gateway.identity,
            "mac": self.mac,
            "ip": str(self.address),
            "browser": self.browser,
            "landed": int(self.landed_at.timestamp()) if self.landed_at else None,
            "proven": self.is_proven and not self.is_hearsay,
            "hearsay": self.is_hearsay or None,
            "stay": self.stay,
            "offer": self.offer,
            "made": int(service.clock().timestamp()),
            **_of_messages(self),
        }
        return service.tokens.sign(
            "visit", _said(claims), now=service.clock(), life=VISIT_KEPT, is_numbered=False
        )


def mark_landed(visit: ClientContext) -> ClientContext:
    """The visit of somebody who is at the first page now, perhaps again."""
    noted = notes()
    noted.visit = visit._replace(landed_at=services().clock())
    seen: ClientContext = noted.visit
    return seen


def cookie_name() -> str:
    return "__Host-arobase" if services().settings.is_https else "arobase"


def hiding(visit: ClientContext, creative_id: int) -> ClientContext:
    """The visit of somebody who does not want to see this creative again. The oldest of many is forgotten."""
    return visit._replace(hidden=_together(visit.hidden, (creative_id,)))


def staying(visit: ClientContext, access: SeenAccess) -> ClientContext:
    """The visit for a page about this session, whose links and buttons work for as long as the session is open."""
    return visit._replace(stay=access.id)


def opened(visit: ClientContext, access_id: int, *, offer: str | None) -> ClientContext:
    """The visit of somebody who has just opened this session: whoever has its tokens is the one who did."""
    return visit._replace(stay=access_id, is_proven=True, offer=offer)


def current(*, acts: bool = False) -> ClientContext | None:
    """The visit of this request, from the best evidence there is; None for somebody who is not behind a gateway.

    Raises `ForeignClient` where a token names another client, and where somebody who has proven nothing would act upon
    another's session; `InvalidToken` for a landing or visit token that is not good, `ExpiredToken` for one that is too
    old and for a form that has been open for too long.

    A GET that `acts`, because it carries out what a form has asked for, needs the proof that a form does.
    """
    noted = notes()
    noted.acts = acts or this_request().method == "POST"
    browser, held = _browser()
    visit, kept = _best(browser), _cookie()
    if visit is not None and (held is not None or "shown" in kept or "hidden" in kept):
        visit = visit._replace(
            held=held,
            shown=visit.shown if visit.shown is not None else kept.get("shown"),
            hidden=_together(kept.get("hidden", ()), visit.hidden),
        )
    noted.visit = None if visit is None else _proven_by_session(visit)
    seen: ClientContext | None = noted.visit
    return seen


def _proven_by_session(visit: ClientContext) -> ClientContext:
    """The visit with the browser's own proof, where that is all there is: the cookie of this card's last session, or
    a token that was made for the one that is open.
    """
    if visit.is_proven:
        return visit
    access = open_session(visit.gateway, visit.mac)
    if access is not None and access.id == visit.stay:
        return visit._replace(is_proven=True)
    if (
        visit.held is not None
        and was_of(visit.held, visit.mac)
        and (access is None or access.id == visit.held)
    ):
        return visit._replace(is_proven=True)
    if access is not None and g.acts:
        raise ForeignClient
    return visit


def _best(browser: str) -> ClientContext | None:
    asked = this_request()
    if token := asked.args.get("landing"):
        return _from_landing(token, browser)
    # A link's, or a form's: a page that is only looked at has no body to be read.
    if token := asked.args.get("visit") or (asked.form.get("visit") if asked.method == "POST" else None):
        try:
            return _from_visit(token, browser)
        except ExpiredToken:
            # A page that is only looked at is made anew. What a form would do needs its own proof.
            if g.acts:
                raise
    return _from_network(browser)


def remember(response: Answer, visit: ClientContext, *, access_id: int | None) -> Answer:
    """Keep the browser's name, the session it has, and the language it chose, in a cookie. Everything works without."""
    service = services()
    # A page makes sure that it is one of ours before it speaks it.
    chosen = this_request().args.get("lang", "")[:3] or kept_language()
    claims = _said({"browser": visit.browser, "access": access_id, "language": chosen}) | _of_messages(visit)
    sealed = service.tokens.sign("browser", claims, now=service.clock(), life=COOKIE_LIFE, is_numbered=False)
    # Max-Age alone (RFC 6265 section 5.3): Expires beside it would say the same to no browser of today, in 40 bytes. A
    # token of ours has no letter that a cookie would have to write in another way (section 4.1.1).
    life, secure = int(COOKIE_LIFE.total_seconds()), "Secure; " if service.settings.is_https else ""
    cookie = f"{cookie_name()}={sealed}; Max-Age={life}; {secure}HttpOnly; Path=/; SameSite=Lax"
    response.headers.add("Set-Cookie", cookie)
    return response


def remote_address() -> IpAddress | None:
    """The address at the other end of the connection."""
    return read_address(this_request().remote_addr or "")


def access_of(visit: ClientContext) -> SeenAccess | None:
    """The open access session of this client, as far as this visit shows that it is here.

    A gateway signs for its own site: a session at another one is this client's where the gateway here lets it pass, or
    where the browser is its own. Nobody's for a visit that has proven nothing.
    """
    online = online_of(visit)
    return None if online is None else online.access


def online_of(visit: ClientContext) -> Online | None:
    """The same, with what its page tells."""
    online = guest_online(visit.gateway, visit.mac) if visit.is_proven else None
    return online if online is not None and may_see(visit, online.access) else None


def may_see(visit: ClientContext, access: SeenAccess) -> bool:
    """Whether this session, of a card that is proven, is shown to be here."""
    return is_owned(visit, access) or is_let_pass(access, visit.gateway)


def is_owned(visit: ClientContext, access: SeenAccess) -> bool:
    """Whether everything about this session may be shown to this visit, and done.

    Not so for one that walked here a moment ago on the gateway's word alone: until the gateway before has let go of it.
    """
    return access.id == visit.held or access.gateway_id == visit.gateway.id


def keeps_cookies() -> bool:
    """Whether this browser has sent a cookie of ours back; a captive window may keep none."""
    return bool(_cookie())


def gateways_here() -> list[Gateway]:
    """The gateways that this request may come through, by the address at the other end."""
    address = remote_address()
    return [] if address is None else services().places.by_address(address)


def kept_language() -> str | None:
    """The language that this browser chose on an earlier page."""
    chosen: str | None = _cookie().get("language")
    return chosen


def _browser() -> tuple[str, int | None]:
    """Its name, and the session that it has; without a cookie a new name."""
    if claims := _cookie():
        notes().has_cookie = True
        return str(claims["browser"]), claims.get("access")
    return secrets.token_urlsafe(12), None


def _of_messages(visit: ClientContext) -> dict[str, Any]:
    """What its tokens say of messages; nothing where there is nothing to say."""
    if not (visit.shown or visit.hidden):
        return {}
    told = {"shown": visit.shown, "hidden": list(visit.hidden)}
    return {name: value for name, value in told.items() if value}


def _said(claims: dict[str, Any]) -> dict[str, Any]:
    """Without those that say nothing: a token stands in each page many times."""
    return {name: value for name, value in claims.items() if value is not None}


def _together(first: Iterable[int], then: Iterable[int]) -> tuple[int, ...]:
    """Both without repetitions, the last ones where they are too many for a token."""
    return tuple(dict.fromkeys([*first, *then]))[-MOST_HIDDEN:]


def _cookie() -> dict[str, Any]:
    """What this browser's cookie says; nothing without one of ours."""
    noted = notes()
    if "cookie" not in noted:
        service, sealed = services(), this_request().cookies.get(cookie_name())
        try:
            noted.cookie = service.tokens.verify("browser", sealed or "", now=service.clock())
        except InvalidToken:
            noted.cookie = {}
    claims: dict[str, Any] = noted.cookie
    return claims


def _from_landing(token: str, browser: str) -> ClientContext:
    service = services()
    try:
        gateway = service.places.by_identity(landing_token.issuer(token))
        if gateway is None:
            raise InvalidToken("no such gateway")
        key = service.gateway_secrets.landing_key(gateway.credential_digest)
        landed = landing_token.verify(
            token, gateway=gateway.identity, key=key, now=service.clock().timestamp()
        )
    except ExpiredLanding as error:
        raise ExpiredToken from error
    except ForeignLanding as error:
        raise InvalidToken(str(error)) from error
    is_hearsay = landed.is_hearsay
    return _checked(
        ClientContext(
            gateway,
            landed.mac,
            landed.address,
            browser,
            service.clock(),
            is_proven=not is_hearsay,
            is_hearsay=is_hearsay,
        )
    )


def _from_visit(token: str, browser: str) -> ClientContext:
    service = services()
    claims = service.tokens.verify("visit", token, now=service.clock())
    gateway = service.places.by_identity(claims["gw"])
    if gateway is None:
        raise InvalidToken("its gateway is gone")
    address = read_address(claims["ip"])
    if address is None:
        raise InvalidToken("without an address")
    landed = claims.get("landed")
    visit = ClientContext(
        gateway,
        parse_mac(claims["mac"]),
        address,
        claims["browser"],
        datetime.fromtimestamp(landed, tz=UTC) if landed is not None else None,
        is_proven=claims["proven"],
        is_hearsay=claims.get("hearsay", False),
        stay=claims.get("stay"),
        shown=claims.get("shown"),
        hidden=tuple(claims.get("hidden", ())),
        offer=claims.get("offer"),
    )
    has_cookie = "has_cookie" in notes()
    is_own = has_cookie and visit.browser == browser
    if has_cookie and not is_own and remote_address() != visit.address:
        # A page of somebody else's browser was posted from this one. Another browser of the same device is none.
        raise ForeignClient
    age = service.clock() - datetime.fromtimestamp(claims["made"], tz=UTC)
    if age >= VISIT_LIFE and not _goes_on(visit, age, is_own=is_own):
        raise ExpiredToken
    return _checked(visit, is_own=is_own)


def _goes_on(visit: ClientContext, age: timedelta, *, is_own: bool) -> bool:
    """Whether something else agrees with a page's token that is no longer good by itself.

    Its session is open; or, for a day, it is still the same browser, or the same card behind the same address.
    """
    if visit.stay is not None:
        access = open_session(visit.gateway, visit.mac)
        if access is not None and access.id == visit.stay:
            return True
    if age >= COOKIE_LIFE:
        return False
    seen = seen_behind([visit.gateway], visit.address) if remote_address() == visit.address else None
    return is_own or (seen is not None and seen[1] == visit.mac)


def _from_network(browser: str) -> ClientContext | None:
    address = remote_address()
    if address is None:
        return None
    candidates = services().places.by_address(address)
    wanted = request.args.get("gateway")
    if wanted is not None:
        candidates = [gateway for gateway in candidates if gateway.identity == wanted]
    seen = seen_behind(candidates, address)
    if seen is None:
        return None
    gateway, mac = seen
    is_proven = gateway.capabilities.proves_addresses
    return ClientContext(gateway, mac, address, browser, services().clock(), is_proven=is_proven)


def _is_translated(gateway: Gateway, address: IpAddress | None) -> bool:
    """Whether all clients of this gateway come from this address: nobody else can have one of its tokens from there."""
    return gateway.capabilities.translates_addresses and str(address) in gateway.public_addresses


def _checked(visit: ClientContext, *, is_own: bool = False) -> ClientContext:
    """Refuse a token that another client sent than it names.

    A landing token passes through the air in clear: without this, whoever reads it could end its owner's session, from
    the Internet too. `is_own` says that the browser's cookie and the token were made for each other.
    """
    address = remote_address()
    if address == visit.address or _is_translated(visit.gateway, address):
        return visit
    if address is None or not visit.gateway.holds(address):
        raise ForeignClient
    # Another address of the same phone, the other family's or a new one of the same.
    mac = await_seen(visit.gateway, address)
    if mac is not None and mac != visit.mac:
        raise ForeignClient
    if mac is None and not is_own:
        # Until the gateway has said whose it is, it may see the first page.
        if address.version == visit.address.version or g.acts:
            raise ForeignClient
        return visit._replace(is_proven=False)
    return visit._replace(is_proven=True) if mac is not None and not visit.is_hearsay else visit
