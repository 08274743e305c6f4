"""The town in which it all happened: every live site of the demo town with its gateway."""

from __future__ import annotations

import hashlib
import ipaddress
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from ads.demo import load_announcements
from ads.models import Creative
from gateways.landing_token import credential_digest
from lab.history.habits import Place
from sites.demo.town import load_demo
from sites.limits import rates
from sites.models import Gateway, Network, NetworkKind, Site, SiteState

# A /22 for each gateway: room for a thousand clients.
_FIRST = ipaddress.IPv4Address("10.96.0.10")
_PUBLIC = ipaddress.IPv4Address("198.51.100.1")


def settle(db: Session, *, now: datetime) -> list[Place]:
    """Put the demo town there where it is missing, and a gateway at each live site that has none."""
    load_demo(db, now=now)
    load_announcements(db, now=now)
    live = select(Site).where(Site.state == SiteState.LIVE).order_by(Site.id)
    pairs = [
        (site, network)
        for site in db.scalars(live.options(selectinload(Site.networks)))
        for network in site.networks
    ]
    return [_place(db, number, site, network) for number, (site, network) in enumerate(pairs)]


def creatives(db: Session) -> list[int]:
    return list(db.scalars(select(Creative.id).order_by(Creative.id)))


def _place(db: Session, number: int, site: Site, network: Network) -> Place:
    first = _FIRST + number * 1024
    here = (Gateway.site_id == site.id, Gateway.network_id == network.id)
    gateway = db.scalars(select(Gateway).where(*here).order_by(Gateway.id)).first()
    if gateway is None:
        gateway = _gateway(site, network, str(ipaddress.ip_network((int(first) & ~1023, 22))))
        db.add(gateway)
        db.flush()
    rate = rates(site, network)
    terms = network.terms.get("fr", "")
    is_library = network.kind is NetworkKind.LIBRARY
    return Place(
        gateway_id=gateway.id,
        site_id=site.id,
        network_id=network.id,
        kind=site.kind,
        is_library=is_library,
        lease_seconds=network.lease_seconds if site.lease_seconds is None else site.lease_seconds,
        idle_seconds=network.idle_seconds,
        rates=(rate.down_kbps, rate.up_kbps),
        terms=(network.terms_version, hashlib.sha256(terms.encode()).hexdigest()),
        zone=ZoneInfo(site.zone),
        opening=site.opening_hours if is_library else "",
        prefix=str(first).rsplit(".", 2)[0] + ".",
        first_host=int(first) & 0xFFFF,
        public_address=str(_PUBLIC + number % 250),
    )


def _gateway(site: Site, network: Network, prefix: str) -> Gateway:
    identity = f"past-{site.slug}-{network.slug}"[:64]
    return Gateway(
        identity=identity,
        kind="nftables",
        # Of a credential that nobody has.
        credential_digest=credential_digest(f"nobody's, of {identity}"),
        site=site,
        network=network,
        client_prefixes=[prefix],
    )
