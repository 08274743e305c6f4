"""What came of a campaign, day by day and place by place, against what was planned."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ads.models import Campaign, Creative, CreativeDay


@dataclass(frozen=True, slots=True)
class DayResult:
    """What was counted on one local day, of all its messages at all its places.

    `blocked` are pictures that a browser did not show, `reported` messages that a guest objected to.
    """

    day: date
    served: int
    viewed: int
    accepted: int
    blocked: int = 0
    reported: int = 0


@dataclass(frozen=True, slots=True)
class CampaignResults:
    """Every day from the first with a figure to the last. `due` is what an even pace would have by now; None: no goal,
    or no term to spread it over."""

    days: tuple[DayResult, ...]
    goal: int | None
    due: int | None

    @property
    def accepted(self) -> int:
        return sum(one.accepted for one in self.days)


def of_campaign(db: Session, campaign: Campaign, *, now: datetime) -> CampaignResults:
    rows = db.execute(
        select(
            CreativeDay.day,
            func.sum(CreativeDay.served),
            func.sum(CreativeDay.viewed),
            func.sum(CreativeDay.accepted),
            func.sum(CreativeDay.blocked),
            func.sum(CreativeDay.reported),
        )
        .join(Creative, Creative.id == CreativeDay.creative_id)
        .where(Creative.campaign_id == campaign.id)
        .group_by(CreativeDay.day)
        .order_by(CreativeDay.day)
    )
    return CampaignResults(
        _whole([DayResult(day, *map(int, sums)) for day, *sums in rows]), campaign.goal, _due(campaign, now)
    )


def _whole(found: list[DayResult]) -> tuple[DayResult, ...]:
    """The days with those between them on which nothing was shown."""
    if not found:
        return ()
    by_day = {one.day: one for one in found}
    length = (found[-1].day - found[0].day).days + 1
    days = [found[0].day + timedelta(days=number) for number in range(length)]
    return tuple(by_day.get(day) or DayResult(day, 0, 0, 0) for day in days)


def _due(campaign: Campaign, now: datetime) -> int | None:
    begins, ends = campaign.starts_at or campaign.approved_at, campaign.ends_at
    if campaign.goal is None or begins is None or ends is None or begins >= ends:
        return None
    past = min(max((now - begins) / (ends - begins), 0.0), 1.0)
    return round(campaign.goal * past)
