"""What stands in the form of a campaign: empty, as it was typed, or as the campaign has it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from werkzeug.datastructures import MultiDict

from ads.drafting import MOST_MESSAGES
from ads.models import Campaign
from portal.staff.campaigns.campaign_words import first_day, last_day

Form = MultiDict[str, str]
# The key of a message that is not saved yet has a dot in it: no slug does.
_NEW = "new.{}"


def empty_form() -> Form:
    return MultiDict({"weight": "1"})


def form_of(campaign: Campaign) -> Form:
    """The form that says what the campaign is."""
    typed: Form = MultiDict(
        {
            "revision": str(campaign.revision),
            "advertiser": campaign.advertiser.slug,
            "name": campaign.name,
            "category": campaign.category.value,
            "conditions": campaign.conditions,
            "starts": _day(first_day(campaign.starts_at)),
            "ends": _day(last_day(campaign.ends_at)),
            "hours": "" if campaign.hours == "24/7" else campaign.hours,
            "price": "" if campaign.price_cents is None else f"{campaign.price_cents / 100:.2f}",
        }
    )
    for name in ("weight", "goal", "daily_cap", "total_cap"):
        typed[name] = str(getattr(campaign, name) or "")
    for name in ("networks", "sites", "site_kinds", "languages"):
        typed.setlist(name, getattr(campaign, name))
    for creative in campaign.creatives:
        typed.add("message", creative.slug)
        typed[f"more-{creative.slug}"] = creative.more
        for code, words in creative.texts.items():
            typed[f"title-{creative.slug}-{code}"] = words["title"]
            typed[f"text-{creative.slug}-{code}"] = words["text"]
    return typed


def keys_of(typed: Form, *, more: bool) -> list[str]:
    """The messages of the form, one at least, with an empty one at the end where `more` is wanted."""
    keys = typed.getlist("message")[:MOST_MESSAGES]
    if not keys or (more and len(keys) < MOST_MESSAGES):
        numbers = (number for number in range(1, MOST_MESSAGES + 2))
        keys.append(next(key for number in numbers if (key := _NEW.format(number)) not in keys))
    return keys


def spoken_of(typed: Form, languages: Sequence[str]) -> set[str]:
    """The messages with words in another language than the first."""
    parts = [(key, code) for key in typed.getlist("message") for code in languages[1:]]
    return {key for key, code in parts if typed.get(f"title-{key}-{code}") or typed.get(f"text-{key}-{code}")}


def _day(day: date | None) -> str:
    return "" if day is None else day.isoformat()
