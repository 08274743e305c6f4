"""States and categories of campaigns, in the reader's language."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from ads.models import Campaign, CampaignState, Category
from ads.rules import FORBIDDEN
from portal.i18n.translation import say
from portal.reports.numbers import day as _day
from portal.services import town_zone


def state_in_words(state: CampaignState) -> str:
    return {
        CampaignState.DRAFT: say("draft"),
        CampaignState.PROPOSED: say("proposed, waits for approval"),
        CampaignState.RUNNING: say("running"),
        CampaignState.PAUSED: say("paused"),
        CampaignState.STOPPED: say("stopped"),
        CampaignState.OVER: say("its term is over"),
    }[state]


def categories() -> list[tuple[str, str]]:
    """Every category that can be named in a form, with its words; those that the law forbids come last."""
    allowed = {
        Category.PUBLIC_SERVICE: say("Public service"),
        Category.CULTURE: say("Culture"),
        Category.COMMERCE: say("Commerce"),
        Category.TOWN_RECORD: say("What the town has done"),
        Category.POLITICAL: say("Politics"),
        Category.GAMBLING: say("Gambling"),
        Category.CREDIT: say("Credit"),
        Category.CRYPTO: say("Crypto-assets"),
        Category.WEAPONS: say("Weapons"),
        Category.MEDICINES: say("Medicines"),
    }
    forbidden = {"alcohol": say("Alcohol"), "tobacco": say("Tobacco"), "vaping": say("Vaping")}
    return [(category.value, words) for category, words in allowed.items()] + [
        (word, forbidden[word]) for word in FORBIDDEN
    ]


def category_in_words(category: Category) -> str:
    return dict(categories())[category.value]


def term_in_words(campaign: Campaign) -> str:
    """ "1 December 2026 to 24 December 2026": the days of the town on which it may be shown."""
    first, last = first_day(campaign.starts_at), last_day(campaign.ends_at)
    if first and last:
        return say("%(first)s to %(last)s", first=_day(first), last=_day(last))
    if first:
        return say("from %(first)s on", first=_day(first))
    return say("up to %(last)s", last=_day(last)) if last else say("without end")


def first_day(at: datetime | None) -> date | None:
    return None if at is None else at.astimezone(town_zone()).date()


def last_day(ends_at: datetime | None) -> date | None:
    """The last day of a half-open term."""
    return None if ends_at is None else (ends_at - timedelta(microseconds=1)).astimezone(town_zone()).date()
