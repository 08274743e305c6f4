"""Networks and sites, found by their name and listed."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from sites.models import Network, Site, SiteKind, SiteState


def network_by_slug(db: Session, slug: str) -> Network | None:
    return db.scalars(select(Network).where(Network.slug == slug)).first()


def networks(db: Session, *, slugs: Collection[str] | None = None) -> list[Network]:
    """The networks by name: all, or those of `slugs`."""
    found = select(Network).order_by(Network.name)
    return list(db.scalars(found if slugs is None else found.where(Network.slug.in_(sorted(slugs)))))


def site_by_slug(db: Session, slug: str) -> Site | None:
    """The site with its networks."""
    return db.scalars(select(Site).where(Site.slug == slug).options(selectinload(Site.networks))).first()


def sites(db: Session, *, network_ids: Collection[int] | None = None) -> list[Site]:
    """The sites by name: all, or those that offer one of the networks."""
    found = select(Site).order_by(Site.name)
    if network_ids is not None:
        found = found.where(Site.networks.any(Network.id.in_(sorted(network_ids))))
    return list(db.scalars(found))


def next_works(db: Session, *, now: datetime, networks: Collection[str] = ()) -> Site | None:
    """The site whose planned outage or closure begins next, of these networks (slugs; none named: all)."""
    found = select(Site).where(
        Site.state.in_([SiteState.OUTAGE, SiteState.CLOSED]),
        Site.state_since.is_not(None),
        Site.state_since > now,
    )
    if networks:
        found = found.where(Site.networks.any(Network.slug.in_(sorted(networks))))
    return db.scalars(found.order_by(Site.state_since, Site.slug)).first()


def site_names(db: Session) -> dict[str, str]:
    """The name of each site by its slug."""
    return {row.slug: row.name for row in db.execute(select(Site.slug, Site.name))}


def schools(db: Session) -> list[tuple[str, str]]:
    """The slug and the name of each school, by name."""
    found = select(Site.slug, Site.name).where(Site.kind == SiteKind.SCHOOL).order_by(Site.name, Site.slug)
    return [(row.slug, row.name) for row in db.execute(found)]
