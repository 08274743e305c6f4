"""Which client is asking, and how we know.

Identity comes from the gateway's signed landing token, from a token of our own that began with one, or from the
network itself: the address at the other end, where a gateway has said whose it is. Never from a bare parameter.
"""

from __future__ import annotations

import ipaddress
import secrets
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from flask import g, request
from sqlalchemy import bindparam, select
from werkzeug.wrappers import Response as AnyResponse

from auth.tokens import InvalidToken
from db.engine import reading
from gateways import landing
from gateways.ports import Client, IpAddress, MacAddress, parse_mac
from portal.peer import read_address
from portal.services import services
from sessions.models import AccessSession, Sighting
from sites.models import Gateway

Answer = TypeVar("Answer", bound=AnyResponse)
VISIT_LIFE = timedelta(minutes=30)
COOKIE_LIFE = timedelta(hours=24)


class ForeignVisit(Exception):
    """The token speaks of another client than the one that sent it."""


@dataclass(frozen=True, slots=True)
class Visit:
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

    @property
    def client(self) -> Client:
        return Client(self.mac, (self.address,))

    @property
    def token(self) -> str:
        """The visit, sealed for the next form or link."""
        claims = {
            "gw": self.gateway.identity,
            "mac": self.mac,
            "ip": str(self.address),
            "browser": self.browser,
            "landed": int(self.landed_at.timestamp()) if self.landed_at else None,
        }
        service = services()
        return service.tokens.seal("visit", claims, now=service.clock(), life=VISIT_LIFE)


def landed(visit: Visit) -> Visit:
    """The visit of somebody who is at the first page now, perhaps again."""
    g.visit = replace(visit, landed_at=services().clock())
    seen: Visit = g.visit
    return seen


def cookie_name() -> str:
    return "__Host-arobase" if services().settings.is_https else "arobase"


def current() -> Visit | None:
    """The visit of this request, from the best evidence there is; None for somebody who is not behind a gateway.

    Raises `ForeignVisit` where a token names another client, `gateways.landing.ForeignLanding` for a landing token
    that is not good, `InvalidToken` for a visit token that is not.
    """
    browser, held = _browser()
    visit: Visit | None
    if token := request.args.get("landing"):
        visit = _from_landing(token, browser)
    elif token := request.values.get("visit"):
        visit = _from_visit(token, browser)
    else:
        visit = _from_network(browser)
    g.visit = None if visit is None else replace(visit, held=held)
    seen: Visit | None = g.visit
    return seen


def remember(response: Answer, visit: Visit, *, access_id: int | None) -> Answer:
    """Keep the browser's name, and the session it has, in a cookie. Everything works without it."""
    service = services()
    claims = {"browser": visit.browser, "access": access_id}
    sealed = service.tokens.seal("browser", claims, now=service.clock(), life=COOKIE_LIFE)
    response.set_cookie(
        cookie_name(),
        sealed,
        max_age=int(COOKIE_LIFE.total_seconds()),
        path="/",
        secure=service.settings.is_https,
        httponly=True,
        samesite="Lax",
    )
    return response


def forget(response: Answer) -> Answer:
    response.delete_cookie(cookie_name(), path="/", secure=services().settings.is_https, httponly=True)
    return response


def peer() -> IpAddress | None:
    """The address at the other end of the connection."""
    return read_address(request.remote_addr or "")


def access_of(visit: Visit) -> AccessSession | None:
    """The open access session of this client on this gateway's network."""
    service = services()
    now = service.clock()
    here = {"network": visit.gateway.network_id, "client": visit.mac, "at": now}
    with reading(service.make_session) as db:
        access: AccessSession | None = db.scalars(_ONLINE, here).first()
        return access


_ONLINE = select(AccessSession).where(
    AccessSession.network_id == bindparam("network"),
    AccessSession.mac == bindparam("client"),
    AccessSession.ended_at.is_(None),
    AccessSession.until > bindparam("at"),
)


def gateways_here() -> list[Gateway]:
    """The gateways that this request may come through, by the address at the other end."""
    address = peer()
    return [] if address is None else services().places.by_address(address)


def _browser() -> tuple[str, int | None]:
    service = services()
    sealed = request.cookies.get(cookie_name())
    if sealed:
        try:
            claims = service.tokens.unseal("browser", sealed, now=service.clock())
        except InvalidToken:
            pass
        else:
            g.has_cookie = True
            return str(claims["browser"]), claims.get("access")
    return secrets.token_urlsafe(12), None


def _from_landing(token: str, browser: str) -> Visit:
    service = services()
    gateway = service.places.by_identity(landing.issuer(token))
    if gateway is None:
        raise landing.ForeignLanding("no such gateway")
    key = landing.signing_key(gateway.credential_digest)
    landed = landing.verify(token, gateway=gateway.identity, key=key, now=service.clock().timestamp())
    return _checked(Visit(gateway, landed.mac, landed.address, browser, service.clock()))


def _from_visit(token: str, browser: str) -> Visit:
    service = services()
    claims = service.tokens.unseal("visit", token, now=service.clock())
    gateway = service.places.by_identity(claims["gw"])
    if gateway is None:
        raise InvalidToken("its gateway is gone")
    if g.get("has_cookie") and claims["browser"] != browser:
        # A page of somebody else's browser was posted from this one.
        raise ForeignVisit
    mac, address = parse_mac(claims["mac"]), ipaddress.ip_address(claims["ip"])
    landed = claims.get("landed")
    landed_at = datetime.fromtimestamp(landed, tz=UTC) if landed is not None else None
    return _checked(Visit(gateway, mac, address, claims["browser"], landed_at))


def _from_network(browser: str) -> Visit | None:
    address = peer()
    if address is None:
        return None
    candidates = services().places.by_address(address)
    wanted = request.args.get("gateway")
    if wanted is not None:
        candidates = [gateway for gateway in candidates if gateway.identity == wanted]
    seen = seen_behind(candidates, address)
    return None if seen is None else Visit(seen[0], seen[1], address, browser, services().clock())


def seen_behind(candidates: list[Gateway], address: IpAddress) -> tuple[Gateway, MacAddress] | None:
    """Which of these gateways saw `address` last, and whose it is there; None where that is not one answer."""
    if not candidates:
        return None
    by_id = {gateway.id: gateway for gateway in candidates}
    with reading(services().make_session) as db:
        sightings = db.scalars(
            select(Sighting).where(Sighting.gateway_id.in_(by_id), Sighting.address == str(address))
        ).all()
    if len(sightings) != 1:
        return None
    return by_id[sightings[0].gateway_id], MacAddress(sightings[0].mac)


def _checked(visit: Visit) -> Visit:
    """Refuse a token that another client sent than it names, where the portal can see its clients' addresses.

    A landing token passes through the air in clear: without this, whoever reads it could end its owner's session.
    """
    address, here = peer(), gateways_here()
    if address is None or address == visit.address or not here:
        return visit
    if address.version == visit.address.version or visit.gateway.id not in {gateway.id for gateway in here}:
        raise ForeignVisit
    # The other family of a phone that has both. Until the gateway has said whose it is, it may look and not act.
    seen = seen_behind([visit.gateway], address)
    if seen is None and request.method in ("GET", "HEAD"):
        return visit
    if seen is None or seen[1] != visit.mac:
        raise ForeignVisit
    return visit
