"""What may be expected of a campaign before it runs, by what its places had in the last four weeks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from ads import campaigns, counting, pacing, running
from ads.models import Campaign
from ads.pacing import Goal


@dataclass(frozen=True, slots=True)
class PlaceOutlook:
    """A network at a site, by their slugs, and the breaks that the campaign may have there up to the outlook's end."""

    site: str
    network: str
    breaks: float


@dataclass(frozen=True, slots=True)
class Outlook:
    """The breaks that a campaign may have from `first` to `last`. `short` is what its goal would miss (0: nothing).

    Breaks are of everybody who reads one of its languages, at its hours; others that run share them.
    """

    first: date
    last: date
    places: tuple[PlaceOutlook, ...]
    short: int

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def breaks(self) -> float:
        return sum(one.breaks for one in self.places)

    @property
    def a_day(self) -> float:
        return self.breaks / self.days


def of_campaign(db: Session, campaign: Campaign, *, zone: ZoneInfo, now: datetime) -> Outlook | None:
    """The outlook from now on, or from when it begins; None where its term is over. `zone` is the town's."""
    begins = max(now, campaign.starts_at or now)
    # Further than its pace is planned nothing is foreseen either.
    horizon = begins + pacing.HORIZON
    ends = min(campaign.ends_at or horizon, horizon)
    if ends <= begins:
        return None
    quiet = campaigns.quiet_periods(db, zone)
    own = tuple(running.candidate_of(one, quiet) for one in campaign.creatives)
    missing = max(0, (campaign.goal or 0) - counting.counted(db, campaign.id))
    goal, paced = Goal(campaign.id, missing, own), running.places(db, now=now)
    found: dict[int, float] = {}
    for (number, _), breaks in pacing.forecast(goal, paced, begins, ends).items():
        found[number] = found.get(number, 0.0) + breaks
    return Outlook(
        begins.astimezone(zone).date(),
        (ends - timedelta(microseconds=1)).astimezone(zone).date(),
        tuple(
            PlaceOutlook(paced[number].site, paced[number].network, breaks)
            for number, breaks in found.items()
        ),
        _short(db, goal, paced, zone=zone, begins=begins, now=now) if missing else 0,
    )


def _short(
    db: Session,
    goal: Goal,
    paced: list[pacing.PacedPlace],
    *,
    zone: ZoneInfo,
    begins: datetime,
    now: datetime,
) -> int:
    """What would be missing of the goal, with the goals of all that runs."""
    shown = running.running(db, zone)
    progress = running.progress(db, shown, day=now.astimezone(zone).date())
    others = [one for one in running.goals_of(shown, progress) if one.campaign_id != goal.campaign_id]
    plan = pacing.plan([*others, goal], paced, now=begins)
    # The plan aims higher than the goal: only what the goal itself misses is told.
    planned = goal.missing * pacing.EAGERNESS
    return max(0, round(plan.short.get(goal.campaign_id, 0.0) - (planned - goal.missing)))
