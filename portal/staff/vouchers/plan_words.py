"""What a pass is worth, in the words of the desk's page."""

from __future__ import annotations

from datetime import datetime, timedelta

from auth.vouchers.models import Plan, PlanKind
from portal.i18n.last_moments import first_day, last_moment
from portal.i18n.translation import in_full, language, say, town_language
from portal.services import services, town_zone


def plan_name(plan: Plan) -> str:
    """The plan's name in the language of this request, else in the town's own, else its slug."""
    return plan.names.get(language()) or plan.names.get(town_language()) or plan.slug


def end_in_words(
    plan: Plan, ends_at: datetime | None, zone: str, *, starts_at: datetime | None = None
) -> str:
    """From when until when a pass of this plan is good, told before anybody has used it."""
    length = in_full(timedelta(minutes=plan.length_minutes))
    match plan.kind:
        case PlanKind.UNTIL_MIDNIGHT:
            text = say("Good until midnight of the day it is first used.")
        case PlanKind.UNTIL_CLOSING:
            text = say("Good until closing time of the day it is first used.")
        case PlanKind.ROLLING_HOURS | PlanKind.FIXED_MINUTES:
            text = say("Good for %(length)s from its first use.", length=length)
    if starts_at is not None:
        first = first_day(starts_at, zone, language(), since=services().clock())
        begins = say("It cannot be used before %(day)s.", day=first)
        text = f"{text} {begins}"
    if ends_at is None:
        return text
    last = last_moment(ends_at, zone, language(), since=services().clock())
    limit = say("It can be used until %(time)s.", time=last)
    return f"{text} {limit}"


def first_day_here(starts_at: datetime) -> str:
    """The first day of use by the town's clock, in the language of this request."""
    return first_day(starts_at, town_zone().key, language(), since=services().clock())
