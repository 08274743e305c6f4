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
from sessions.statistics.spans import Spans, UsedDefinitions, spans_of, used_definitions
from sessions.statistics.suppression import Disclosure, Protected, protect
from sessions.statistics.tally import Tally
from sites.directory import alphabetical
from sites.models import Network, Site

Ads = Mapping[Pair, int]
ReadAds = Callable[[Period], Ads]


@dataclass(slots=True)
class Part:
    """A site of a network, a network, or everything: the figures of the period, of the one before, of the year before.

    `devices` are unique devices by month, as far as they can be known: for whole months, and for a part of a month
    that is not closed yet. They add up to no number of people.
    """

    name: str
    slug: str
    now: Tally = field(default_factory=Tally)
    before: Tally = field(default_factory=Tally)
    year_before: Tally = field(default_factory=Tally)
    devices: dict[date, int] = field(default_factory=dict)
    devices_before: dict[date, int] = field(default_factory=dict)
    devices_year_before: dict[date, int] = field(default_factory=dict)
    shown: Disclosure = Disclosure.OPENLY

    @property
    def stretches(self) -> list[tuple[Tally, dict[date, int]]]:
        """The sums of each stretch with its devices, in the order of `Spans.everything`."""
        return [
            (self.now, self.devices),
            (self.before, self.devices_before),
            (self.year_before, self.devices_year_before),
        ]

    def at_least(self, stretch: int = 0) -> int:
        """How many devices were there at least: what the suppression of small counts goes by."""
        tally, devices = self.stretches[stretch]
        return max([tally.most_devices, int(tally.is_used), *devices.values()])


@dataclass(slots=True)
class NetworkPart:
    """A network, and its sites by name."""

    whole: Part
    sites: list[Part]


@dataclass(slots=True)
class Report:
    """All numbers of a report. `digest` is that of the kept figures behind it: equal figures, equal digest."""

    period: Period
    spans: Spans
    whole: Part
    networks: list[NetworkPart]
    definitions: list[UsedDefinitions]
    digest: str
    last_made: date | None
    zone: str
    sites_in_service: int

    @property
    def versions(self) -> list[str]:
        """The versions of the definitions behind its figures, and those they are compared with."""
        return [one.version for one in self.definitions] or [VERSION]

    @property
    def days_made(self) -> int:
        return self.spans.made

    @property
    def is_complete(self) -> bool:
        return self.days_made == self.period.days

    @property
    def is_over(self) -> bool:
        """Whether every day that will ever have figures has them."""
        return self.last_made is not None and self.last_made >= self.period.last

    @property
    def is_comparable(self) -> bool:
        """Whether every day of the stretch before has its figures."""
        return self.spans.before.is_made

    @property
    def has_year_before(self) -> bool:
        """Whether the same days a year ago have their figures, and are not the stretch before already."""
        return self.spans.year_before.is_made and self.spans.year_before != self.spans.before

    @property
    def days_ratio(self) -> float:
        """How many days there are for each day before: 1, but where whole months of unequal lengths are compared."""
        return self.spans.known.days / self.spans.before.period.days

    @property
    def year_ratio(self) -> float:
        """The same for the year before: a February of 29 days."""
        return self.spans.known.days / self.spans.year_before.period.days


def load(db: Session, period: Period, *, networks: frozenset[str], ads: ReadAds) -> Report:
    """The report on `period`; with `networks`, on these alone. `ads` gives the accepted messages of a span."""
    pairs = pairs_of(db, networks)
    report = _empty(db, period, pairs)
    parts = _parts(report, pairs)
    digest = hashlib.sha256()
    for number, stretch in enumerate(report.spans.everything):
        accepted = ads(stretch)
        for row in _rows(db, stretch, pairs):
            if not number:
                digest.update("\x1f".join(map(str, row)).encode() + b"\n")
            parts[row.network_id, row.site_id][0].stretches[number][0].add(row)
        if not number:
            of_ours = [[*pair, accepted[pair]] for pair in sorted(accepted) if pair in pairs]
            digest.update(json.dumps(of_ours).encode())
        for pair, (own, *above) in parts.items():
            tally = own.stretches[number][0]
            tally.ads = accepted.get(pair, 0)
            tally.note_closures()
            for part in above:
                part.stretches[number][0].merge(tally)
        _count_devices(db, stretch, parts, number)
    report.digest = digest.hexdigest()
    _leave_out_the_idle(report)
    _protect(report)
    _settle(report)
    return report


def _settle(report: Report) -> None:
    for part in parts_of(report):
        for tally, _ in part.stretches:
            tally.settle(by_day=part is report.whole)


def parts_of(report: Report) -> list[Part]:
    """Everything, each network, each site."""
    of_networks = [part for network in report.networks for part in (network.whole, *network.sites)]
    return [report.whole, *of_networks]


def pairs_of(db: Session, networks: frozenset[str]) -> dict[Pair, tuple[Network, Site]]:
    """The networks at their sites that have figures, by the names they have today."""
    known = {network.id: network for network in db.scalars(select(Network))}
    sites = {site.id: site for site in db.scalars(select(Site))}
    rows = db.execute(select(DayFigures.network_id, DayFigures.site_id).distinct())
    return {
        (network_id, site_id): (known[network_id], sites[site_id])
        for network_id, site_id in rows
        if not networks or known[network_id].slug in networks
    }


def _empty(db: Session, period: Period, pairs: Mapping[Pair, tuple[Network, Site]]) -> Report:
    zones, spans = sorted({site.zone for _, site in pairs.values()}), spans_of(db, period)
    return Report(
        period=period,
        spans=spans,
        whole=Part("", ""),
        networks=[],
        definitions=used_definitions(db, spans),
        digest="",
        last_made=last_made(db),
        zone=zones[0] if zones else "UTC",
        sites_in_service=0,
    )


def last_made(db: Session) -> date | None:
    """The last day that has its figures."""
    return db.scalar(select(func.max(FigureDay.day)))


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


def _count_devices(db: Session, period: Period, parts: Mapping[Pair, list[Part]], number: int) -> None:
    """Merge what sketches there are of this stretch: within one month, and never over two.

    A device has a visit at least, so an estimate that errs upward ends at the visits.
    """
    found: defaultdict[tuple[int, date], list[Sketch]] = defaultdict(list)
    by_id: dict[int, Part] = {}
    for month, pair, sketch in _sketches(db, period):
        for part in parts.get(pair, []):
            by_id[id(part)] = part
            found[id(part), month].append(sketch)
    for (part_id, month), sketches in sorted(found.items(), key=lambda one: one[0][1]):
        tally, devices = by_id[part_id].stretches[number]
        devices[month] = min(merged(sketches).estimate(), tally.visits_by_month[month])


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
    return any(tally.sessions or tally.expected_seconds for tally, _ in part.stretches)


def _protect(report: Report) -> None:
    """Small counts: first among the sites of each network, then among the networks."""
    within = [_protect_sites(network) for network in report.networks]
    totals = {number: network.whole.at_least() for number, network in enumerate(report.networks)}
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
    found = protect({number: site.at_least() for number, site in enumerate(network.sites)})
    for number, site in enumerate(network.sites):
        site.shown = found[number]
    return found


def _withhold_one(sites: list[Part]) -> None:
    visited = [site for site in sites if site.at_least()]
    min(visited, key=lambda site: site.at_least()).shown = Disclosure.WITHHELD
