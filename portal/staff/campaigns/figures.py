"""The figures on a campaign's page: what may be expected of it, and what came of it."""

from __future__ import annotations

from markupsafe import Markup

from ads.outlook import Outlook
from ads.results import CampaignResults, DayResult
from portal.i18n.translation import say, say_number
from portal.reports import numbers
from portal.reports.charts import Bar, bars

# A chart of more days shows the last ones.
MOST_DAYS = 60


def outlook_in_words(outlook: Outlook) -> str:
    """ "About 1,200 breaks a day at its places and hours, by the last four weeks: 14,400 until 24 December 2026." """
    return say(
        "About %(a_day)s breaks a day at its places and hours, by the last four weeks: %(all)s until %(day)s.",
        a_day=numbers.count(round(outlook.a_day)),
        all=numbers.count(round(outlook.breaks)),
        day=numbers.day(outlook.last),
    )


def goal_in_words(outlook: Outlook, goal: int) -> str:
    """Whether the goal fits in, with all that runs."""
    if not outlook.short:
        return say("Its goal of %(goal)s fits in, with all that runs.", goal=numbers.count(goal))
    return say(
        "With all that runs, about %(short)s of its goal of %(goal)s would be missing.",
        short=numbers.count(outlook.short),
        goal=numbers.count(goal),
    )


def results_in_words(results: CampaignResults) -> str:
    """What was accepted, against the goal and an even pace."""
    accepted = say_number("%(n)s message was accepted.", "%(n)s messages were accepted.", results.accepted)
    if results.goal is None:
        return accepted
    part = numbers.percent(results.accepted / results.goal, 0)
    told = say("That is %(part)s of the goal of %(goal)s.", part=part, goal=numbers.count(results.goal))
    if results.due is None:
        return f"{accepted} {told}"
    due = say("At an even pace it would be %(due)s by now.", due=numbers.count(results.due))
    return f"{accepted} {told} {due}"


def results_chart(results: CampaignResults) -> Markup:
    """Accepted messages by day, as an SVG image; its table says the same."""
    days = results.days[-MOST_DAYS:]
    drawn = [Bar(_label(one, len(days)), one.accepted, numbers.count(one.accepted)) for one in days]
    return Markup(bars(drawn, alt=say("Accepted messages by day")))


def _label(one: DayResult, many: int) -> str:
    """Every day where there is room, else each first of a week."""
    if many > 7 and one.day.weekday():
        return ""
    return numbers.short_day(one.day) if many <= 7 else f"{one.day.day}/{one.day.month}"
