"""Classes of tablets: switched on and off by a person, and which tablets are to be online now."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterator
from datetime import datetime, timedelta

from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session, joinedload, selectinload

from auth.audit import log
from auth.audit.actions import CLASS_SWITCHED_OFF, CLASS_SWITCHED_ON, AuditAction, ObjectKind
from auth.audit.actor import Actor
from auth.managed import Managed, may_serve
from gateways.types import MacAddress
from sites.limits import state_at
from sites.models import Gateway, Network, Site, SiteState
from sites.schools.models import ClassStop, SchoolLine, Tablet, TabletClass, TabletState
from sites.schools.timetable import Press, state_of, switched_off, switched_on


class UnknownStop(LookupError):
    """The class does not come to this school."""


def find(db: Session, slug: str) -> TabletClass | None:
    """A class that is in use, with its schools and its tablets."""
    return db.scalars(_whole().where(TabletClass.slug == slug)).first()


def every(db: Session) -> list[TabletClass]:
    """All classes in use, by name."""
    return list(db.scalars(_whole().order_by(TabletClass.name, TabletClass.slug)))


def names(db: Session) -> list[tuple[str, str]]:
    """The slug and the name of each class, those that are no longer used included, by name."""
    found = select(TabletClass.slug, TabletClass.name).order_by(TabletClass.name, TabletClass.slug)
    return [(row.slug, row.name) for row in db.execute(found)]


def served(db: Session) -> set[tuple[int, int]]:
    """Site and network of each gateway that lets the tablets of a class in."""
    found = select(Gateway).where(~Gateway.is_retired).options(joinedload(Gateway.network))
    able = [one for one in db.scalars(found) if may_serve(one, is_restricted=False, has_resolver=True)]
    return {(gateway.site_id, gateway.network_id) for gateway in able}


def unserved_schools(db: Session, network: str, slugs: Collection[str]) -> list[str]:
    """The names of those of these schools at which no gateway of the network lets the tablets of a class in."""
    there = served(db)
    network_id = db.scalar(select(Network.id).where(Network.slug == network))
    rows = db.execute(select(Site.id, Site.name).where(Site.slug.in_(slugs)).order_by(Site.name))
    return [row.name for row in rows if (row.id, network_id) not in there]


def switch_on(
    db: Session,
    tablets: TabletClass,
    *,
    site: str,
    length: timedelta,
    by: str,
    actor: Actor,
    now: datetime,
) -> Press:
    """Have a class on at one of its schools for so long, at most to the end of the day. `by` is who is shown.

    Raises `UnknownStop` and `timetable.UnofferedLength`.
    """
    stop = next((one for one in tablets.stops if one.site.slug == site), None)
    if stop is None:
        raise UnknownStop(site)
    press = switched_on(stop.stop, length, now, by)
    _write(db, tablets, press, stop.site_id)
    _append(db, CLASS_SWITCHED_ON, tablets, press, actor)
    return press


def switch_off(db: Session, tablets: TabletClass, *, by: str, actor: Actor, now: datetime) -> Press:
    """Have a class off now, and for the rest of the lesson that runs."""
    press = switched_off(tablets.timetable, now, by)
    _write(db, tablets, press, None)
    _append(db, CLASS_SWITCHED_OFF, tablets, press, actor)
    return press


def forget(db: Session, *, before: datetime) -> None:
    """Forget what was pressed, when and by whom, where it was over before this instant. The audit log keeps it."""
    empty = {"switched_on": None, "switched_at": None, "switched_until": None, "switched_site_id": None}
    over = update(TabletClass).where(TabletClass.switched_until < before)
    db.execute(over.values(switched_by="", **empty).execution_options(synchronize_session=False))


def in_use(tablets: TabletClass) -> list[Tablet]:
    """The tablets that go online with their class: not those in repair, lost or retired."""
    return [one for one in tablets.tablets if one.state is TabletState.IN_USE]


def wanted(db: Session, now: datetime) -> Iterator[Managed]:
    """The tablets of the classes that are on now, at all gateways of the schools where each may be.

    Their DNS goes to the resolver of the school where the class is kept; a class without one comes on nowhere.
    """
    running = [(each, state_of(each.timetable, each.press, now)) for each in every(db)]
    running = [(each, state) for each, state in running if state.on]
    resolvers = _resolvers(db, {each.stops[0].site_id for each, _ in running if each.stops})
    doors = _gateways(db, {stop.site_id for each, _ in running for stop in each.stops})
    for each, state in running:
        resolver = resolvers.get(each.stops[0].site_id, "")
        there = [stop.site_id for stop in each.stops if _is_in_service(stop.site, now)]
        gateways = frozenset(door for site in there for door in doors.get((site, each.network_id), ()))
        if not resolver or not gateways:
            continue
        for tablet in in_use(each):
            yield Managed(
                subject=f"tablet:{tablet.id}",
                mac=MacAddress(tablet.mac),
                gateway_ids=gateways,
                until=state.until,
                rate_down_kbps=each.rate_down_kbps,
                rate_up_kbps=each.rate_up_kbps,
                resolver=ipaddress.ip_address(resolver),
            )


def _resolvers(db: Session, site_ids: Collection[int]) -> dict[int, str]:
    found = select(SchoolLine.site_id, SchoolLine.resolver).where(SchoolLine.site_id.in_(sorted(site_ids)))
    return {row.site_id: row.resolver for row in db.execute(found)}


def _gateways(db: Session, site_ids: Collection[int]) -> dict[tuple[int, int], list[int]]:
    """The gateways at these places, by place and network."""
    rows = select(Gateway.id, Gateway.site_id, Gateway.network_id).where(
        Gateway.site_id.in_(sorted(site_ids))
    )
    found: dict[tuple[int, int], list[int]] = {}
    for row in db.execute(rows):
        found.setdefault((row.site_id, row.network_id), []).append(row.id)
    return found


def _is_in_service(site: Site, now: datetime) -> bool:
    return state_at(site, now) in (SiteState.LIVE, SiteState.OUTAGE)


def _write(db: Session, tablets: TabletClass, press: Press, site_id: int | None) -> None:
    tablets.switched_on, tablets.switched_at, tablets.switched_until = press.on, press.at, press.until
    tablets.switched_by, tablets.switched_site_id = press.by[:120], site_id
    db.flush()


def _append(db: Session, action: AuditAction, tablets: TabletClass, press: Press, actor: Actor) -> None:
    detail: dict[str, str | int] = {"tablets": len(in_use(tablets))}
    if press.on:
        detail |= {"site": press.site, "ends_at": press.until.isoformat()}
    name, network = ObjectKind.CLASS.named(tablets.slug), tablets.network.slug
    log.append(db, action, name, actor=actor, detail=detail, network=network, now=press.at)


def _whole() -> Select[TabletClass]:
    return (
        select(TabletClass)
        .where(TabletClass.retired.is_(False))
        .options(
            joinedload(TabletClass.network),
            selectinload(TabletClass.stops).joinedload(ClassStop.site),
            selectinload(TabletClass.tablets),
        )
        .execution_options(populate_existing=True)
    )
