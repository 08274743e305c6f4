"""What was served, viewed and accepted of a campaign: in all, and by month, day, message and site."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TypeVar

from sqlalchemy import ColumnElement, Integer, and_, case, exists, func, select, type_coerce
from sqlalchemy.orm import Session

from ads.ledger import settlement
from ads.ledger.models import CampaignReach, ServedImpression
from ads.ledger.served import Key
from ads.models import Campaign, Creative, CreativeDay, Impression
from sessions.statistics.calendar import DAY, days_between, first_of_month
from sessions.statistics.models import FigureDay
from sites.models import Site

THOUSAND = 1000
Part = TypeVar("Part", date, str)


@dataclass(slots=True)
class Counts:
    """Sums of days. `over_cap` was accepted when a cap was reached; `failures` are by `settlement.Failure`."""

    served: int = 0
    viewed: int = 0
    accepted: int = 0
    over_cap: int = 0
    confirmed: int = 0
    blocked: int = 0
    reported: int = 0
    failures: Counter[str] = field(default_factory=Counter)

    @property
    def leases(self) -> int:
        """Each acceptance has one, whether or not it counts."""
        return self.accepted + self.over_cap

    @property
    def failed(self) -> int:
        return sum(self.failures.values())

    @property
    def is_explained(self) -> bool:
        """Served ≥ viewed ≥ leases = confirmations and failures."""
        return self.served >= self.viewed >= self.leases == self.confirmed + self.failed

    def add(self, other: Counts) -> None:
        for name in COUNTED:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.failures = self.failures + other.failures


COUNTED = ("served", "viewed", "accepted", "over_cap", "confirmed", "blocked", "reported")


@dataclass(frozen=True, slots=True)
class CampaignFigures:
    """The figures of one campaign over days. `reach` is of whole months: devices, in about."""

    name: str
    slug: str
    price_cents: int | None
    whole: Counts
    by_month: Mapping[date, Counts]
    by_day: Mapping[date, Counts]
    by_creative: Mapping[str, Counts]
    by_site: Mapping[str, Counts]
    reach: Mapping[date, int]

    def cost_cents(self, month: date) -> int | None:
        """What a month's accepted messages cost, as it is billed; None where nothing is paid."""
        if self.price_cents is None:
            return None
        return cost_cents(self.by_month[month].accepted, self.price_cents)

    @property
    def total_cents(self) -> int | None:
        costs = [self.cost_cents(month) for month in self.by_month]
        return None if self.price_cents is None else sum(cost or 0 for cost in costs)


def cost_cents(accepted: int, price_cents: int) -> int:
    """What these messages of one campaign and month cost, at so many cents per thousand.

    The one place where anything is rounded: half a cent and more is a cent. All other sums are sums of these.
    """
    return (accepted * price_cents + THOUSAND // 2) // THOUSAND


def load(
    db: Session, campaign: Campaign, *, now: datetime, first: date = date.min, last: date = date.max
) -> CampaignFigures:
    """The figures of a campaign on the days from `first` to `last`, both included, up to this minute."""
    rows = counts(db, [campaign.id], now=now, first=first, last=last)
    names = {
        one.id: one.slug for one in db.scalars(select(Creative).where(Creative.campaign_id == campaign.id))
    }
    sites = {one.id: one.name for one in db.execute(select(Site.id, Site.name))}
    reach = db.execute(
        select(CampaignReach.month, CampaignReach.devices)
        .where(CampaignReach.campaign_id == campaign.id)
        .order_by(CampaignReach.month)
    )
    whole = Counts()
    for own in rows.values():
        whole.add(own)
    return CampaignFigures(
        campaign.name,
        campaign.slug,
        campaign.price_cents,
        whole,
        _summed((first_of_month(day), own) for (_, day, _, _), own in rows.items()),
        _summed((day, own) for (_, day, _, _), own in rows.items()),
        _summed((names[creative_id], own) for (creative_id, _, _, _), own in rows.items()),
        _summed((sites[site_id], own) for (_, _, _, site_id), own in rows.items()),
        {month: devices for month, devices in reach if first <= month <= last},
    )


def counts(
    db: Session, campaign_ids: Iterable[int], *, now: datetime, first: date = date.min, last: date = date.max
) -> dict[Key, Counts]:
    """The counts by creative, day, network and site: those kept, and what the last hours and days add to them."""
    of_campaigns = select(Creative.id).where(Creative.campaign_id.in_(list(campaign_ids)))
    found: defaultdict[Key, Counts] = defaultdict(Counts)
    for row in db.scalars(
        select(CreativeDay)
        .where(CreativeDay.creative_id.in_(of_campaigns), CreativeDay.day.between(first, last))
        .order_by(CreativeDay.day, CreativeDay.creative_id, CreativeDay.site_id)
        .execution_options(populate_existing=True)
    ):
        kept = {name: getattr(row, name) for name in COUNTED}
        found[row.creative_id, row.day, row.network_id, row.site_id] = Counts(
            **kept, failures=Counter(row.failures)
        )
    creatives = set(db.scalars(of_campaigns))
    for key, own in _waiting(db, creatives, first=first, last=last).items():
        found[key].add(own)
    for key, fates in _not_final(db, found, now=now).items():
        if key[0] in creatives:
            found[key].confirmed, found[key].failures = fates.confirmed, fates.failures
    return dict(sorted(found.items(), key=lambda item: (item[0][1], *item[0])))


def _waiting(db: Session, creatives: set[int], *, first: date, last: date) -> dict[Key, Counts]:
    """What was served in the last hours and is not added up yet."""
    table = ServedImpression
    is_open = ~exists().where(Impression.nonce == table.nonce)

    def how_many(*which: ColumnElement[bool]) -> ColumnElement[int]:
        return type_coerce(func.sum(case((and_(*which), 1), else_=0)), Integer)

    rows = db.execute(
        select(
            table.creative_id,
            table.day,
            table.network_id,
            table.site_id,
            how_many(is_open),
            how_many(is_open, table.viewed.is_(True)),
            how_many(table.blocked.is_(True)),
            how_many(table.reported.is_(True)),
        )
        .where(table.creative_id.in_(creatives), table.day.between(first, last))
        .group_by(table.creative_id, table.day, table.network_id, table.site_id)
    )
    return {
        (creative_id, day, network_id, site_id): Counts(
            served=served, viewed=viewed, blocked=blocked, reported=reported
        )
        for creative_id, day, network_id, site_id, served, viewed, blocked, reported in rows
    }


def _not_final(db: Session, found: Iterable[Key], *, now: datetime) -> dict[Key, settlement.Fates]:
    """What became of the acceptances of the days whose figures are not made yet, as far as is known."""
    days = [day for _, day, _, _ in found]
    made = db.scalar(select(func.max(FigureDay.day)))
    if not days or (made is not None and made >= max(days)):
        return {}
    fates: dict[Key, settlement.Fates] = {}
    for day in days_between(max(min(days), made + DAY) if made else min(days), max(days)):
        fates |= settlement.fates(db, day, now=now)
    return fates


def _summed(rows: Iterable[tuple[Part, Counts]]) -> dict[Part, Counts]:
    found: dict[Part, Counts] = {}
    for part, own in rows:
        found.setdefault(part, Counts()).add(own)
    return found
