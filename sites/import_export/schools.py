"""Schools' lines, classes of tablets and tablets as records: the inventory of a town's schools.

A class's `stops` are the schools where it may be on, the one where it is kept first, each with its lessons there:
``ecole-a Mo,Th 08:30-11:30 | ecole-b Tu 13:30-16:30; SH off | ecole-c``.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from gateways.registry import names
from gateways.sentences import Sentence
from gateways.types import parse_mac
from sites import opening_hours
from sites.errors import ImportFault
from sites.import_export import cells
from sites.import_export.networks import MOST_KBPS
from sites.import_export.records import Change, Column, Records, Values
from sites.models import Gateway, Network, Site, SiteKind
from sites.schools.models import ClassStop, LineMedium, SchoolLine, Stage, Tablet, TabletClass, TabletState
from sites.schools.timetable import WifiRule

MOST_STOPS = 20


def _resolver(text: str) -> str:
    """One address, or nothing."""
    if not text.strip():
        return ""
    try:
        address = ipaddress.ip_address(text.strip())
    except ValueError as error:
        raise ValueError(Sentence("'%(text)s' is no address like 9.9.9.11", text=text[:45])) from error
    if address.is_unspecified or address.is_multicast or address.is_loopback or address.is_link_local:
        raise ValueError(
            Sentence("%(address)s is not the address of a resolver that devices can reach", address=address)
        )
    return str(address)


def _hours_or_none(text: str) -> str:
    return cells.opening_hours(text) if text.strip() else ""


def _stops(text: str) -> str:
    """Slugs, each with the lessons there, in the order of the text."""
    found: dict[str, str] = {}
    for part in text.split("|"):
        site, _, lessons = part.strip().partition(" ")
        site = cells.slug(site)
        if site in found:
            raise ValueError(Sentence("%(site)s is there twice", site=site))
        found[site] = _hours_or_none(lessons)
    if len(found) > MOST_STOPS:
        raise ValueError(
            Sentence("names %(count)s schools; at most %(most)s fit", count=len(found), most=MOST_STOPS)
        )
    return " | ".join(f"{site} {lessons}".strip() for site, lessons in found.items())


def read_stops(stops: str) -> dict[str, str]:
    """The lessons by the slug of the school, in order."""
    parts = (part.strip().partition(" ") for part in stops.split("|"))
    return {site: lessons for site, _, lessons in parts}


def _mac(text: str) -> str:
    # InvalidMac is a ValueError.
    return parse_mac(text)


LINE_COLUMNS = {
    "site": Column(cells.slug),
    "stage": Column(cells.word(Stage)),
    "medium": Column(cells.word(LineMedium)),
    "line_down_kbps": Column(cells.whole(0, MOST_KBPS), 0),
    "line_up_kbps": Column(cells.whole(0, MOST_KBPS), 0),
    "works_on": Column(cells.day, None),
    "resolver": Column(_resolver, ""),
    "wifi": Column(cells.word(WifiRule), WifiRule.CLASSES),
    "wifi_hours": Column(_hours_or_none, ""),
}
CLASS_COLUMNS = {
    "slug": Column(cells.slug),
    "name": Column(cells.line_of_text(120, needed=True)),
    "network": Column(cells.slug),
    "stops": Column(_stops),
    "rate_down_kbps": Column(cells.whole_or_none(0, MOST_KBPS), None),
    "rate_up_kbps": Column(cells.whole_or_none(0, MOST_KBPS), None),
    "retired": Column(cells.yes_or_no, False),
    "note": Column(cells.lines_of_text(10_000), ""),
}
TABLET_COLUMNS = {
    "slug": Column(cells.slug),
    "class": Column(cells.slug),
    "mac": Column(_mac),
    "serial": Column(cells.line_of_text(60), ""),
    "model": Column(cells.line_of_text(80), ""),
    "bought_on": Column(cells.day, None),
    "state": Column(cells.word(TabletState), TabletState.IN_USE),
    "note": Column(cells.lines_of_text(10_000), ""),
}


def _line_names(_current: Mapping[str, Values]) -> Sequence[str]:
    return list(LINE_COLUMNS)


def _class_names(_current: Mapping[str, Values]) -> Sequence[str]:
    return list(CLASS_COLUMNS)


def _tablet_names(_current: Mapping[str, Values]) -> Sequence[str]:
    return list(TABLET_COLUMNS)


def _lines(db: Session) -> dict[str, SchoolLine]:
    rows = db.scalars(select(SchoolLine).options(joinedload(SchoolLine.site)))
    return {line.site.slug: line for line in rows}


def _current_lines(db: Session) -> dict[str, Values]:
    return {
        slug: {name: getattr(line, name) for name in LINE_COLUMNS if name != "site"} | {"site": slug}
        for slug, line in _lines(db).items()
    }


def _judge_lines(db: Session, changes: Sequence[Change]) -> Iterator[ImportFault]:
    sites = {site.slug: site for site in db.scalars(select(Site))}
    kept = select(Site.slug).join(ClassStop, ClassStop.site_id == Site.id).where(ClassStop.position == 0)
    homes = set(db.scalars(kept))
    for change in changes:
        after, site = change.after, sites.get(change.key)
        if site is None:
            yield ImportFault(change.where, "site", Sentence("there is no site %(site)s", site=change.key))
        elif site.kind is not SiteKind.SCHOOL:
            yield ImportFault(
                change.where,
                "site",
                Sentence(
                    "%(site)s is no school",
                    site=change.key,
                ),
            )
        if after["wifi"] is WifiRule.ALWAYS and after["stage"].is_primary:
            reason = Sentence(
                "always: in primary schools the wifi is off while it is not used (law 2015-136, article "
                "7): classes or hours"
            )
            yield ImportFault(change.where, "wifi", reason)
        if after["wifi"] is WifiRule.HOURS and not after["wifi_hours"]:
            yield ImportFault(change.where, "wifi_hours", Sentence("is empty, and wifi is hours: which?"))
        if site is not None:
            yield from _school_holidays(change.where, "wifi_hours", site, after["wifi_hours"])
        if not after["resolver"] and change.key in homes:
            reason = Sentence(
                "is empty, and a class of tablets is kept here: which resolver may its tablets ask?"
            )
            yield ImportFault(change.where, "resolver", reason)


def _school_holidays(where: str, column: str, site: Site, hours: str) -> Iterator[ImportFault]:
    if hours and opening_hours.parse(hours).names_school and not site.school_zone:
        reason = Sentence(
            "names SH, and site %(site)s does not say whose school holidays: school_zone is empty",
            site=site.slug,
        )
        yield ImportFault(where, column, reason)


def _write_lines(db: Session, changes: Sequence[Change]) -> dict[str, str]:
    sites = {site.slug: site for site in db.scalars(select(Site))}
    known = _lines(db)
    for change in changes:
        line = known.get(change.key) or SchoolLine(site=sites[change.key])
        for name in LINE_COLUMNS:
            if name != "site":
                setattr(line, name, change.after[name])
        db.add(line)
    return {}


def _classes(db: Session) -> dict[str, TabletClass]:
    whole = (
        joinedload(TabletClass.network),
        selectinload(TabletClass.stops).joinedload(ClassStop.site),
    )
    return {each.slug: each for each in db.scalars(select(TabletClass).options(*whole))}


def _current_classes(db: Session) -> dict[str, Values]:
    return {slug: _class_values(each) for slug, each in _classes(db).items()}


def _class_values(each: TabletClass) -> Values:
    stops = " | ".join(f"{stop.site.slug} {stop.lessons}".strip() for stop in each.stops)
    values = {name: getattr(each, name) for name in CLASS_COLUMNS if name not in ("network", "stops")}
    return values | {"network": each.network.slug, "stops": stops}


def _judge_classes(db: Session, changes: Sequence[Change]) -> Iterator[ImportFault]:
    networks = set(db.scalars(select(Network.slug)))
    sites = {site.slug: site for site in db.scalars(select(Site).options(selectinload(Site.networks)))}
    resolved = {slug for slug, line in _lines(db).items() if line.resolver}
    unfit = _unfit_gateways(db)
    for change in changes:
        network = change.after["network"]
        if network not in networks:
            known = ", ".join(sorted(networks)) or "none"
            yield ImportFault(
                change.where,
                "network",
                Sentence(
                    "there is no network %(network)s; there are: %(known)s", network=network, known=known
                ),
            )
            continue
        for position, (slug, lessons) in enumerate(read_stops(change.after["stops"]).items()):
            site = sites.get(slug)
            if site is None:
                yield ImportFault(change.where, "stops", Sentence("there is no site %(slug)s", slug=slug))
                continue
            yield from _judge_stop(change, site, network, lessons)
            if position == 0 and slug not in resolved:
                reason = Sentence(
                    "%(slug)s, where the class is kept, names no resolver: its row of school lines comes first",
                    slug=slug,
                )
                yield ImportFault(change.where, "stops", reason)
            for gateway in unfit.get((slug, network), ()):
                reason = Sentence(
                    "gateway %(gateway)s at %(slug)s cannot keep a class to one resolver",
                    gateway=gateway,
                    slug=slug,
                )
                yield ImportFault(change.where, "stops", reason)


def _judge_stop(change: Change, site: Site, network: str, lessons: str) -> Iterator[ImportFault]:
    if site.kind is not SiteKind.SCHOOL:
        yield ImportFault(
            change.where,
            "stops",
            Sentence(
                "%(site)s is no school",
                site=site.slug,
            ),
        )
    elif network not in [offered.slug for offered in site.networks]:
        yield ImportFault(
            change.where,
            "stops",
            Sentence("site %(site)s does not offer network %(network)s", site=site.slug, network=network),
        )
    yield from _school_holidays(change.where, "stops", site, lessons)


def _unfit_gateways(db: Session) -> dict[tuple[str, str], list[str]]:
    """By site and network, the gateways that cannot keep a device to one resolver."""
    found: dict[tuple[str, str], list[str]] = {}
    rows = select(Gateway.identity, Site.slug, Network.slug.label("network")).select_from(Gateway)
    fit = Gateway.kind.in_(names(lambda kind: kind.chooses_resolvers))
    for row in db.execute(rows.join(Site).join(Network).where(~fit).order_by(Gateway.identity)):
        found.setdefault((row.slug, row.network), []).append(row.identity)
    return found


def _write_classes(db: Session, changes: Sequence[Change]) -> dict[str, str]:
    networks = {network.slug: network for network in db.scalars(select(Network))}
    sites = {site.slug: site for site in db.scalars(select(Site))}
    known = _classes(db)
    for change in changes:
        each = known.get(change.key) or TabletClass()
        for name in CLASS_COLUMNS:
            if name not in ("network", "stops"):
                setattr(each, name, change.after[name])
        each.network = networks[change.after["network"]]
        there = {stop.site.slug: stop for stop in each.stops}
        stops = []
        for position, (slug, lessons) in enumerate(read_stops(change.after["stops"]).items()):
            stop = there.get(slug) or ClassStop(site=sites[slug])
            stop.position, stop.lessons = position, lessons
            stops.append(stop)
        each.stops = stops
        db.add(each)
    return {}


def _tablets(db: Session) -> dict[str, Tablet]:
    rows = db.scalars(select(Tablet).options(joinedload(Tablet.tablet_class)))
    return {tablet.slug: tablet for tablet in rows}


def _current_tablets(db: Session) -> dict[str, Values]:
    return {
        slug: {name: getattr(tablet, name) for name in TABLET_COLUMNS if name != "class"}
        | {"class": tablet.tablet_class.slug}
        for slug, tablet in _tablets(db).items()
    }


def _judge_tablets(db: Session, changes: Sequence[Change]) -> Iterator[ImportFault]:
    """A MAC address is one tablet's: the later row of the file is told."""
    classes = set(db.scalars(select(TabletClass.slug)))
    holders = {tablet.mac: slug for slug, tablet in _tablets(db).items()}
    renamed = {change.key for change in changes}
    final = {mac: slug for mac, slug in holders.items() if slug not in renamed}
    for change in changes:
        if change.after["class"] not in classes:
            yield ImportFault(
                change.where, "class", Sentence("there is no class %(name)s", name=change.after["class"])
            )
        holder = final.setdefault(change.after["mac"], change.key)
        if holder != change.key:
            yield ImportFault(
                change.where,
                "mac",
                Sentence("%(mac)s is %(holder)s's already", mac=change.after["mac"], holder=holder),
            )


def _write_tablets(db: Session, changes: Sequence[Change]) -> dict[str, str]:
    classes = {each.slug: each for each in db.scalars(select(TabletClass))}
    known = _tablets(db)
    moved = [known[change.key] for change in changes if change.key in known]
    for number, tablet in enumerate(moved):
        # Two tablets that change addresses with each other hold neither for a moment.
        tablet.mac = f"moving-{number}"[:17]
    db.flush()
    for change in changes:
        tablet = known.get(change.key) or Tablet()
        for name in TABLET_COLUMNS:
            if name != "class":
                setattr(tablet, name, change.after[name])
        tablet.tablet_class = classes[change.after["class"]]
        db.add(tablet)
    return {}


SCHOOL_LINES = Records(
    "school-lines", "site", LINE_COLUMNS.get, _line_names, _current_lines, _judge_lines, _write_lines
)
TABLET_CLASSES = Records(
    "classes", "slug", CLASS_COLUMNS.get, _class_names, _current_classes, _judge_classes, _write_classes
)
TABLETS = Records(
    "tablets", "slug", TABLET_COLUMNS.get, _tablet_names, _current_tablets, _judge_tablets, _write_tablets
)
