"""What a French town may show, to whom and when. Pure; each violation is a denial with the law's short name."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

from ads.errors import (
    ElectionPeriod,
    ForbiddenCategory,
    UndatedPolitical,
    UnidentifiedAdvertiser,
    UnmetConditions,
    UnnamedApprover,
)
from ads.models import Campaign, Category, Election
from auth.audit.actor import Actor, ActorKind, command_line
from auth.denials import Denial
from sites.models import Network, NetworkKind, SigninMethod, Site, SiteKind

# Never, whatever the conditions.
FORBIDDEN = MappingProxyType(
    {
        "alcohol": "Code de la santé publique, art. L3323-2",
        "tobacco": "Code de la santé publique, art. L3512-4",
        "vaping": "Code de la santé publique, art. L3513-4",
    }
)
# Only where somebody has written down how the law's conditions are met.
CONDITIONAL = MappingProxyType(
    {
        Category.GAMBLING: "Code de la sécurité intérieure, art. L320-12",
        Category.CREDIT: "Code de la consommation, art. L312-5",
        Category.CRYPTO: "Code de la consommation, art. L222-16-1",
        Category.WEAPONS: "loi n° 85-706 du 12 juillet 1985",
        Category.MEDICINES: "Code de la santé publique, art. L5122-6",
    }
)
IDENTITY_LAW = "LCEN, art. 20"
POLITICAL_LAW = "règlement (UE) 2024/900"
ELECTION_LAW = "Code électoral, art. L52-1"
BOUND_BY_ELECTIONS = frozenset({Category.POLITICAL, Category.TOWN_RECORD})
# The bounds begin with the sixth month before the month of the election.
MONTHS_BEFORE = 6


class NoAds(enum.StrEnum):
    """Why somebody is shown none. One reason is enough, and nothing outweighs it."""

    NETWORK = "network"
    SITE = "site"
    EU_FUNDED = "eu_funded"
    LIBRARY = "library"
    # Cards and passes are not paid with attention.
    NOT_FREE = "not_free"
    MINOR = "minor"


@dataclass(frozen=True, slots=True)
class QuietPeriod:
    """When campaigns that elections bind are not shown: [since, until)."""

    election: str
    since: datetime
    until: datetime

    def holds(self, at: datetime) -> bool:
        return self.since <= at < self.until


def no_ads(
    site: Site, network: Network, *, method: SigninMethod = SigninMethod.FREE, is_minor: bool = False
) -> NoAds | None:
    """Why nothing is shown at this place to somebody who comes in this way; None where ads are shown."""
    reasons = {
        NoAds.NETWORK: not network.ads,
        NoAds.SITE: not site.ads_allowed,
        NoAds.EU_FUNDED: site.eu_funded,
        NoAds.LIBRARY: site.kind is SiteKind.LIBRARY or network.kind is NetworkKind.LIBRARY,
        NoAds.NOT_FREE: method is not SigninMethod.FREE,
        NoAds.MINOR: is_minor,
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


def category_of(word: str) -> Category:
    """The category that a form or a file names.

    Raises `ForbiddenCategory`, and `ValueError` for a word that is none.
    """
    if word in FORBIDDEN:
        raise ForbiddenCategory(word, FORBIDDEN[word])
    return Category(word)


def violations(campaign: Campaign) -> Iterator[Denial]:
    """What the law has against saving this campaign."""
    if not campaign.advertiser.is_town and not campaign.advertiser.identity.strip():
        yield UnidentifiedAdvertiser(IDENTITY_LAW)
    law = CONDITIONAL.get(campaign.category)
    if law is not None and not (campaign.conditions or "").strip():
        yield UnmetConditions(campaign.category, law)
    if campaign.category is Category.POLITICAL and None in (campaign.starts_at, campaign.ends_at):
        yield UndatedPolitical(POLITICAL_LAW)


def check(campaign: Campaign) -> None:
    """Raise what the law has against saving this campaign: the `Denial` that comes first."""
    for denial in violations(campaign):
        raise denial


def check_approval(campaign: Campaign, quiet: Sequence[QuietPeriod], *, actor: Actor, now: datetime) -> None:
    """Raise what the law has against showing it from now on, approved by this actor. Raises what `check` does too."""
    check(campaign)
    if campaign.category is Category.POLITICAL and not is_named(actor):
        raise UnnamedApprover(POLITICAL_LAW)
    if (near := election_near(campaign, quiet, now=now)) is not None:
        raise near


def election_near(
    campaign: Campaign, quiet: Sequence[QuietPeriod], *, now: datetime
) -> ElectionPeriod | None:
    """The election that forbids showing it when it begins, if there is one: it may be saved, and not approved."""
    begins = max(now, campaign.starts_at or now)
    bound = campaign.category in BOUND_BY_ELECTIONS
    return next(
        (
            ElectionPeriod(period.election, ELECTION_LAW, period.until)
            for period in quiet
            if bound and period.holds(begins)
        ),
        None,
    )


def is_named(actor: Actor) -> bool:
    """Whether a person stands behind this actor by name."""
    return actor.kind is ActorKind.STAFF or (
        actor.kind is ActorKind.COMMAND_LINE and actor.name != command_line().name
    )


def quiet_period(election: Election, zone: ZoneInfo) -> QuietPeriod:
    """From the first day of the sixth month before the election's, to the end of the last round's day."""
    months = election.first_round.year * 12 + election.first_round.month - 1 - MONTHS_BEFORE
    first = date(months // 12, months % 12 + 1, 1)
    after = election.last_round + timedelta(days=1)
    return QuietPeriod(election.name, midnight(first, zone), midnight(after, zone))


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The beginning of a local day."""
    return datetime.combine(day, time(), tzinfo=zone)
