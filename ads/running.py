"""Running campaigns, read for the choice and for their pace."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Integer, func, or_, select, type_coerce
from sqlalchemy.orm import Session, joinedload

from ads import campaigns, rules
from ads.choice import Candidate
from ads.models import Campaign, CampaignDay, CampaignState, Creative, CreativeDay, Impression
from ads.pacing import Goal, PacedPlace
from ads.rules import QuietPeriod
from sessions.statistics.models import DayFigures
from sites.limits import ads_shown
from sites.models import SigninMethod, Site

# The figures of four weeks say what a place usually has.
WEEKS = 4
# What is expected in an hour of a place without figures: the next plans go by what was really accepted.
UNKNOWN_PER_HOUR = 1.0
Shown = Mapping[int, tuple[Candidate, Creative]]


@dataclass(frozen=True, slots=True)
class Progress:
    """What the goals still miss, and the campaigns that have had all they may have."""

    missing: Mapping[int, int]
    spent: frozenset[int]


def version(db: Session) -> tuple[int, ...]:
    """Changes with every change of a campaign or an election."""
    rows = db.execute(
        select(
            func.count(Campaign.id),
            func.coalesce(func.sum(Campaign.revision), 0),
            func.coalesce(func.max(Campaign.id), 0),
        )
    ).one()
    return (*map(int, rows), len(campaigns.elections(db)))


def running(db: Session, zone: ZoneInfo) -> dict[int, tuple[Candidate, Creative]]:
    """The creatives of running campaigns, by id, with what limits each. `zone` is the town's."""
    quiet = campaigns.quiet_periods(db, zone)
    creatives = db.scalars(
        select(Creative)
        .join(Creative.campaign)
        .where(Campaign.state == CampaignState.RUNNING)
        .options(joinedload(Creative.campaign).joinedload(Campaign.advertiser))
        .order_by(Creative.id)
    )
    return {creative.id: (candidate_of(creative, quiet), creative) for creative in creatives}


def progress(db: Session, shown: Shown, *, day: date) -> Progress:
    """How far the campaigns with a goal or a cap are; `day` is today's in the town."""
    of_campaign = {creative.campaign.id: creative.campaign for _, creative in shown.values()}
    goals = {number: one.goal for number, one in of_campaign.items() if one.goal is not None}
    missing = {number: goal - counted for number, goal, counted in _counted(db, goals)}
    spent = {number for number, left in missing.items() if left <= 0}
    if any(one.daily_cap or one.total_cap for one in of_campaign.values()):
        spent |= set(_capped(db, day))
    return Progress(
        {number: left for number, left in missing.items() if number not in spent}, frozenset(spent)
    )


def goals_of(shown: Shown, progress: Progress) -> list[Goal]:
    """The campaigns whose goals are to be planned."""
    found: dict[int, list[Candidate]] = {}
    for candidate, _ in shown.values():
        if candidate.campaign_id in progress.missing:
            found.setdefault(candidate.campaign_id, []).append(candidate)
    return [Goal(number, progress.missing[number], tuple(own)) for number, own in sorted(found.items())]


def places(db: Session, *, now: datetime) -> list[PacedPlace]:
    """Every place that shows ads, with what the last four weeks' figures say of it."""
    usual = _usual(db, now)
    languages = _languages(db, now)
    found = []
    for site in db.scalars(select(Site).options(joinedload(Site.networks)).order_by(Site.id)).unique():
        for network in site.networks:
            if ads_shown(site, network) and network.allows(SigninMethod.FREE):
                week = usual.get((network.id, site.id)) or [[UNKNOWN_PER_HOUR] * 24 for _ in range(7)]
                of = languages.get(network.id, {})
                found.append(PacedPlace(network.slug, site.slug, site.kind.value, site.zone, week, of))
    return found


def candidate_of(creative: Creative, quiet: Sequence[QuietPeriod]) -> Candidate:
    """A creative as it stands in the choice."""
    campaign = creative.campaign
    is_bound = campaign.category in rules.BOUND_BY_ELECTIONS
    return Candidate(
        creative_id=creative.id,
        campaign_id=campaign.id,
        weight=campaign.weight,
        starts_at=campaign.starts_at,
        ends_at=campaign.ends_at,
        networks=frozenset(campaign.networks),
        sites=frozenset(campaign.sites),
        site_kinds=frozenset(campaign.site_kinds),
        languages=frozenset(creative.texts).intersection(campaign.languages or creative.texts),
        hours=campaign.hours,
        only_languages=frozenset(campaign.languages),
        quiet=tuple((one.since, one.until) for one in quiet) if is_bound else (),
    )


def _counted(db: Session, goals: Mapping[int, int]) -> list[tuple[int, int, int]]:
    """Each campaign with its goal and what was counted of it so far."""
    if not goals:
        return []
    rows = db.execute(
        select(Creative.campaign_id, func.sum(CreativeDay.accepted))
        .join(Creative, Creative.id == CreativeDay.creative_id)
        .where(Creative.campaign_id.in_(goals))
        .group_by(Creative.campaign_id)
    )
    counted = {number: int(accepted) for number, accepted in rows}
    return [(number, goal, counted.get(number, 0)) for number, goal in goals.items()]


def _capped(db: Session, day: date) -> Collection[int]:
    """Running campaigns that have reached a cap."""
    today = select(CampaignDay.claimed).where(CampaignDay.campaign_id == Campaign.id, CampaignDay.day == day)
    return db.scalars(
        select(Campaign.id).where(
            Campaign.state == CampaignState.RUNNING,
            or_(Campaign.claimed >= Campaign.total_cap, today.scalar_subquery() >= Campaign.daily_cap),
        )
    ).all()


def _usual(db: Session, now: datetime) -> dict[tuple[int, int], list[list[float]]]:
    """Sessions that began, by place, weekday and hour: a day's number by its weekday, spread as all days' are."""
    first = now.date() - timedelta(weeks=WEEKS)
    rows = db.execute(
        select(DayFigures.network_id, DayFigures.site_id, DayFigures.day, DayFigures.hour_sessions).where(
            DayFigures.day >= first
        )
    ).all()
    hours: dict[tuple[int, int], list[float]] = {}
    days: dict[tuple[int, int], list[list[int]]] = {}
    for network_id, site_id, day, by_hour in rows:
        key = (network_id, site_id)
        shape = hours.setdefault(key, [0.0] * 24)
        for hour, count in enumerate(by_hour):
            shape[hour] += count
        days.setdefault(key, [[] for _ in range(7)])[day.weekday()].append(sum(by_hour))
    return {key: _week(hours[key], days[key]) for key in hours if sum(hours[key])}


def _week(hours: Sequence[float], days: Sequence[Sequence[int]]) -> list[list[float]]:
    total = sum(hours)
    every = [one for of_weekday in days for one in of_weekday]
    mean = sum(every) / len(every)
    return [[(sum(of) / len(of) if of else mean) * count / total for count in hours] for of in days]


def _languages(db: Session, now: datetime) -> dict[int, dict[str, float]]:
    """The part of each language among the acceptances of four weeks, by network."""
    rows = db.execute(
        select(Impression.network_id, Impression.language, type_coerce(func.count(), Integer))
        .where(Impression.accepted_at >= now - timedelta(weeks=WEEKS))
        .group_by(Impression.network_id, Impression.language)
    ).all()
    totals: dict[int, int] = {}
    for network_id, _, count in rows:
        totals[network_id] = totals.get(network_id, 0) + count
    found: dict[int, dict[str, float]] = {}
    for network_id, language, count in rows:
        found.setdefault(network_id, {})[language] = count / totals[network_id]
    return found
