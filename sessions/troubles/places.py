"""How the wifi is at each place, as far as it is measured: out of order since, or slowed since, for whoever asks.

Out of order: no gateway that guests come through there answers or has a way to the Internet. Slowed: some of them do
not; or one is behind or drifts, or reports another fault; or most devices that load a lot get less than half of the
rate wanted; or the portal itself turns away more people than usual.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from sessions.troubles import kinds
from sessions.troubles.models import Trouble
from sites.directory import Measured
from sites.models import Gateway, Network, Site

DOWN = {kinds.GATEWAY_SILENT.name, kinds.GATEWAY_CUT_OFF.name}
SLOWED = {
    kinds.GATEWAY_FAULTY.name,
    kinds.GATEWAY_DRIFTING.name,
    kinds.GATEWAY_BEHIND.name,
    kinds.SITE_SLOW.name,
}


def measured(db: Session) -> Mapping[str, Measured]:
    """The sites that are out of order or slowed, by their slugs; all others work."""
    lasting = db.scalars(select(Trouble).where(Trouble.over_at.is_(None))).all()
    down: dict[str, list[datetime]] = {}
    slowed: dict[str, list[datetime]] = {}
    guests = _gateways_of_guests(db)
    for one in lasting:
        site = str(one.detail.get("site_slug", ""))
        if one.kind in DOWN and one.subject in guests:
            down.setdefault(site, []).append(one.since)
        elif one.kind in SLOWED:
            slowed.setdefault(site, []).append(one.since)
        elif one.kind == kinds.REFUSALS.name and one.detail.get("is_ours"):
            for slug in _sites_of(db, one.networks):
                slowed.setdefault(slug, []).append(one.since)
    gateways = Counter(guests.values())
    return {
        site: Measured(
            down_since=max(down[site]) if len(down.get(site, ())) >= gateways[site] > 0 else None,
            slowed_since=min([*down.get(site, ()), *slowed.get(site, ())]),
        )
        for site in down.keys() | slowed.keys()
    }


def interruptions(db: Session, site: str, *, since: datetime) -> list[tuple[datetime, datetime]]:
    """When a gateway of guests' did not answer there or had no way to the Internet, and is back: the latest first."""
    over = select(Trouble).where(Trouble.kind.in_(DOWN), Trouble.over_at >= since)
    guests = _gateways_of_guests(db)
    found = [
        one
        for one in db.scalars(over.order_by(Trouble.over_at.desc()))
        if guests.get(one.subject) == site and one.over_at
    ]
    return [(one.since, one.over_at) for one in found if one.over_at]


def _gateways_of_guests(db: Session) -> dict[str, str]:
    """The site of each gateway whose network lets guests in, by the gateway's name."""
    every = db.scalars(select(Gateway).options(joinedload(Gateway.site), joinedload(Gateway.network)))
    return {one.identity: one.site.slug for one in every if one.network.guest_methods}


def _sites_of(db: Session, networks: list[str]) -> list[str]:
    return list(db.scalars(select(Site.slug).where(Site.networks.any(Network.slug.in_(networks)))))
