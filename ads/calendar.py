"""Who is shown where and when in the next days: one strip for each place, with the hours in which nobody is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from ads import campaigns, pacing, rules, running
from ads.models import Campaign, CampaignState
from ads.places import AdPlace
from sites import opening_hours

# What is approved or waits for it; what is paused is shown to nobody.
PLANNED = frozenset({CampaignState.RUNNING, CampaignState.PROPOSED})
Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Strip:
    """One local day at one place: each campaign with the hours in which it may be shown, and the hours with none.

    Spans are half-open and in order; `gaps` count what runs alone, and not what is only proposed.
    """

    day: date
    shown: tuple[tuple[Campaign, tuple[Span, ...]], ...]
    gaps: tuple[Span, ...]


def of_place(db: Session, place: AdPlace, *, days: int, town_zone: ZoneInfo, now: datetime) -> list[Strip]:
    """The strips of a place from today on, by its own clocks."""
    zone = place.site.tzinfo
    planned = [
        one for one in campaigns.every(db) if one.state in PLANNED and one.creatives and place.has(one)
    ]
    quiet = campaigns.quiet_periods(db, town_zone)
    first = now.astimezone(zone).date()
    return [_strip(first + timedelta(days=number), planned, quiet, zone) for number in range(days)]


def conflicts(db: Session, *, zone: ZoneInfo, now: datetime) -> list[tuple[Campaign, int]]:
    """The running campaigns whose goals cannot all be met, with what each would miss. `zone` is the town's."""
    shown = running.running(db, zone)
    progress = running.progress(db, shown, day=now.astimezone(zone).date())
    goals = running.goals_of(shown, progress)
    short = pacing.plan(goals, running.places(db, now=now), now=now).short
    found = {creative.campaign.id: creative.campaign for _, creative in shown.values()}
    missing = {one.campaign_id: one.missing for one in goals}
    # The plan aims higher than the goals: only what they miss themselves is told.
    told = {number: round(miss - missing[number] * (pacing.EAGERNESS - 1)) for number, miss in short.items()}
    return [(found[number], miss) for number, miss in sorted(told.items()) if miss > 0]


def _strip(
    day: date, planned: Sequence[Campaign], quiet: Sequence[rules.QuietPeriod], zone: ZoneInfo
) -> Strip:
    begins, ends = rules.midnight(day, zone), rules.midnight(day + timedelta(days=1), zone)
    shown = [(one, tuple(_spans(one, quiet, begins, ends, zone))) for one in planned]
    running_now = [span for one, spans in shown if one.state is CampaignState.RUNNING for span in spans]
    return Strip(
        day,
        tuple((one, spans) for one, spans in shown if spans),
        tuple(without([(begins, ends)], running_now)),
    )


def _spans(
    campaign: Campaign,
    quiet: Sequence[rules.QuietPeriod],
    begins: datetime,
    ends: datetime,
    zone: ZoneInfo,
) -> list[Span]:
    since = max(begins, campaign.starts_at or begins)
    until = min(ends, campaign.ends_at or ends)
    if since >= until:
        return []
    spans = opening_hours.open_between(opening_hours.parse(campaign.hours), since, until, zone)
    bound = campaign.category in rules.BOUND_BY_ELECTIONS
    return list(without(spans, [(one.since, one.until) for one in quiet] if bound else []))


def without(spans: Iterable[Span], taken: Iterable[Span]) -> list[Span]:
    """What is left of `spans` where none of `taken` is."""
    left = list(spans)
    for since, until in taken:
        left = [
            part
            for begins, ends in left
            for part in ((begins, min(ends, since)), (max(begins, until), ends))
            if part[0] < part[1]
        ]
    return left
