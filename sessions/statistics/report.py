"""The numbers of a usage report, from the figures that are kept. Reads, and knows no words."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import Text, func, select, type_coerce
from sqlalchemy.orm import Session

from db.base import Json
from db.statements import table_of
from sessions.statistics import months
from sessions.statistics.calendar import DAY, first_of_month
from sessions.statistics.definitions import VERSION
from sessions.statistics.models import DayFigures, FigureDay
from sessions.statistics.periods import Period
from sessions.statistics.service import Pair
from sessions.statistics.sketch import Sketch, merged
from sessions.statistics.suppression import Disclosure, Protected, protect
from sessions.statistics.tally import Tally
from sites.directory import alphabetical
from sites.models import Network, Site

Ads = Mapping[Pair, int]
ReadAds = Callable[[Period], Ads]


@dataclass(slots=True)
class Part:
    """A site of a network, a network, or everything: the figures of the period, and of the one before.

    `devices` are unique devices by month, as far as they can be known: for whole months, and for a part of a month
    that is not closed yet. They add up to no number of people.
    """

    name: str
    slug: str
    now: Tally = field(default_factory=Tally)
    before: Tally = field(default_factory=Tally)
    devices: dict[date, int] = field(default_factory=dict)
    devices_before: dict[date, int] = field(default_factory=dict)
    shown: Disclosure = Disclosure.OPENLY

    @property
    def at_least(self) -> int:
        """How many devices were there at least: what the suppression of small counts goes by."""
        return max([self.now.most_devices, int(self.now.is_used), *self.devices.values()])


@dataclass(slots=True)
class NetworkPart:
    """A network, and its sites by name."""

    whole: Part
    sites: list[Part]


@dataclass(frozen=True, slots=True)
class Spans:
    """What of a period has its figures, `known`, and the stretch before that these are compared with."""

    known: Period
    before: Period
    days_made: int
    days_made_before: int


@dataclass(slots=True)
class Report:
    """All numbers of a report. `digest` is that of the kept figures behind it: equal figures, equal digest."""

    period: Period
    spans: Spans
    whole: Part
    networks: list[NetworkPart]
    versions: list[str]
    digest: str
    last_made: date | None
    zone: str
    sites_in_service: int

    @property
    def days_made(self) -> int:
        return self.spans.days_made

    @property
    def is_complete(self) -> bool:
        return self.days_made == self.period.days

    @property
    def is_comparable(self) -> bool:
        """Whether every day of the stretch before has its figures."""
        return self.spans.days_made_before == self.spans.before.days

    @property
    def days_ratio(self) -> float:
        """How many days there are for each day before: 1, but where whole months of unequal lengths are compared."""
        return self.spans.known.days / self.spans.before.days


def spans_of(db: Session, period: Period) -> Spans:
    """The days of this period that have their figures, and those that they are compared with."""
    first, last, made = db.execute(
        select(func.min(FigureDay.day), func.max(FigureDay.day), func.count()).where(
            FigureDay.day >= period.first, FigureDay.day <= period.last
        )
    ).one()
    known = Period(first, last) if made else period
    before = period.before(known)
    return Spans(known, before, made, _days_made(db, before))


def load(db: Session, period: Period, *, networks: frozenset[str], ads: ReadAds) -> Report:
    """The report on `period`; with `networks`, on these alone. `ads` gives the accepted messages of a span."""
    pairs = _pairs(db, networks)
    report = _empty(db, period, pairs)
    known, before = report.spans.known, report.spans.before
    parts = _parts(report, pairs)
    digest = hashlib.sha256()
    for row in _rows(db, known, pairs):
        digest.update("\x1f".join(map(str, row)).encode() + b"\n")
        parts[row.network_id, row.site_id][0].now.add(row)
    for row in _rows(db, before, pairs):
        parts[row.network_id, row.site_id][0].before.add(row)
    ads_now, ads_before = ads(known), ads(before)
    for pair, (own, *above) in parts.items():
        own.now.ads, own.before.ads = ads_now.get(pair, 0), ads_before.get(pair, 0)
        for part in above:
            part.now.merge(own.now)
            part.before.merge(own.before)
    digest.update(json.dumps([[*pair, ads_now[pair]] for pair in sorted(ads_now) if pair in pairs]).encode())
    report.digest = digest.hexdigest()
    _count_devices(db, known, parts, previous=False)
    _count_devices(db, before, parts, previous=True)
    _leave_out_the_idle(report)
    _protect(report)
    return report


def _pairs(db: Session, networks: frozenset[str]) -> dict[Pair, tuple[Network, Site]]:
    """The networks at their sites that have figures, by the names they have today."""
    rows = db.execute(
        select(Network, Site)
        .select_from(DayFigures)
        .join(Network, Network.id == DayFigures.network_id)
        .join(Site, Site.id == DayFigures.site_id)
        .distinct()
    )
    return {
        (network.id, site.id): (network, site)
        for network, site in rows
        if not networks or network.slug in networks
    }


def _empty(db: Session, period: Period, pairs: Mapping[Pair, tuple[Network, Site]]) -> Report:
    versions = set(
        db.scalars(
            select(FigureDay.version)
            .where(FigureDay.day >= period.first, FigureDay.day <= period.last)
            .distinct()
        )
    )
    zones = sorted({site.zone for _, site in pairs.values()})
    return Report(
        period=period,
        spans=spans_of(db, period),
        whole=Part("", ""),
        networks=[],
        versions=sorted(versions or {VERSION}),
        digest="",
        last_made=db.scalar(select(func.max(FigureDay.day))),
        zone=zones[0] if zones else "UTC",
        sites_in_service=0,
    )


def _days_made(db: Session, period: Period) -> int:
    made = select(func.count()).select_from(FigureDay)
    return db.scalar(made.where(FigureDay.day >= period.first, FigureDay.day <= period.last)) or 0


def _parts(report: Report, pairs: Mapping[Pair, tuple[Network, Site]]) -> dict[Pair, list[Part]]:
    """Where the figures of each pair go: to the site, the network and the whole."""
    found: dict[Pair, list[Part]] = {}
    by_network: dict[int, NetworkPart] = {}
    for pair, (network, site) in sorted(
        pairs.items(), key=lambda one: (one[1][0].slug, alphabetical(one[1][1].name))
    ):
        if network.id not in by_network:
            by_network[network.id] = NetworkPart(Part(network.name, network.slug), [])
            report.networks.append(by_network[network.id])
        own = Part(site.name, site.slug)
        by_network[network.id].sites.append(own)
        found[pair] = [own, by_network[network.id].whole, report.whole]
    return found


def _rows(db: Session, period: Period, pairs: Mapping[Pair, object]) -> list[Any]:
    """The rows of these pairs, day by day, with their documents as the text that is stored."""
    columns = table_of(DayFigures).columns
    read = [
        type_coerce(column, Text).label(column.key) if isinstance(column.type, Json) else column
        for column in columns
    ]
    rows = db.execute(
        select(*read)
        .where(columns.day >= period.first, columns.day <= period.last)
        .order_by(columns.day, columns.network_id, columns.site_id)
    )
    return [row for row in rows if (row.network_id, row.site_id) in pairs]


def _count_devices(db: Session, period: Period, parts: Mapping[Pair, list[Part]], *, previous: bool) -> None:
    """Merge what sketches there are: within one month, and never over two.

    A device has a visit at least, so an estimate that errs upward ends at the visits.
    """
    found: defaultdict[tuple[int, date], list[Sketch]] = defaultdict(list)
    by_id: dict[int, Part] = {}
    for month, pair, sketch in _sketches(db, period):
        for part in parts.get(pair, []):
            by_id[id(part)] = part
            found[id(part), month].append(sketch)
    for (number, month), sketches in sorted(found.items(), key=lambda one: one[0][1]):
        part = by_id[number]
        tally, devices = (part.before, part.devices_before) if previous else (part.now, part.devices)
        devices[month] = min(merged(sketches).estimate(), tally.visits_in(month))


def _sketches(db: Session, period: Period) -> list[tuple[date, Pair, Sketch]]:
    closed = [
        (month, pair, sketch)
        for month, pair, sketch in months.month_sketches(db, period.first, period.last)
        if period.holds(month)
    ]
    days = months.day_sketches(db, period.first, period.last + DAY)
    return closed + [(first_of_month(day), pair, sketch) for day, pair, sketch in days]


def _leave_out_the_idle(report: Report) -> None:
    """A site that was not in service in either period has no line, and does not count as one."""
    for network in report.networks:
        network.sites = [site for site in network.sites if _says_something(site)]
    report.networks = [network for network in report.networks if network.sites]
    report.sites_in_service = sum(
        bool(site.now.expected_seconds or site.now.sessions)
        for network in report.networks
        for site in network.sites
    )


def _says_something(part: Part) -> bool:
    return any(tally.sessions or tally.expected_seconds for tally in (part.now, part.before))


def _protect(report: Report) -> None:
    """Small counts: first among the sites of each network, then among the networks."""
    within = [_protect_sites(network) for network in report.networks]
    totals = {number: network.whole.at_least for number, network in enumerate(report.networks)}
    beforehand = {number: inside.total for number, inside in enumerate(within)}
    among = protect(totals, beforehand=beforehand)
    for number, network in enumerate(report.networks):
        network.whole.shown = among[number]
        if network.whole.shown is Disclosure.WITHHELD and all(
            site.shown is Disclosure.OPENLY for site in network.sites
        ):
            # Its sites would add up to what is withheld.
            _withhold_one(network.sites)
    report.whole.shown = among.total


def _protect_sites(network: NetworkPart) -> Protected[int]:
    found = protect({number: site.at_least for number, site in enumerate(network.sites)})
    for number, site in enumerate(network.sites):
        site.shown = found[number]
    return found


def _withhold_one(sites: list[Part]) -> None:
    visited = [site for site in sites if site.at_least]
    min(visited, key=lambda site: site.at_least).shown = Disclosure.WITHHELD
