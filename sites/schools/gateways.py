"""What the gateways at a school cannot keep of its record: the hours of its wifi, the resolver of its tablets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from sites.models import Gateway, Site, SiteKind
from sites.schools.models import ClassStop, SchoolLine
from sites.schools.timetable import WifiRule


@dataclass(frozen=True, slots=True)
class Unable:
    """A gateway that cannot switch its wifi though it has hours, or cannot keep tablets to their resolver."""

    gateway: Gateway
    keeps_wifi: bool
    keeps_resolver: bool


def unable(db: Session, site: str, *, wifi: WifiRule, is_resolved: bool) -> Iterator[Unable]:
    """The gateways at a place that cannot keep such a line."""
    there = select(Gateway).join(Site).where(Site.slug == site, ~Gateway.is_retired)
    for gateway in db.scalars(there.order_by(Gateway.identity)):
        able = gateway.capabilities
        keeps_wifi = wifi is WifiRule.ALWAYS or able.switches_radio
        keeps_resolver = not is_resolved or able.chooses_resolvers
        if not (keeps_wifi and keeps_resolver):
            yield Unable(gateway, keeps_wifi, keeps_resolver)


def unable_at(db: Session, site: str) -> Iterator[Unable]:
    """The same by what is recorded of the school; none where nothing is."""
    schools = select(SchoolLine).join(Site).where(Site.slug == site, Site.kind == SiteKind.SCHOOL)
    line = db.scalars(schools).one_or_none()
    if line is not None:
        has_class = db.scalar(select(exists().where(ClassStop.site_id == line.site_id)))
        yield from unable(db, site, wifi=line.wifi, is_resolved=bool(line.resolver or has_class))
