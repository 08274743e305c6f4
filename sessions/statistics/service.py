"""Which networks were in service at which sites on a day, and for how long they could be in demand."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from sessions.models import Lease, Outage
from sessions.statistics.calendar import Span, span_of
from sites import opening_hours as hours
from sites.models import Gateway, Network, Site, SiteState

# A network at a site: their ids.
Pair = tuple[int, int]
IN_SERVICE = frozenset({SiteState.LIVE, SiteState.OUTAGE})


@dataclass(frozen=True, slots=True)
class Basis:
    """What the records said of a pair: nothing that was measured. `gateways` are the ids of those in service."""

    zone: str
    opening_hours: str
    wanted_kbps: int
    gateways: tuple[int, ...]
    school_zone: str = ""

    def span(self, day: date) -> Span:
        return span_of(day, self.zone)

    def open_spans(self, day: date) -> list[Span]:
        whole = self.span(day)
        found = hours.open_between(
            hours.parse(self.opening_hours, self.school_zone), whole.start, whole.end, ZoneInfo(self.zone)
        )
        return [Span(start, end) for start, end in found]

    def write(self) -> dict[str, Any]:
        return {
            "gateways": list(self.gateways),
            "opening_hours": self.opening_hours,
            "wanted_kbps": self.wanted_kbps,
            "zone": self.zone,
            # Figures of days before sites had one stay what they are.
            **({"school_zone": self.school_zone} if self.school_zone else {}),
        }

    @classmethod
    def read(cls, stored: dict[str, Any]) -> Basis:
        return cls(**{**stored, "gateways": tuple(stored["gateways"])})


def pairs_on(db: Session, day: date) -> dict[Pair, Basis]:
    """The pairs that have a gateway, with what the records say now.

    A gateway is in service where its site is, once it has had its first lease or its first outage.
    """
    gateways = db.scalars(
        select(Gateway).options(joinedload(Gateway.site), joinedload(Gateway.network)).order_by(Gateway.id)
    )
    by_pair: defaultdict[Pair, list[Gateway]] = defaultdict(list)
    for gateway in gateways:
        by_pair[gateway.network_id, gateway.site_id].append(gateway)
    return {pair: _basis(db, own, day) for pair, own in by_pair.items()}


def expected_seconds(basis: Basis, day: date) -> int:
    """For how long its gateways were wanted."""
    return len(basis.gateways) * sum(span.seconds for span in basis.open_spans(day))


def outage_seconds(db: Session, bases: dict[Pair, Basis], day: date) -> dict[Pair, int]:
    """For how much of the time wanted the gateways of each pair were silent."""
    spans = [basis.span(day) for basis in bases.values()]
    if not spans:
        return {}
    first, last = min(span.start for span in spans), max(span.end for span in spans)
    silent: defaultdict[int, list[tuple[datetime, datetime]]] = defaultdict(list)
    for gateway_id, since, until in db.execute(
        select(Outage.gateway_id, Outage.since, Outage.until).where(
            Outage.since < last, Outage.until.is_(None) | (Outage.until > first)
        )
    ):
        silent[gateway_id].append((since, until or last))
    return {
        pair: sum(
            _common(silence, span)
            for gateway_id in basis.gateways
            for silence in silent[gateway_id]
            for span in basis.open_spans(day)
        )
        for pair, basis in bases.items()
    }


def _common(silence: tuple[datetime, datetime], span: Span) -> int:
    return int(max(timedelta(0), min(silence[1], span.end) - max(silence[0], span.start)).total_seconds())


def _basis(db: Session, gateways: list[Gateway], day: date) -> Basis:
    site, network = gateways[0].site, gateways[0].network
    end = span_of(day, site.zone).end
    serving = [gateway.id for gateway in gateways if _serves(db, gateway, end)]
    return _of(site, network, tuple(serving))


def _of(site: Site, network: Network, serving: tuple[int, ...]) -> Basis:
    return Basis(site.zone, site.opening_hours, network.rate_wanted_kbps, serving, site.school_zone)


def _serves(db: Session, gateway: Gateway, end: datetime) -> bool:
    if gateway.site.state not in IN_SERVICE:
        return False
    leased = select(Lease.id).where(Lease.gateway_id == gateway.id, Lease.created_at < end)
    silent = select(Outage.id).where(Outage.gateway_id == gateway.id, Outage.since < end)
    return any(db.scalars(asked.limit(1)).first() is not None for asked in (leased, silent))
